import { describeValue } from "../provider/engine/described-value.js";
import { isRecord } from "../provider/engine/input-check.js";
import type { Properties } from "../provider/engine/lifecycle.js";
import { formatMoment } from "../provider/engine/moment.js";
import { type AskedVault, readReference, withoutVersion } from "../provider/functions/object-reference.js";
import type { UsedKey } from "../provider/functions/use-key.js";
import type { KeyVaultClient, PageOptions } from "../provider/keyvault/client.js";
import { KeyVaultError } from "../provider/keyvault/errors.js";
import { withoutOwnerTag } from "../provider/object/owner-tag.js";
import { listedVaultUrl, listing } from "../provider/vault/listing.js";
import type { NamedVersion } from "../provider/vault/object-address.js";
import { functionSchemas } from "./schema/function-schema.js";

/** By name: what a program of any language asks a vault past every resource. */
const FUNCTIONS: Readonly<Record<string, (args: Properties) => Promise<object>>> = {
  getKey: async (args) => {
    const { asked, vault } = namedObject("keys", "getKey", args);
    const { getKey } = await import("../provider/functions/get-key.js");
    return getKey(withoutVersion("keys", asked), vault);
  },
  getKeyVersion: async (args) => {
    const { asked, vault } = namedObject("keys", "getKeyVersion", args);
    if (asked.version === undefined) {
      throw new KeyVaultError("KV_INVALID_INPUT", "getKeyVersion is refused: no version is named", {
        hint: "give version, or a versioned id; getKey reads the current one.",
      });
    }
    const { getKey } = await import("../provider/functions/get-key.js");
    return getKey(asked, vault);
  },
  getSecret: async (args) => {
    const { asked, vault } = namedObject("secrets", "getSecret", args);
    return (await import("../provider/functions/get-secret.js")).getSecret(asked, vault);
  },
  getSecretMetadata: async (args) => {
    const { asked, vault } = namedObject("secrets", "getSecretMetadata", args);
    return (await import("../provider/functions/get-secret.js")).getSecretMetadata(asked, vault);
  },
  encrypt: async ({ plaintext, plaintextBase64url, iv, ...args }) =>
    (await uses()).encrypt(usedKey("encrypt", args), {
      ...args,
      plaintext: bytesOr(plaintext, plaintextBase64url),
      ...(iv === undefined ? {} : { iv: { base64url: iv } }),
    }),
  decrypt: async (args) => (await uses()).decrypt(usedKey("decrypt", args), args),
  sign: async (args) => (await uses()).sign(usedKey("sign", args), signed(args)),
  verify: async (args) => (await uses()).verify(usedKey("verify", args), { ...args, ...signed(args) }),
  wrapKey: async ({ keyToWrapBase64url, ...args }) =>
    (await uses()).wrapKey(usedKey("wrapKey", args), { ...args, keyToWrap: bytesOr(undefined, keyToWrapBase64url) }),
  unwrapKey: async (args) => (await uses()).unwrapKey(usedKey("unwrapKey", args), args),
  listKeys: async (args) => ({ keys: await listed(args, (client, call) => client.getKeys(call)) }),
  listKeyVersions: async (args) => {
    const { asked } = namedObject("keys", "listKeyVersions", args);
    return { versions: await listed(args, (client, call) => client.getKeyVersions(asked.name, call)) };
  },
  listDeletedKeys: async (args) => ({ keys: await listed(args, (client, call) => client.getDeletedKeys(call)) }),
  listSecrets: async (args) => ({ secrets: await listed(args, (client, call) => client.getSecrets(call)) }),
  listDeletedSecrets: async (args) => ({
    secrets: await listed(args, (client, call) => client.getDeletedSecrets(call)),
  }),
};

/** What is answered, and which of it is secret. */
export interface FunctionResult {
  values: Properties;
  secrets: ReadonlySet<string>;
}

