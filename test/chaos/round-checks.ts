import { createHash, createPublicKey, type JsonWebKeyInput, type KeyObject, verify } from "node:crypto";
import { type Emulator, startEmulator } from "../../emulator/index.js";
import { decryptedState, stateFiles } from "../engine/decrypted-state.js";
import type { Stack } from "../engine/stack.js";
import { call } from "../engine/vault-by-hand.js";
import { type ChangingObject, type ChangingProgram, secretValue } from "./changing-program.js";

interface Attributes {
  enabled?: boolean;
  exp?: number;
}
interface Found {
  value?: string;
  key?: { kid: string } & Record<string, string>;
  id?: string;
  attributes: Attributes;
  tags?: Record<string, string>;
}
interface Restorable {
  sourceName: string;
  version?: string;
  blob?: string;
}

/** What of a round's outcome is not as it has to be, in words; nothing where all is. */
export async function wrongInVault(program: ChangingProgram, vault: Emulator): Promise<string[]> {
  const wrong: string[] = [];
  for (const collection of ["keys", "secrets"] as const) {
    const objects = program.objects.filter(({ kind }) => collectionOf(kind) === collection);
    const live = await listed(vault, `/${collection}`);
    const deleted = await listed(vault, `/deleted${collection}`);
    const isGone = ({ isDeclared }: ChangingObject) => !isDeclared;
    wrong.push(
      ...differences(
        `${collection} in the vault`,
        live,
        objects.filter((object) => !isGone(object) || object.onDelete === "retain"),
      ),
      ...differences(
        `deleted ${collection}`,
        deleted,
        objects.filter((object) => isGone(object) && (object.onDelete === "delete" || object.isOnlyDeleted)),
      ),
    );
    for (const object of objects) {
      if (!live.includes(object.name)) continue;
      wrong.push(...(await wrongInObject(object, vault)).map((what) => `${object.name}: ${what}`));
    }
  }
  return wrong;
}

async function wrongInObject(object: ChangingObject, vault: Emulator): Promise<string[]> {
  const path = `/${collectionOf(object.kind)}/${object.name}`;
  const found = (await call(vault, "GET", path)) as Found;
  const versions = await listed(vault, `${path}/versions`);
  const { "pulumi-keyvault": mark, ...tags } = found.tags ?? {};
  const wrong: string[] = [];
  const expect = (what: string, actual: unknown, expected: unknown) => {
    if (JSON.stringify(actual) !== JSON.stringify(expected)) {
      wrong.push(`${what} is ${JSON.stringify(actual)} and has to be ${JSON.stringify(expected)}`);
    }
  };
  expect("the number of versions", versions.length, object.versions);
  expect("whose it is", mark?.split(" ")[0], "test/dev");
  expect("tags", sorted(tags), sorted(object.tags));
  expect("enabled", found.attributes.enabled, object.isEnabled);
  expect("the expiry", found.attributes.exp, object.expiresOn && Date.parse(object.expiresOn) / 1000);
  if (object.kind === "secret") expect("the digest of its value", digest(found.value), digest(secretValue(object)));
  if (object.kind === "generated") expect("the type", found.key?.kty, object.isRsa ? "RSA" : "EC");
  if (object.material) expect("the public key", publicKey(found), publicOf(object.material.key));
  return wrong;
}

/** Restores each backup that the stack has into an empty vault, and has the keys sign. */
export async function wrongInBackups(
  program: ChangingProgram,
  vault: Emulator,
  outputs: Record<string, unknown>,
): Promise<string[]> {
  const { backups, all } = outputs as {
    backups: Record<string, Restorable>;
    all: { keys: Record<string, Restorable>; secrets: Record<string, Restorable> };
  };
  const declared = program.objects.filter(({ isDeclared }) => isDeclared);
  const sets: [string, ChangingObject[], Record<string, Restorable>][] = [
    ["backups", program.backedUp, backups],
    ["keys of the VaultBackup", declared.filter(({ kind }) => kind !== "secret"), all.keys],
    ["secrets of the VaultBackup", declared.filter(({ kind }) => kind === "secret"), all.secrets],
  ];
  const wrong: string[] = [];
  for (const [what, objects, restorables] of sets) {
    wrong.push(...differences(what, Object.keys(restorables), objects));
    const empty = await startEmulator();
    try {
      for (const object of objects) {
        const restorable = restorables[object.name];
        if (restorable === undefined) continue;
        const found = await wrongInRestored(object, restorable, vault, empty).catch((error: Error) => [error.message]);
        wrong.push(...found.map((problem) => `${what}, ${object.name}: ${problem}`));
      }
    } finally {
      await empty.close();
    }
  }
  return wrong;
}

