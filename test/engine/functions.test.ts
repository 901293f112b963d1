import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { type Emulator, startEmulator } from "../../emulator/index.js";
import { askedRequests } from "../emulator/asked-requests.js";
import { decryptedState, stateFiles } from "./decrypted-state.js";
import { ecKey } from "./demo-keys.js";
import { type Run, Stack } from "./stack.js";

const VALUE = "a value that nothing keeps: 5b0c77e1";

describe("functions of a program", () => {
  let vault: Emulator;
  let stack: Stack;
  const printed: string[] = [];
  const ran = (run: Run): Run => {
    printed.push(run.text);
    return run;
  };

  const program = (more = "") => `
    const key = new keyvault.Key("orders", { name: "orders", generate: { keyType: "EC" } });
    const secret = new keyvault.Secret("db", { name: "db", value: process.env.SECRET_VALUE });
    const read = keyvault.getKeyOutput({ id: key.id });
    const byName = keyvault.getKeyVersionOutput({ name: key.name, version: read.version });
    const value = keyvault.getSecretOutput({ name: secret.name }).value;
    exports.facts = pulumi.all([read.keyType, byName.curve]);
    exports.length = pulumi.unsecret(value.apply((text) => text.length));
    exports.metadata = keyvault.getSecretMetadataOutput({ id: secret.id }).version;
    ${more}`;
  /** What the program asks: the resources' own requests are their lifecycle's. */
  const asked = () =>
    askedRequests(vault)
      .map(({ operation }) => operation)
      .sort();

  beforeAll(async () => {
    vault = await startEmulator();
    stack = await Stack.create({
      program: program(),
      config: { "keyvault:vaultUrl": vault.url, "keyvault:credential": "token" },
      env: { KEYVAULT_TOKEN: vault.token, SECRET_VALUE: VALUE },
    });
  });
  afterAll(async () => {
    await stack?.remove();
    await vault?.close();
  });

  it("wait in the first preview for what is still to be made: nothing is asked, and nothing fails", async () => {
    const { exitCode } = ran(await stack.pulumi("preview"));
    expect(exitCode).toBe(0);
    expect(asked()).toEqual([]);
  });

  it("read in the update what it has made", async () => {
    ran(await stack.up());
    expect(await stack.outputs()).toEqual({
      facts: ["EC", "P-256"],
      length: VALUE.length,
      metadata: expect.stringMatching(/^[0-9a-f]{32}$/),
    });
  });

  it("read in a preview too, with one request each, and make no difference", async () => {
    vault.requests.clear();
    const { exitCode } = ran(await stack.pulumi("preview", "--expect-no-changes"));
    expect(exitCode).toBe(0);
    expect(asked()).toEqual(["getKey", "getKey", "getSecret", "getSecretVersions"]);
  });

  it("leave no value in state, and none in what is printed", async () => {
    const opened = decryptedState(stack);
    expect(opened).toContain("orders");
    expect([opened, ...stateFiles(stack), ...printed].filter((text) => text.includes(VALUE))).toEqual([]);
  });

  it("hand a value on as a secret", async () => {
    await stack.program(program("exports.value = value;"));
    ran(await stack.up());
    expect(printed.filter((text) => text.includes(VALUE))).toEqual([]);
    expect(stateFiles(stack).filter((text) => text.includes(VALUE))).toEqual([]);
    expect(await stack.outputs()).toMatchObject({ value: VALUE });
  });

  it("fail with code and remedy, and without a stack", async () => {
    await stack.program(`keyvault.getKeyOutput({ name: "nobody" }); keyvault.getSecret({ name: "a_b" });`);
    const { exitCode, text } = await stack.pulumi("preview");
    expect(exitCode).not.toBe(0);
    expect(text).toMatch(/KV_NOT_FOUND: key "nobody" in \S+ is not there/);
    expect(text).toMatch(/KV_INVALID_INPUT: getSecret is refused: that is no name of a secret/);
    expect(text).not.toMatch(/^\s+at /m);
  });

  it("refuse the id of a version where a resource is to be read", async () => {
    await stack.program(`
      const { versionId } = keyvault.Key.get("orders", "${vault.url}/keys/orders");
      keyvault.Key.get("version", versionId);`);
    const { exitCode, text } = await stack.tryUp();
    expect(exitCode).not.toBe(0);
    expect(text).toMatch(/KV_INVALID_INPUT: The id names a version.*getKeyVersion/);
  });
});

describe("an import that is wrapped on its way", () => {
  let vault: Emulator;
  let stack: Stack;
  const program = (more = "") => `
    const kek = new keyvault.Key("kek", {
      name: "kek", generate: { keyType: "RSA-HSM", keySize: 2048 }, keyOps: ["import"],
    });
    const signing = new keyvault.Key("signing", { name: "signing", import: { file: "signing.pem", wrapWith: kek } });
    exports.facts = pulumi.all([signing.keyType, signing.thumbprint]);
    ${more}`;

  beforeAll(async () => {
    vault = await startEmulator();
    stack = await Stack.create({
      program: program(),
      config: { "keyvault:vaultUrl": vault.url, "keyvault:credential": "token" },
      env: { KEYVAULT_TOKEN: vault.token },
    });
    await stack.file("signing.pem", "no key");
  });
  afterAll(async () => {
    await stack?.remove();
    await vault?.close();
  });

  it("has its material checked in the preview that is still to make the exchange key", async () => {
    const refused = await stack.pulumi("preview");
    expect(refused.exitCode).not.toBe(0);
    expect(refused.text).toContain("KV_INVALID_KEY_MATERIAL");
    await stack.file("signing.pem", ecKey().pkcs8);
    expect((await stack.pulumi("preview")).exitCode).toBe(0);
    expect(askedRequests(vault)).toEqual([]);
  });

  it("is opened by the vault in the update that makes the exchange key, and leaves no trace of it in state", async () => {
    await stack.up();
    expect(await stack.outputs()).toMatchObject({ facts: ["EC-HSM", expect.stringMatching(/^[\w-]{43}$/)] });
    expect((await stack.drift()).run.exitCode).toBe(0);
    const { inputs, outputs } = await stack.resource("signing", "Key");
    expect(JSON.stringify([inputs, outputs])).not.toMatch(/kek|wrapWith|import|BEGIN/);
  });

  it("makes a new version for new material, wrapped again", async () => {
    const { outputs: before } = await stack.resource("signing", "Key");
    await stack.file("signing.pem", ecKey().pkcs8);
    await stack.up();
    const { outputs } = await stack.resource("signing", "Key");
    expect(outputs?.keyType).toBe("EC-HSM");
    expect(outputs?.version).not.toBe(before?.version);
  });

  it("is refused in the preview with a Key that is no exchange key", async () => {
    await stack.program(
      program(`new keyvault.Key("other", { name: "other", import: { file: "signing.pem", wrapWith: signing } });`),
    );
    const { exitCode, text } = await stack.pulumi("preview");
    expect(exitCode).not.toBe(0);
    expect(text).toMatch(
      /KV_INVALID_INPUT: import: wrapWith: key "signing" in \S+ cannot be used: it is of type EC-HSM/,
    );
  });
});
