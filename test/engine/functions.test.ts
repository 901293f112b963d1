import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { type Emulator, startEmulator } from "../../emulator/index.js";
import { askedRequests } from "../emulator/asked-requests.js";
import { decryptedState, stateFiles } from "./decrypted-state.js";
import { ecKey } from "./demo-keys.js";
import { DOORS, type Door, type Run, Stack } from "./stack.js";
import { call } from "./vault-by-hand.js";

const VALUE = "a value that nothing keeps: 5b0c77e1";

/** The lists of a vault: page by page in TypeScript, whole ones through the plugin. */
const LISTS: Record<Door, string> = {
  dynamic: `
    const all = async (list, member = "name") => {
      const found = [];
      for await (const item of list) found.push(item[member]);
      return found;
    };
    exports.lists = read.version.apply(async () => ({
      keys: await all(keyvault.listKeys()),
      versions: await all(keyvault.listKeyVersions(undefined, "orders"), "version"),
      deletedKeys: await all(keyvault.listDeletedKeys()),
      secrets: await all(keyvault.listSecrets()),
      deletedSecrets: await all(keyvault.listDeletedSecrets()),
    }));`,
  plugin: `
    const all = (list, member = "name") => list.apply((items) => items.map((item) => item[member]));
    exports.lists = {
      keys: all(keyvault.listKeysOutput({}).keys),
      versions: all(keyvault.listKeyVersionsOutput({ name: "orders" }).versions, "version"),
      deletedKeys: all(keyvault.listDeletedKeysOutput({}).keys),
      secrets: all(keyvault.listSecretsOutput({}).secrets),
      deletedSecrets: all(keyvault.listDeletedSecretsOutput({}).secrets),
    };`,
};

describe.each(DOORS)("functions of a program (%s)", (door) => {
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
    for (const kind of ["key", "secret"]) {
      await call(vault, "PUT", `/${kind}s/deleted-${kind}`, kind === "key" ? { key: ecKey().jwk } : { value: "v" });
      await call(vault, "DELETE", `/${kind}s/deleted-${kind}`);
    }
    vault.requests.clear();
    stack = await Stack.create({
      door,
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

  it("hand a value on as a secret, and list what there is", async () => {
    await stack.program(program(`exports.value = value; ${LISTS[door]}`));
    ran(await stack.up());
    expect(printed.filter((text) => text.includes(VALUE))).toEqual([]);
    expect(stateFiles(stack).filter((text) => text.includes(VALUE))).toEqual([]);
    const { value, lists, metadata: _metadata, ...facts } = await stack.outputs();
    expect(value).toBe(VALUE);
    expect(lists).toEqual({
      keys: ["orders"],
      versions: [(await stack.resource("orders", "Key")).outputs?.version],
      deletedKeys: ["deleted-key"],
      secrets: ["db"],
      deletedSecrets: ["deleted-secret"],
    });
    expect(facts).toEqual({ facts: ["EC", "P-256"], length: VALUE.length });
  });

  it("fail with code and remedy, and without a stack", async () => {
    await stack.program(`keyvault.getKeyOutput({ name: "nobody" }); keyvault.getSecret({ name: "a_b" });`);
    const { exitCode, text } = await stack.pulumi("preview");
    expect(exitCode).not.toBe(0);
    expect(text).toMatch(/KV_NOT_FOUND: key "nobody" in \S+ is not there/);
    expect(text).toMatch(/KV_INVALID_INPUT: getSecret is refused: that is no name of a secret/);
    // That of Pulumi's own call of a plugin is Pulumi's.
    if (door === "dynamic") expect(text).not.toMatch(/^\s+at /m);
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