async function wrongInRestored(
  object: ChangingObject,
  { blob = "", version }: Restorable,
  vault: Emulator,
  empty: Emulator,
): Promise<string[]> {
  const collection = collectionOf(object.kind);
  const path = `/${collection}/${object.name}`;
  const original = (await call(vault, "GET", path)) as Found;
  await call(empty, "POST", `/${collection}/restore`, { value: blob });
  const restored = (await call(empty, "GET", path)) as Found;
  const wrong: string[] = [];
  if (versionOf(restored) !== versionOf(original)) wrong.push("it is of another version than the vault's");
  if (version !== versionOf(original)) wrong.push("it says another version than the vault's");
  if (JSON.stringify(sorted(restored.tags ?? {})) !== JSON.stringify(sorted(original.tags ?? {}))) {
    wrong.push("it is of before the last change of the tags");
  }
  if (restored.attributes.exp !== original.attributes.exp) wrong.push("it is of before the last change of the expiry");
  if (restored.attributes.enabled !== original.attributes.enabled) wrong.push("it is of before it was en- or disabled");
  if ((await listed(empty, `${path}/versions`)).length !== object.versions) wrong.push("it has not all versions");
  if (object.kind === "secret") {
    if (restored.value !== secretValue(object)) wrong.push("it has another value");
  } else if (object.isEnabled && !(await signs(empty, path, object, original))) wrong.push("its key does not sign");
  return wrong;
}

async function signs(empty: Emulator, path: string, { isRsa }: ChangingObject, original: Found): Promise<boolean> {
  const data = Buffer.from("signed by what was restored");
  const { value } = (await call(empty, "POST", `${path}/sign`, {
    alg: isRsa ? "RS256" : "ES256",
    value: createHash("sha256").update(data).digest("base64url"),
  })) as { value: string };
  const key = createPublicKey({ key: original.key as JsonWebKeyInput["key"], format: "jwk" });
  return verify("sha256", data, { key, dsaEncoding: "ieee-p1363" }, Buffer.from(value, "base64url"));
}

/** Which of what is private shows in the state, its backups and its history, with secrets opened. */
export function privateInState(program: ChangingProgram, stack: Stack): string[] {
  const texts = [decryptedState(stack), ...stateFiles(stack)];
  const shown = program.canaries.filter((canary) => texts.some((text) => text.includes(canary)));
  return shown.length > 0 ? [`${shown.length} pieces of private material stand in state`] : [];
}

function differences(what: string, names: string[], objects: ChangingObject[]): string[] {
  const expected = objects.map(({ name }) => name);
  const missing = expected.filter((name) => !names.includes(name));
  const extra = names.filter((name) => !expected.includes(name));
  return [
    ...(missing.length > 0 ? [`${what} lack ${missing.join(", ")}`] : []),
    ...(extra.length > 0 ? [`${what} have ${extra.join(", ")} too many`] : []),
  ];
}

/** Last parts of the ids of all pages. */
async function listed({ url, token }: Emulator, path: string): Promise<string[]> {
  const ids: string[] = [];
  let next: string | undefined = `${url}${path}?api-version=7.4`;
  while (next) {
    const answer: Response = await fetch(next, { headers: { authorization: `Bearer ${token}` } });
    if (!answer.ok) throw new Error(`GET ${path} was answered with ${answer.status}`);
    const page = (await answer.json()) as { value: { kid?: string; id?: string }[]; nextLink?: string };
    ids.push(...page.value.map(({ kid, id }) => (kid ?? id ?? "").split("/").at(-1) ?? ""));
    next = page.nextLink;
  }
  return ids;
}

function collectionOf(kind: ChangingObject["kind"]): "keys" | "secrets" {
  return kind === "secret" ? "secrets" : "keys";
}

function versionOf({ key, id }: Found): string | undefined {
  return (key?.kid ?? id)?.split("/").at(-1);
}

function publicKey({ key }: Found): string[] {
  return [key?.n ?? "", key?.x ?? "", key?.y ?? ""];
}

function publicOf(key: KeyObject): string[] {
  const { n = "", x = "", y = "" } = createPublicKey(key).export({ format: "jwk" });
  return [n, x, y];
}

function digest(text = ""): string {
  return createHash("sha256").update(text).digest("hex").slice(0, 12);
}

function sorted(tags: Record<string, string>): [string, string][] {
  return Object.entries(tags).sort(([a], [b]) => (a < b ? -1 : 1));
}
