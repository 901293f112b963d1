import { mkdir, rm } from "node:fs/promises";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { type Emulator, startEmulator } from "../../emulator/index.js";
import { runCommand } from "../cli/command-line.js";
import { askedOperations } from "../emulator/asked-requests.js";
import { ecKey, rsaKey } from "./demo-keys.js";
import { DOORS, type PreviewStep, type Run, Stack } from "./stack.js";
import { call, settingsFor } from "./vault-by-hand.js";
import { snapshot, type VaultSnapshot } from "./vault-snapshot.js";

const material = { rsa: rsaKey(), ec: ecKey(), wrapped: ecKey("secp384r1") };
const { kty, crv, x, y, d } = material.ec.jwk;

/** What each resource of the program says in one run. Its name in the vault is its own, where a row says nothing of it. */
type Rows = Record<string, string>;

/** Each is what a program says first, and in another spelling of the same afterwards. */
const SPELLINGS: Record<string, [before: string, after: string]> = {
  "exchange-key": [
    'Key { generate: { keyType: "RSA-HSM" }, keyOps: ["import"] }',
    'Key { keyOps: ["import"], generate: { keepers: {}, keySize: 2048, keyType: "RSA-HSM" } }',
  ],
  "exchange-key-sized": [
    'Key { generate: { keyType: "RSA-HSM", keySize: 2048 }, keyOps: ["import"] }',
    'Key { generate: { keyType: "RSA-HSM" }, keyOps: ["import"] }',
  ],
  curve: ['Key { generate: { keyType: "EC" } }', 'Key { generate: { curve: "P-256", keyType: "EC" }, enabled: true }'],
  size: [
    'Key { generate: { keyType: "RSA", keySize: 2048 }, tags: { a: "1", b: "2" } }',
    'Key { tags: { b: "2", a: "1" }, generate: { keyType: "RSA" } }',
  ],
  operations: [
    'Key { generate: { keyType: "EC" }, keyOps: ["sign", "verify"] }',
    'Key { generate: { keyType: "EC" }, keyOps: ["verify", "sign"] }',
  ],
  policy: [
    'Key { generate: { keyType: "EC" }, rotationPolicy: { expireAfter: "P1Y", rotateAfter: "P90D" } }',
    'Key { generate: { keyType: "EC" }, rotationPolicy: { rotateAfter: "P90D", expireAfter: "P1Y" } }',
  ],
  jwk: [
    `Key { import: { jwk: ${JSON.stringify({ kty, crv, x, y, d })} } }`,
    `Key { import: { jwk: ${JSON.stringify({ d, y, x, crv, kty })} } }`,
  ],
  "drawn-secret": [
    "Secret { generate: { length: 20 } }",
    "Secret { generate: { keepers: {}, length: 20 }, enabled: true }",
  ],
  moment: [
    'Key { generate: { keyType: "EC" }, expiresOn: "2090-01-01T00:00:00Z" }',
    'Key { generate: { keyType: "EC" }, expiresOn: "2090-01-01T01:00:00+01:00" }',
  ],
  past: [
    'Key { generate: { keyType: "EC" }, expiresOn: "2001-02-03T04:05:06Z" }',
    'Key { generate: { keyType: "EC" }, expiresOn: "2001-02-03T04:05:06.999Z" }',
  ],
  // Material that OpenSSL reads, in one form and in another.
  "other-label": ['Key { import: { file: "pkcs1.pem" } }', 'Key { import: { file: "pkcs8.pem" } }'],
  "sec1-label": ['Key { import: { file: "sec1-other-label.pem" } }', 'Key { import: { file: "sec1.pem" } }'],
  escaped: ['Key { import: { env: "ESCAPED_TWICE" } }', 'Key { import: { file: "sec1.pem" } }'],
  transferred: [
    'Key { import: { file: "wrapped.byok", keyType: "EC-HSM", curve: "P-384" } }',
    'Key { import: { curve: "P-384", keyType: "EC-HSM", file: "wrapped.byok" } }',
  ],
  adopted: ["Key { adopt: true }", "Key { adopt: true }"],
  "adopted-secret": [
    'Secret { adopt: true, contentType: "text/plain" }',
    'Secret { contentType: "text/plain", adopt: true }',
  ],
};
const NAMES = Object.keys(SPELLINGS);
const ADOPTED = ["adopted", "adopted-secret"];

