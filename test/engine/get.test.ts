import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { type Emulator, startEmulator } from "../../emulator/index.js";
import { DOORS, Stack } from "./stack.js";
import { call, requestCounts, settingsFor } from "./vault-by-hand.js";

describe.each(DOORS)("what others manage, read by .get (%s)", (door) => {
  let vault: Emulator;
  let stack: Stack;

  const get = (type: string, name: string): string =>
    `keyvault.${type}.get("${name}", "${vault.url}/${type.toLowerCase()}s/${name}")`;
  const refused = async (program: string): Promise<string> => {
    await stack.program(program);
    const run = await stack.pulumi("preview");
    expect(run.exitCode).not.toBe(0);
    return run.text.replace(/\s+/g, " ");
  };

  beforeAll(async () => {
    vault = await startEmulator();
    await call(vault, "POST", "/keys/theirs/create", { kty: "EC", crv: "P-384", tags: { by: "hand" } });
    await call(vault, "POST", "/keys/of-certificate/create", { kty: "EC" });
    await call(vault, "PUT", "/secrets/theirs", { value: "their value", contentType: "text/plain" });
    await call(vault, "PUT", "/secrets/of-certificate", { value: "their value" });
    for (const kind of ["keys", "secrets"] as const) vault.vault("emulator").giveToCertificate(kind, "of-certificate");
    stack = await Stack.create({ door, program: "", ...settingsFor(vault) });
  });
  afterAll(async () => {
    await stack?.remove();
    await vault?.close();
  });

  it("has its outputs, of what a certificate holds too, and neither writes nor shows a value", async () => {
    await stack.program(`
      const key = ${get("Key", "theirs")};
      const secret = ${get("Secret", "theirs")};
      const certified = [${get("Key", "of-certificate")}, ${get("Secret", "of-certificate")}];
      exports.key = pulumi.all([key.name, key.vaultUrl, key.curve, key.tags, key.keyOps]);
      exports.thumbprint = key.thumbprint;
      exports.secret = pulumi.all([secret.name, secret.contentType]);
      exports.versions = pulumi.all([key, secret, ...certified].map(({ version }) => version));`);
    vault.requests.clear();
    const run = await stack.up();
    expect(Object.keys(requestCounts(vault)).filter((operation) => !operation.startsWith("get"))).toEqual([]);
    const version = expect.stringMatching(/^[0-9a-f]{32}$/);
    expect(await stack.outputs()).toEqual({
      key: ["theirs", vault.url, "P-384", { by: "hand" }, ["sign", "verify"]],
      thumbprint: expect.stringMatching(/^[\w-]{43}$/),
      secret: ["theirs", "text/plain"],
      versions: [version, version, version, version],
    });
    expect(run.text + JSON.stringify(await stack.resources())).not.toContain("their value");
  });

  it("is no drift as it is, and is read anew when others change it", async () => {
    expect((await stack.drift()).run.exitCode).toBe(0);
    await call(vault, "PATCH", "/keys/theirs", { tags: { by: "another hand" } });
    await stack.up("--refresh");
    expect((await stack.outputs()).key).toMatchObject({ 3: { by: "another hand" } });
  });

  it("stays where it is when it leaves the program", async () => {
    await stack.program("");
    vault.requests.clear();
    await stack.up();
    expect(requestCounts(vault)).toEqual({});
  });

  it.each([
    ["Key", "key"],
    ["Secret", "secret"],
  ])("is refused in the preview where %s.get names nothing that is there", async (type, kind) => {
    expect(await refused(`${get(type, "missing")};`)).toContain(
      `KV_NOT_FOUND: ${kind} "missing" in ${vault.url} is not there to be read`,
    );
  });

  it("has the id that everybody else has, however the program writes it", async () => {
    await stack.program(`
      const key = keyvault.Key.get("spelled", "${vault.url}/keys/theirs/");
      const secret = keyvault.Secret.get("spelled", "${vault.url}/secrets/theirs/");
      exports.ids = [key.id, secret.id];
      exports.versions = pulumi.all([key.versionId, key.version, secret.versionId, secret.version]);`);
    await stack.up();
    const { ids, versions } = await stack.outputs();
    const [ofKey, keyVersion, ofSecret, secretVersion] = versions as string[];
    expect(ids).toEqual([`${vault.url}/keys/theirs`, `${vault.url}/secrets/theirs`]);
    expect(ofKey).toBe(`${vault.url}/keys/theirs/${keyVersion}`);
    expect(ofSecret).toBe(`${vault.url}/secrets/theirs/${secretVersion}`);
    expect((await stack.drift()).run.exitCode).toBe(0);
  });

  it("is refused in the preview by the id of a version", async () => {
    const text = await refused(
      `const { versionId } = ${get("Key", "theirs")};\nkeyvault.Key.get("version", versionId);`,
    );
    expect(text).toMatch(/KV_INVALID_INPUT: The id names a version.*getKeyVersion/);
  });
});