/** @throws KeyVaultError */
export async function callFunction(token: string, args: Properties): Promise<FunctionResult> {
  const name = token.slice(token.lastIndexOf(":") + 1);
  const run = Object.hasOwn(FUNCTIONS, name) ? FUNCTIONS[name] : undefined;
  const schema = functionSchemas[name];
  if (run === undefined || schema === undefined) {
    throw new KeyVaultError("KV_INVALID_INPUT", `this version of the keyvault plugin has no function ${token}`, {
      hint: "install the version of pulumi-keyvault that the program's SDK was made with, or a newer one",
    });
  }
  checkArguments(name, args, Object.keys(schema.inputs));
  const secrets = Object.entries(schema.outputs).filter(([, output]) => output.secret);
  return { values: { ...(await run(args)) }, secrets: new Set(secrets.map(([output]) => output)) };
}

/** An argument that is passed over is one that the program believes in: another version, another vault, another caller. */
function checkArguments(name: string, args: Properties, known: readonly string[]): void {
  const given = Object.keys(args).filter((argument) => args[argument] !== undefined && args[argument] !== null);
  const strange = given.find((argument) => !known.includes(argument));
  if (strange !== undefined) {
    throw new KeyVaultError("KV_INVALID_INPUT", `${name} is refused: it takes no ${JSON.stringify(strange)}`, {
      hint: `known are ${known.join(", ")}; what a later SDK has needs a later pulumi-keyvault`,
    });
  }
  const { credential } = args;
  if (given.includes("credential") && typeof credential !== "string") {
    throw new KeyVaultError("KV_INVALID_INPUT", `${name} is refused: the credential is ${describeValue(credential)}`, {
      hint: "give the name of one, as keyvault:credential takes it",
    });
  }
}

const uses = () => import("../provider/functions/use-key.js");

function namedObject(collection: "keys" | "secrets", functionName: string, args: Properties) {
  const { vaultUrl, ...object } = readReference(collection, functionName, args);
  const vault: AskedVault = { vaultUrl: listedVaultUrl(vaultUrl), credential: credentialOf(args) };
  const asked: NamedVersion = { ...object, vaultUrl: vault.vaultUrl };
  return { asked, vault };
}

function usedKey(functionName: string, args: Properties): UsedKey {
  return { ...namedObject("keys", functionName, args), known: {} };
}

function credentialOf({ credential }: Properties): string | undefined {
  return typeof credential === "string" ? credential : undefined;
}

function bytesOr(text: unknown, base64url: unknown): unknown {
  if (base64url === undefined) return text;
  return text === undefined ? { base64url } : [text, base64url];
}

function signed({ algorithm, data, dataBase64url, digestBase64url }: Properties) {
  const given = bytesOr(data, dataBase64url);
  return {
    algorithm,
    ...(given === undefined ? {} : { data: given }),
    ...(digestBase64url === undefined ? {} : { digest: { base64url: digestBase64url } }),
  };
}

/** A line of a list, its moments written and without the owner tag. */
async function listed(
  args: Properties,
  list: (client: KeyVaultClient, options: PageOptions) => AsyncIterable<object>,
): Promise<Properties[]> {
  const { vaultUrl } = args;
  const lines: Properties[] = [];
  const vault = { vaultUrl: listedVaultUrl(vaultUrl), credential: credentialOf(args) };
  for await (const { id, ...line } of listing<object & { id?: unknown }>(vault, list)) lines.push(written(line));
  return lines;
}

function written(line: object): Properties {
  const entries = Object.entries(line).filter(([, value]) => value !== undefined);
  return Object.fromEntries(
    entries.map(([name, value]) => {
      if (value instanceof Date) return [name, formatMoment(value)];
      return name === "tags" && isRecord(value) ? [name, withoutOwnerTag(textsOf(value))] : [name, value];
    }),
  );
}

function textsOf(tags: Record<string, unknown>): Record<string, string> {
  return Object.fromEntries(Object.entries(tags).map(([name, value]) => [name, String(value)]));
}
