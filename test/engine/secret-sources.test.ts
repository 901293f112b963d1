import { rm } from "node:fs/promises";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { type Emulator, startEmulator } from "../../emulator/index.js";
import { decryptedState, stateFiles } from "./decrypted-state.js";
import { type Run, Stack } from "./stack.js";
import { call, settingsFor } from "./vault-by-hand.js";

const FROM_ENV = "the value of the environment: 88b1e2";
const FROM_FILE = "the value of the file: c07d41";

const program = (year: string): string => `
  const config = new pulumi.Config();
  const fromEnv = new keyvault.Secret("from-env", { name: "from-env", value: { env: "DB_PASSWORD" } });
  const fromFile = new keyvault.Secret("from-file", { name: "from-file", value: { file: "db.password" } });
  const made = new keyvault.Secret("made", {
    name: "made",
    generate: { length: 32, keepers: { year: ${JSON.stringify(year)} } },
    previousVersions: "disable",
  });
  const inventory = new keyvault.SecretInventory("vault", { expect: [fromEnv, fromFile, made] });
  exports.unmanaged = inventory.unmanaged;
  exports.count = inventory.count;`;

describe("secrets whose values the engine never has", () => {
  let vault: Emulator;
  let stack: Stack;
  const printed: string[] = [];
  const values = new Set([FROM_ENV, FROM_FILE]);
  const ran = (run: Run): Run => {
    printed.push(run.text);
    return run;
  };
  const valueIn = async (name: string): Promise<string> => Object(await call(vault, "GET", `/secrets/${name}`)).value;
  const made = async (): Promise<string> => {
    const value = await valueIn("made");
    values.add(value);
    return value;
  };
  const enabled = async (): Promise<boolean[]> => {
    const { value } = Object(await call(vault, "GET", "/secrets/made/versions"));
    return Object.values(value as { attributes: { created: number; enabled: boolean } }[])
      .sort((a, b) => a.attributes.created - b.attributes.created)
      .map(({ attributes }) => attributes.enabled);
  };
  const permit = (secrets: string[] | undefined): void =>
    vault.vault("emulator").configure({
      permissions: secrets && { model: "rbac", principals: { [vault.token]: { keys: ["list", "get"], secrets } } },
    });

  beforeAll(async () => {
    vault = await startEmulator();
    const { config, env } = settingsFor(vault);
    stack = await Stack.create({ program: program("2027"), config, env: { ...env, DB_PASSWORD: FROM_ENV } });
    await stack.file("db.password", FROM_FILE);
  });
  afterAll(async () => {
    await stack?.remove();
    await vault?.close();
  });

  it("are set from where the program says, and an inventory knows them", async () => {
    ran(await stack.pulumi("preview", "--diff"));
    ran(await stack.up());
    expect([await valueIn("from-env"), await valueIn("from-file")]).toEqual([FROM_ENV, FROM_FILE]);
    expect(await made()).toMatch(/^[0-9A-Za-z]{32}$/);
    expect(await stack.outputs()).toEqual({ unmanaged: [], count: 3 });
  });

  it("are clean in a pipeline that has none of them", async () => {
    delete stack.env.DB_PASSWORD;
    await rm(join(stack.folder, "db.password"));
    const { run, properties } = await stack.drift();
    expect(properties).toEqual({});
    expect(run.exitCode).toBe(0);
  });

  it("are generated anew for other keepers alone, which the preview says, and the version before is disabled", async () => {
    const before = await made();
    vault.clock.advance(2_000);
    await stack.program(program("2028"));
    const previewed = ran(await stack.pulumi("preview", "--diff"));
    expect(previewed.text).toContain(`secret "made" in ${vault.url} gets a new generated value`);
    expect(previewed.text).toMatch(/year\s*: "2027" => "2028"/);
    expect(await valueIn("made")).toBe(before);
    ran(await stack.up());
    expect(await made()).not.toBe(before);
    expect(await enabled()).toEqual([false, true]);
    expect((await stack.drift()).properties).toEqual({});
  });

  it("are taken as an interrupted run has made them", async () => {
    const exported = (await stack.pulumi("stack", "export")).stdout;
    const file = await stack.file("before.json", exported);
    vault.clock.advance(2_000);
    await stack.program(program("2029"));
    ran(await stack.up());
    const value = await made();
    expect((await stack.pulumi("stack", "import", "--file", file)).exitCode).toBe(0);
    ran(await stack.up());
    expect(await made()).toBe(value);
    expect(await enabled()).toEqual([false, false, true]);
  });

  it("are told to a reader who may list and not read: nothing first, then a version that somebody made", async () => {
    permit(["list"]);
    const clean = await stack.drift();
    expect(clean.properties).toEqual({});
    expect(clean.run.exitCode).toBe(0);
    permit(undefined);
    vault.clock.advance(2_000);
    const foreign = "a value that somebody set: 5f3c90";
    values.add(foreign);
    await call(vault, "PUT", "/secrets/made", { value: foreign });
    permit(["list"]);
    const drifted = await stack.drift();
    printed.push(drifted.run.text);
    expect(drifted.properties).toEqual({ "Secret made": ["version"] });
    expect(drifted.run.text).toMatch(/version [0-9a-f]{32} was made outside, and its value was not compared/);
    permit(undefined);
  });

  it("are told as changed to who may read, and a generated one gets a new value", async () => {
    const drifted = await stack.drift();
    printed.push(drifted.run.text);
    expect(drifted.properties).toEqual({ "Secret made": ["valueDigest"] });
    ran(await stack.up("--refresh"));
    expect(await made()).toMatch(/^[0-9A-Za-z]{32}$/);
    expect((await enabled()).filter(Boolean)).toHaveLength(1);
    expect((await stack.drift()).properties).toEqual({});
  });

  it("are told by the inventory where somebody added one", async () => {
    await call(vault, "PUT", "/secrets/rogue", { value: "by hand" });
    expect((await stack.drift()).properties).toEqual({ "SecretInventory vault": ["drift.rogue"] });
  });

  it("are in no state, file or line that was printed, and their digests in none in the clear", () => {
    const texts = [...printed, decryptedState(stack), ...stateFiles(stack)];
    expect([...values].filter((value) => texts.some((text) => text.includes(value)))).toEqual([]);
    expect(stateFiles(stack).filter((text) => text.includes("scrypt:"))).toEqual([]);
    expect(texts.filter((text) => /DB_PASSWORD|db\.password/.test(text))).toEqual([]);
  });
});