const rows = (which: 0 | 1): Rows =>
  Object.fromEntries(Object.entries(SPELLINGS).map(([name, spellings]) => [name, spellings[which]]));
const declared = (all: Rows): string =>
  Object.entries(all)
    .map(([name, row]) =>
      row.replace(/^(\w+) \{/, (_all, type) => `new keyvault.${type}("${name}", { name: "${name}",`),
    )
    .map((text) => `${text});`)
    .join("\n");
/** The lines of a run's text, or of its JSON, that contain something. */
const linesOf = (text: string, part: string): string[] =>
  text
    .replaceAll('\\"', '"')
    .split(/\n|\\n/)
    .filter((line) => line.includes(part))
    .map((line) => line.trim().slice(0, 600));
/** Its name follows from the URN. */
const unnamed =
  'const unnamed = new keyvault.Key("unnamed", { generate: { keyType: "EC" } });\nexports.unnamed = unnamed.name;';

describe.each(DOORS)("a program in other words, on the real engine (%s)", (door) => {
  let vault: Emulator;
  let stack: Stack;
  let first: VaultSnapshot;
  let second: VaultSnapshot;
  let drift: Awaited<ReturnType<Stack["drift"]>>;
  let refreshed: Run;
  let requests: string[];
  let unknown: { run: Run; steps: PreviewStep[] };
  let automatic: string;

  beforeAll(async () => {
    vault = await startEmulator();
    const settings = settingsFor(vault);
    const sec1 = material.ec.key.export({ type: "sec1", format: "pem" }).toString();
    stack = await Stack.create({
      door,
      program: `${declared(rows(0))}\n${unnamed}`,
      ...settings,
      env: { ...settings.env, ESCAPED_TWICE: sec1.replaceAll("\n", "\\\\n"), A_VALUE: "a value" },
    });
    const pkcs1 = material.rsa.key.export({ type: "pkcs1", format: "pem" }).toString();
    await stack.file("pkcs1.pem", pkcs1.replaceAll("RSA PRIVATE KEY", "PRIVATE KEY"));
    await stack.file("pkcs8.pem", material.rsa.pkcs8);
    await stack.file("sec1.pem", sec1);
    await stack.file("sec1-other-label.pem", sec1.replaceAll("EC PRIVATE KEY", "PRIVATE KEY"));
    await stack.file("wrapped.pem", material.wrapped.pkcs8);
    await call(vault, "POST", "/keys/kek/create", { kty: "RSA-HSM", key_ops: ["import"] });
    const env = { KEYVAULT_CREDENTIAL: "token", KEYVAULT_TOKEN: vault.token };
    const args = ["byok", "--key", "wrapped.pem", "--kek", `${vault.url}/keys/kek`, "--out", "wrapped.byok"];
    expect(await runCommand(args, { cwd: stack.folder, env })).toMatchObject({ exitCode: 0 });
    await call(vault, "POST", "/keys/adopted/create", { kty: "EC", tags: { by: "hand" } });
    await call(vault, "PUT", "/secrets/adopted-secret", { value: "theirs", contentType: "text/plain" });

    await stack.up();
    automatic = String((await stack.outputs()).unnamed);
    first = await snapshot(vault);
    // An incident: somebody disables what the program only adopts, without the words for it.
    for (const path of ["/keys/adopted", "/secrets/adopted-secret"]) {
      await call(vault, "PATCH", `${path}/${first.held.get(path.split("/")[2] ?? "")?.versions[0]}`, {
        attributes: { enabled: false },
      });
    }
    drift = await stack.drift();
    vault.requests.clear();
    await stack.program(`${declared(rows(1))}\n${unnamed}`);
    refreshed = await stack.up("--refresh");
    requests = askedOperations(vault);
    second = await snapshot(vault);
  }, 600_000);
  afterAll(async () => {
    await stack?.remove();
    await vault?.close();
  });

  it.each(NAMES)("says the same of %s, which stays as it is", (name) => {
    expect(first.held.get(name)?.versions).toHaveLength(1);
    const enabled = ADOPTED.includes(name) ? { enabled: false } : {};
    const changed = ADOPTED.includes(name) ? { updatedOn: expect.any(Number) } : {};
    expect(second.held.get(name)).toEqual({ ...first.held.get(name), ...enabled, ...changed });
  });

  it("asks for nothing but reads where it says the same in other words", () => {
    expect(requests.filter((operation) => !operation.startsWith("get"))).toEqual([]);
    expect(refreshed.text).not.toMatch(/\d+ (updated|to update|replaced|created)/);
  });

  it("is not drifted by what the service sets by itself, nor by what it leaves to the vault", () => {
    expect(drift.properties).toEqual({});
    expect(drift.run.exitCode, drift.run.text).toBe(0);
  });

  it("leaves what somebody disabled in an incident disabled, and tells it apart", () => {
    for (const label of ['key "adopted" in ', 'secret "adopted-secret" in ']) {
      for (const { text } of [drift.run, refreshed]) {
        expect(linesOf(text, label)).toContainEqual(
          expect.stringMatching(/: enabled changed .* \(changed, not managed\)/),
        );
      }
    }
  });

  it("is previewed without the material where the vault is not known yet, and replaces nothing", async () => {
    const sources = {
      key: 'Key { import: { file: "pkcs8.pem" }, vaultUrl }',
      secret: 'Secret { value: { env: "A_VALUE" }, vaultUrl }',
    };
    const keySet = 'new keyvault.KeySet("set", { import: { folder: "set" }, vaultUrl });';
    const known = "const vaultUrl = new pulumi.Config('keyvault').require('vaultUrl');";
    const late = `${known.replace("vaultUrl", "url")}
      const anchor = new keyvault.Key("anchor", { name: "anchor", generate: { keyType: "EC" } });
      const vaultUrl = anchor.version.apply(() => url);`;
    const folder = join(stack.folder, "set");
    await mkdir(folder);
    await stack.file("set/of-set.pem", material.ec.pkcs8);
    const all = `${declared(rows(1))}\n${unnamed}`;
    await stack.program(`${known}\n${all}\n${declared(sources)}\n${keySet}`);
    await stack.up();
    const { A_VALUE: _value, ESCAPED_TWICE: _escaped, ...without } = stack.env;
    const pipeline = Object.assign(Object.create(Object.getPrototypeOf(stack)), stack, { env: without }) as Stack;
    await rm(folder, { recursive: true });
    for (const file of ["pkcs1.pem", "pkcs8.pem", "sec1.pem", "sec1-other-label.pem", "wrapped.byok"])
      await rm(join(stack.folder, file));
    await stack.program(`${late}\n${all}\n${declared(sources)}\n${keySet}`);
    unknown = await pipeline.preview();
    expect(unknown.run.exitCode, unknown.run.text).toBe(0);
    const steps = unknown.steps.map(({ op, urn }) => [urn.split("::").at(-1), op]);
    expect(steps).toContainEqual(["anchor", "create"]);
    expect(steps.filter(([, op]) => op?.includes("replace"))).toEqual([]);
  });

  it("is told how to have a deleted key back whose name follows from a stack that was renamed, and has it back", async () => {
    const [version] = first.held.get(automatic.toLowerCase())?.versions ?? [];
    await stack.pulumi("stack", "rename", "renamed");
    await call(vault, "DELETE", `/keys/${automatic}`);
    await stack.program(unnamed);
    const { run } = await stack.drift();
    expect(run.exitCode).toBe(7);
    const [line] = linesOf(run.text, `key "${automatic}" in `);
    expect(line).toMatch(/is soft-deleted since .*the stack or resource was renamed.*, name it to have it back/);
    await stack.program(unnamed.replace('"unnamed", {', `"unnamed", { name: "${automatic}",`));
    const { text } = await stack.up("--refresh");
    expect((await snapshot(vault)).held.get(automatic.toLowerCase())?.versions).toEqual([version]);
    // What this very run has deleted is nobody else's doing.
    const told = linesOf(text, " is soft-deleted").filter((each) => !each.includes(automatic));
    expect(told).toEqual([]);
  });
});
