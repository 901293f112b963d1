import { readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { type Emulator, startEmulator } from "../../emulator/index.js";
import { runCommand } from "../cli/command-line.js";
import { askedOperations } from "../emulator/asked-requests.js";
import { pfxOf, threePrimes } from "../material/odd-material.js";
import { ecKey, rsaKey } from "./demo-keys.js";
import { DOORS, Stack } from "./stack.js";
import { call, settingsFor } from "./vault-by-hand.js";

const made = 'generate: { keyType: "EC" }';

/** Keys of one set: what is wrong with each is told in one preview, as of a Key by the same check. */
const OF_SET: Record<string, [entry: string, told: RegExp]> = {
  weeks: [
    `{ ${made}, rotationPolicy: { expireAfter: "P52W" } }`,
    /expireAfter must be an ISO 8601 duration .* write P364D/,
  ],
  order: [
    `{ ${made}, notBefore: "2090-01-02T00:00:00Z", expiresOn: "2090-01-01T00:00:00Z" }`,
    /notBefore: must not be after expiresOn/,
  ],
  zone: [`{ ${made}, expiresOn: "2090-01-01T00:00:00" }`, /expiresOn: .*has no zone; add Z for UTC/],
  calendar: [`{ ${made}, expiresOn: "2027-02-31T00:00:00Z" }`, /expiresOn: .*no such day in the calendar/],
  operation: [`{ ${made}, keyOps: ["encrypt"] }`, /keyOps: a key of type EC has no encrypt/],
  list: ['{ import: { file: "list.json" } }', /this is a list in JSON: give one JWK of it/],
  primes: ['{ import: { file: "primes.der" } }', /RSA key of more than two primes/],
  pfx: ['{ import: { file: "two.pfx" } }', /2 different private keys in it: give one/],
  home: ['{ import: { file: "~/orders.pem" } }', /a path does not expand ~/],
};

/** The engine stops at the first resource that is refused, and that one says all that is wrong with it. */
const PROGRAMS: [title: string, program: string, told: RegExp[]][] = [
  [
    "a set of keys",
    `new keyvault.KeySet("set", { keys: { ${Object.entries(OF_SET).map(([name, [entry]]) => `${name}: ${entry}`)} } });`,
    Object.entries(OF_SET).map(([name, [, told]]) => new RegExp(`"${name}".*(?:${told.source})`)),
  ],
  [
    "a key with much that is wrong",
    `new keyvault.Key("k", { vaultUrl: "", enabled: "yes", keyOps: ["encrypt", "fly"],
      rotationPolicy: { rotateAfter: "P1W" }, expiresOn: "2090-01-01" }, {});`,
    [
      /vaultUrl is empty: name the vault, or leave vaultUrl out/,
      /a key needs one source: import, generate, restore or adopt/,
      /enabled: must be true or false/,
      /keyOps: /,
      /rotateAfter must be an ISO 8601 duration .* write P7D/,
      /expiresOn: .*is a day, which begins at another moment in each zone/,
    ],
  ],
  [
    "a key that is adopted and has no name",
    'new keyvault.Key("k", { adopt: true });',
    [/name is needed to adopt: which key/],
  ],
  ["a key without arguments", 'new keyvault.Key("k");', [/a key needs one source: import, generate, restore or adopt/]],
  [
    "a secret that is adopted and has no name",
    'new keyvault.Secret("s", { adopt: true });',
    [/name is needed to adopt: which secret/],
  ],
  [
    "a backup of no key",
    'new keyvault.KeyBackup("b", {});',
    // The TypeScript class knows that a Key can be given instead.
    [/there is nothing to back up: give a Key of the program|name is needed: which key it is/],
  ],
  [
    "a secret without a value",
    'new keyvault.Secret("s", { expiresOn: "2027-02-31T00:00:00Z", vaultUrl: "embedded:" });',
    [/a secret needs one source: value, generate, restore or adopt/, /no such day/, /"embedded:" needs a file/],
  ],
  [
    "a backup of what is no glob",
    'new keyvault.VaultBackup("v", { keys: "[", to: { folder: "~/backups" }, vaultUrl: "embedded:~/dev.vault" });',
    [
      /keys: must be .*, and item 1 \(text of 1 character/,
      /to: a shell reads ~, a program does not/,
      /vaultUrl: a shell reads ~, a program does not/,
    ],
  ],
];

describe.each(DOORS)("a program that a preview refuses, on the real engine (%s)", (door) => {
  let vault: Emulator;
  let stack: Stack;

  beforeAll(async () => {
    vault = await startEmulator();
    const { config, env } = settingsFor(vault);
    stack = await Stack.create({
      door,
      program: "",
      config: { ...config, "keyvault:vault-url": "https://misspelled.vault.azure.net" },
      env,
    });
    await stack.file("list.json", JSON.stringify([ecKey().jwk]));
    await writeFile(join(stack.folder, "primes.der"), threePrimes());
    await writeFile(join(stack.folder, "two.pfx"), pfxOf(rsaKey().key, ecKey().key));
  });
  afterAll(async () => {
    await stack?.remove();
    await vault?.close();
  });

  it("because of a setting that there is not is told the nearest one, and not its value", async () => {
    await stack.program(`new keyvault.Key("k", { ${made} });`);
    const { exitCode, text } = await stack.pulumi("preview");
    expect(exitCode).not.toBe(0);
    expect(text).toMatch(/KV_INVALID_INPUT: keyvault:vault-url is no setting; did you mean keyvault:vaultUrl\?/);
    expect(text).not.toContain("misspelled");
    await stack.pulumi("config", "rm", "keyvault:vault-url");
  });

  it.each(PROGRAMS)("because of %s is told all that is wrong, with codes", async (_title, program, told) => {
    await stack.program(program);
    const { exitCode, text } = await stack.pulumi("preview");
    expect(exitCode).not.toBe(0);
    const lines = text.slice(text.indexOf("Diagnostics:")).replaceAll('\\"', '"');
    for (const each of told) expect(lines).toMatch(new RegExp(`KV_[A-Z_]+: (?!KV_).*(?:${each.source})`));
    expect(lines).not.toMatch(/TypeError|ENOENT|\n +at /);
    expect(askedOperations(vault).filter((operation) => !operation.startsWith("get"))).toEqual([]);
  });

  it("is refused by the run where only the vault or its file can tell, each resource by itself", async () => {
    await call(vault, "POST", "/keys/orders-1/create", { kty: "EC" });
    await stack.file("notes.txt", "notes ".repeat(200));
    const { blob, wrapped } = await embeddedVault(stack);
    await stack.program(`
      const backup = (name, rest) => new keyvault.VaultBackup(name, { keys: "ordrs-*", ...rest });
      backup("typo"); backup("empty", { allowEmpty: true });
      const inVault = (name, vaultUrl, rest = { ${made} }) => new keyvault.Key(name, { name, vaultUrl, ...rest });
      inVault("notes", "embedded:./notes.txt");
      inVault("missing", "embedded:./missing/dev.vault");
      inVault("folder", "embedded:.");
      inVault("copy", "embedded:./dev.vault", { restore: { blob: "${blob}" } });
      inVault("transferred", "embedded:./dev.vault", { import: { file: "${wrapped}", keyType: "EC-HSM", curve: "P-256" } });`);
    const { exitCode, text } = await stack.tryUp("--continue-on-error");
    expect(exitCode).not.toBe(0);
    const told: Record<string, RegExp> = {
      typo: /KV_NOT_FOUND: \S+ was not backed up, keys "ordrs-\*": it matches nothing in the vault/,
      notes: /KV_INVALID_INPUT: .*notes\.txt/,
      missing: /KV_INVALID_INPUT: .*missing/,
      folder: /KV_INVALID_INPUT: /,
      copy: /KV_INVALID_INPUT: restore key "copy" in embedded:\S*dev\.vault .*already holds/,
    };
    for (const [name, reason] of Object.entries(told)) expect(errorOf(text, name), text).toMatch(reason);
    expect(text).not.toMatch(/TypeError|ENOENT|\n +at |KV_[A-Z_]+: KV_/);
    expect(errorOf(text, "copy")).not.toMatch(/127\.0\.0\.1|localhost/);
    const kept = await stack.resources();
    expect(kept.map(({ urn }) => urn.split("::").at(-1))).toEqual(expect.arrayContaining(["empty", "transferred"]));
    expect((await stack.resource("empty")).outputs).toMatchObject({ covered: { keys: {} } });
  });
});

/** What the run says of one resource at its end. */
function errorOf(text: string, name: string): string {
  const [, diagnostics = ""] = text.split("\nDiagnostics:\n");
  return diagnostics.split("\n\n").find((block) => block.includes(` (${name}):`)) ?? "";
}

/** An embedded vault that holds a key, the backup of it, and a transfer blob whose exchange key has the vault's own id. */
async function embeddedVault({ folder }: Stack): Promise<{ blob: string; wrapped: string }> {
  const embedded = await startEmulator({ store: join(folder, "dev.vault") });
  await call(embedded, "POST", "/keys/kek/create", { kty: "RSA-HSM", key_ops: ["import"] });
  await call(embedded, "POST", "/keys/held/create", { kty: "EC" });
  const { value } = (await call(embedded, "POST", "/keys/held/backup")) as { value: string };
  await embedded.close();
  await writeFile(join(folder, "wrapped.pem"), ecKey().pkcs8);
  const args = ["byok", "--key", "wrapped.pem", "--kek", "embedded:./dev.vault/keys/kek", "--out", "wrapped.byok"];
  expect(await runCommand(args, { cwd: folder })).toMatchObject({ exitCode: 0 });
  expect(await readFile(join(folder, "wrapped.byok"), "utf8")).toMatch(/"kid": ?"embedded:/);
  return { blob: value, wrapped: "wrapped.byok" };
}
