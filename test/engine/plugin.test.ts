import { randomUUID } from "node:crypto";
import { existsSync } from "node:fs";
import { readFile, writeFile } from "node:fs/promises";
import { delimiter, join } from "node:path";
import { afterAll, beforeAll, beforeEach, describe, expect, it, vi } from "vitest";
import { type Emulator, startEmulator } from "../../emulator/index.js";
import { kill, MARK, markedProcesses } from "../chaos/marked-processes.js";
import { type Run, Stack } from "./stack.js";
import { call, keyClient, requestCounts, settingsFor } from "./vault-by-hand.js";

const VALUE = "hunter2-very-secret";

describe("the plugin on the real engine", () => {
  let vault: Emulator;
  let stack: Stack;

  const text = (run: { text: string }): string => run.text.replace(/\s+/g, " ");

  beforeAll(async () => {
    vault = await startEmulator();
    vault.vault("emulator").configure({
      permissions: {
        principals: {
          "emulator-owner": { keys: ["*"], secrets: ["*"] },
          keys: { keys: ["*"] },
          secrets: { secrets: ["*"] },
        },
      },
    });
    const { config, env } = settingsFor(vault);
    const tokenOf = async (principal: string) =>
      (await vault.credentialFor(principal).getToken("https://vault.azure.net/.default"))?.token ?? "";
    stack = await Stack.create({
      door: "plugin",
      program: "",
      config,
      env: { ...env, KEYS_TOKEN: await tokenOf("keys"), SECRETS_TOKEN: await tokenOf("secrets") },
    });
  });
  afterAll(async () => {
    await stack?.remove();
    await vault?.close();
  });
  beforeEach(() => vault.requests.clear());

  it("serves several providers with different credentials in one program, and hides what is secret in them", async () => {
    await stack.program(`
      const entries = (token) => ({ own: { type: "token", token: { env: token } } });
      const provider = (name, token) => new keyvault.Provider(name, {
        vaultUrl: ${JSON.stringify(vault.url)},
        credential: "own",
        credentials: pulumi.secret(JSON.stringify(entries(token))),
      });
      const ofKeys = provider("keys", "KEYS_TOKEN");
      const ofSecrets = provider("secrets", "SECRETS_TOKEN");
      const key = new keyvault.Key("orders", { name: "orders", generate: { keyType: "EC" } }, { provider: ofKeys });
      new keyvault.Secret("orders", { name: "orders", value: "${VALUE}" }, { provider: ofSecrets });
      new keyvault.Secret("refused", { name: "refused", value: "${VALUE}" }, { provider: ofKeys });`);
    const refused = await stack.tryUp("--continue-on-error");
    expect(text(refused)).toMatch(/KV_FORBIDDEN: .*"refused"/);
    expect(text(refused)).not.toContain(VALUE);
    const made = (await stack.resources()).map(({ urn }) => urn.split("::").slice(2).join("::"));
    expect(made).toEqual(expect.arrayContaining(["keyvault:index:Key::orders", "keyvault:index:Secret::orders"]));
    expect(made).not.toContain("keyvault:index:Secret::refused");
    const plain = (await stack.pulumi("stack", "export")).stdout;
    expect(plain).not.toContain("KEYS_TOKEN");
    await stack.program("");
    await stack.up();
  });

  it("reads and uses keys and secrets for a program, and keeps secret what is", async () => {
    await stack.program(`
      const key = new keyvault.Key("using", { name: "using", generate: { keyType: "RSA" } });
      const secret = new keyvault.Secret("db", { name: "db", value: "${VALUE}" });
      const { id } = key;
      exports.key = keyvault.getKeyOutput({ id }).apply(({ keyType, name }) => ({ keyType, name }));
      exports.same = pulumi.all([keyvault.getKeyVersionOutput({ id, version: key.version }), key.publicKeyPem])
        .apply(([{ publicKeyPem }, pem]) => publicKeyPem === pem);
      exports.secret = keyvault.getSecretOutput({ id: secret.id });
      exports.metadata = keyvault.getSecretMetadataOutput({ id: secret.id }).name;
      const { ciphertext } = keyvault.encryptOutput({ id, algorithm: "RSA-OAEP-256", plaintext: "words" });
      exports.round = keyvault.decryptOutput({ id, algorithm: "RSA-OAEP-256", ciphertext });
      const { signature } = keyvault.signOutput({ id, algorithm: "RS256", data: "a text" });
      exports.verified = keyvault.verifyOutput({ id, algorithm: "RS256", data: "a text", signature });
      const { wrappedKey } = keyvault.wrapKeyOutput({ id, algorithm: "RSA-OAEP", keyToWrapBase64url: "c2VjcmV0" });
      exports.unwrapped = keyvault.unwrapKeyOutput({ id, algorithm: "RSA-OAEP", wrappedKey });`);
    const previewed = await stack.pulumi("preview");
    expect(previewed.exitCode, previewed.text).toBe(0);
    const run = await stack.up();
    expect(run.text).not.toContain(VALUE);
    expect(await stack.outputs()).toMatchObject({
      key: { keyType: "RSA", name: "using" },
      same: true,
      secret: { value: VALUE, name: "db" },
      metadata: "db",
      round: { plaintext: "words" },
      verified: { valid: true },
      unwrapped: { unwrappedKey: "c2VjcmV0" },
    });
    const shown = JSON.parse((await stack.pulumi("stack", "output", "--json")).stdout);
    expect(JSON.stringify(shown)).not.toContain(VALUE);
    expect(JSON.stringify(shown)).not.toContain("c2VjcmV0");
  });

  it("a preview knows the outputs that a change leaves as they are, and no others", async () => {
    // What a preview does not know is applied to nothing.
    const program = (settings: string) => `
      const key = new keyvault.Key("known", { name: "known", generate: { keyType: "EC", ${settings} });
      for (const name of ["version", "updatedOn", "publicKeyPem", "vaultUrl", "tags"]) {
        key[name].apply(() => pulumi.log.info("known: " + name));
      }`;
    const known = async (): Promise<string[]> => {
      const lines = (await stack.pulumi("preview")).text.matchAll(/known: (\w+)$/gm);
      return [...new Set([...lines].map(([, name = ""]) => name))].sort();
    };
    await stack.program(program("}"));
    expect(await known()).toEqual(["tags", "vaultUrl"]);
    await stack.up();
    await stack.program(program('}, tags: { a: "1" }'));
    expect(await known()).toEqual(["publicKeyPem", "tags", "vaultUrl", "version"]);
    await stack.program(program('}, onDelete: "retain"'));
    expect(await known()).toEqual(["publicKeyPem", "tags", "updatedOn", "vaultUrl", "version"]);
    await stack.program(program('keepers: { a: "1" } }'));
    expect(await known()).toEqual(["tags", "vaultUrl"]);
  });

  it("names objects as pulumi:autonaming says, and keeps the name, whatever it says later", async () => {
    const file = join(stack.folder, "Pulumi.dev.yaml");
    const settings = await readFile(file, "utf8");
    const ways = ["    mode: default", `    pattern: team-\${name}-\${stack}`];
    const say = (autonaming = "") => writeFile(file, `${settings}  pulumi:autonaming:\n${autonaming}\n`);
    const program = (keys: string[]): string =>
      keys
        .map((key) => `exports["${key}"] = new keyvault.Key("${key}", { generate: { keyType: "EC" } }).name;`)
        .join("");
    await say(ways[0]);
    await stack.program(program(["my key"]));
    await stack.up();
    await say(ways[1]);
    await stack.program(program(["my key", "other key"]));
    await stack.up();
    const names = { "my key": expect.stringMatching(/^my-key-[0-9a-f]{7}$/), "other key": "team-other-key-dev" };
    expect(await stack.outputs()).toEqual(names);
    await say(ways[0]);
    await stack.up("--refresh", "--expect-no-changes");
    expect(await stack.outputs()).toEqual(names);
    await writeFile(file, `${settings}  pulumi:autonaming:\n    mode: disabled\n`);
    await stack.program('new keyvault.Key("third key", { generate: { keyType: "EC" } });');
    expect(text(await stack.pulumi("preview"))).toContain("KV_INVALID_INPUT: name is needed: which key it is");
    await writeFile(file, settings);
  });

  it("refuses all that is wrong with a resource in one preview, with a code and without a value", async () => {
    await stack.program(`new keyvault.Key("bad", {
      name: pulumi.secret("${VALUE}!"), generate: { keyType: "EC" }, adopt: true, enabled: "yes", tag: {},
    });`);
    const run = await stack.pulumi("preview");
    expect(run.exitCode).not.toBe(0);
    for (const message of [
      "name: must be",
      "a key takes one source",
      "enabled: must be true or false",
      '"tag" is not a property of this resource',
    ]) {
      expect(text(run)).toContain(`KV_INVALID_INPUT: ${message}`);
    }
    expect(run.text).not.toContain(VALUE);
    expect(requestCounts(vault)).toEqual({});
  });

  it("refuses a setting that there is not, by the nearest name, and says no value", async () => {
    await stack.program('new keyvault.Key("bad", { name: "bad", generate: { keyType: "EC" } });');
    await stack.pulumi("config", "set", "keyvault:credentail", VALUE);
    const run = await stack.pulumi("preview");
    await stack.pulumi("config", "rm", "keyvault:credentail");
    expect(run.exitCode).not.toBe(0);
    expect(text(run)).toContain(
      "KV_INVALID_INPUT: keyvault:credentail is no setting; did you mean keyvault:credential?",
    );
    expect(run.text).not.toContain(VALUE);
  });

  /** Kills the plugin of a run that waits for the vault's answers to these operations. */
  const killedIn = async (operations: readonly string[], run: () => Promise<Run>): Promise<void> => {
    vault.requests.clear();
    for (const operation of operations) {
      vault.faults.add({ kind: "latency", operation, milliseconds: 600_000, times: 1 });
    }
    const mark = randomUUID();
    stack.env[MARK] = mark;
    const running = run();
    await vi.waitFor(() => expect(Object.keys(requestCounts(vault))).toEqual(expect.arrayContaining([...operations])), {
      timeout: 120_000,
      interval: 50,
    });
    for (const { pid, command } of markedProcesses(mark)) if (/plugin\/main\.js/.test(command)) kill(pid);
    const { exitCode, text } = await running;
    expect(exitCode).not.toBe(0);
    expect(text).toMatch(/transport is closing|error reading from server|connection refused/);
    delete stack.env[MARK];
    vault.faults.clear();
  };

  it("loses nothing where the plugin is killed in the middle of a create, an update, a delete and a refresh", async () => {
    const key = (name: string, tags = "{}") =>
      `new keyvault.Key("${name}", { name: "${name}", generate: { keyType: "EC" }, tags: ${tags} });`;
    await stack.program(`${key("killed")} ${key("leaving")}`);
    await stack.up();
    await stack.program(`${key("killed", '{ a: "1" }')} ${key("made")}`);
    await killedIn(["createKey", "updateKey"], () => stack.tryUp());
    await killedIn(["deleteKey"], () => stack.tryUp());
    await killedIn(["getKey"], () => stack.pulumi("refresh", "--yes", "--skip-preview"));
    await stack.up();
    expect((await stack.drift()).run.exitCode).toBe(0);
    expect((await keyClient(vault).getKey("killed")).properties.tags).toMatchObject({ a: "1" });
    for (const name of ["killed", "made"]) {
      const versions: unknown[] = [];
      for await (const version of keyClient(vault).listPropertiesOfKeyVersions(name)) versions.push(version);
      expect(versions).toHaveLength(1);
    }
    expect((await keyClient(vault).getDeletedKey("leaving")).name).toBe("leaving");
  });

  it("keeps what a later version has recorded, and refuses a resource that it does not know", async () => {
    const exported = JSON.parse((await stack.pulumi("stack", "export", "--show-secrets")).stdout);
    const key = exported.deployment.resources.find(({ urn }: { urn: string }) => urn.endsWith("::killed"));
    key.outputs.laterFact = { from: "a later version" };
    key.outputs.__shown.laterOutput = null;
    key.outputs.laterOutput = "derived by a later version";
    await stack.pulumi("stack", "import", "--file", await stack.file("state.json", JSON.stringify(exported)));
    await stack.program(
      'new keyvault.Key("killed", { name: "killed", generate: { keyType: "EC" }, tags: { a: "2" } });',
    );
    await stack.up("--refresh");
    expect((await stack.drift()).run.exitCode).toBe(0);
    const { outputs } = await stack.resource("killed", "Key");
    expect(outputs).toMatchObject({ laterFact: { from: "a later version" } });
    expect(outputs).not.toHaveProperty("laterOutput");
    await stack.program('new pulumi.CustomResource("keyvault:index:Later", "later", {});');
    const run = await stack.tryUp();
    expect(text(run)).toContain(
      "KV_INVALID_INPUT: this version of the keyvault plugin has no resource keyvault:index:Later",
    );
  });

  it("records beside a failure what is larger than gRPC's other limits", async () => {
    const versions = Array.from({ length: 160 }, (_, version) => String(version % 10).repeat(25_000));
    for (const value of versions) await call(vault, "PUT", "/secrets/long", { value });
    const backup = (secrets: string) => `new keyvault.VaultBackup("large", { secrets: ${secrets} });`;
    await stack.program(backup('["long", "nowhere"]'));
    expect(text(await stack.tryUp())).toMatch(
      /KV_NOT_FOUND: the backup of \S+ is incomplete; 1 failed, the others are kept/,
    );
    const { outputs } = await stack.resource("large", "VaultBackup");
    expect(JSON.stringify(outputs?.blobs).length).toBeGreaterThan(4 * 1024 * 1024);
    await stack.program(backup('["long"]'));
    vault.requests.clear();
    await stack.up();
    expect(requestCounts(vault)).not.toHaveProperty("backupSecret");
  });

  describe("one object in several providers", () => {
    const providers = (): string => `
      const dynamic = require("pulumi-keyvault");
      const settings = { vaultUrl: "${vault.url}", credential: "token", ownerTag: false };
      const [one, two] = ["one", "two"].map((name) => new keyvault.Provider(name, settings));
      const generate = { keyType: "EC" };`;

    it.each([
      [
        "two explicit ones of the plugin",
        `new keyvault.Key("first", { name: "shared", generate }, { provider: one });
         new keyvault.Key("second", { name: "shared", generate }, { provider: two });`,
      ],
      [
        "the plugin and the dynamic one",
        `new keyvault.Key("first", { name: "shared", generate });
         new dynamic.Key("second", { name: "SHARED", generate });`,
      ],
    ])("is refused in the preview, as within one of them: %s", async (_providers, program) => {
      await stack.program(`${providers()} ${program}`);
      const run = await stack.pulumi("preview");
      expect(run.exitCode).not.toBe(0);
      expect(text(run)).toMatch(
        /KV_INVALID_INPUT: Key \\?"(first|second)\\?" of another provider already manages the key \\?"shared\\?" in \S+: one object takes one resource/i,
      );
      expect(requestCounts(vault)).toEqual({});
    });

    it("is not deleted where it goes from the one to the other, though no tag says whose it is", async () => {
      await stack.pulumi("config", "set", "keyvault:ownerTag", "false");
      await stack.program(`${providers()}
        new keyvault.Key("first", { name: "shared", generate }, { provider: one });
        new dynamic.Key("first", { name: "beside", generate });`);
      await stack.up();
      const { version } = (await keyClient(vault).getKey("shared")).properties;
      await stack.program(`${providers()} new dynamic.Key("second", { name: "shared", adopt: true });`);
      const run = await stack.up();
      await stack.pulumi("config", "rm", "keyvault:ownerTag");
      expect(text(run)).toContain('stays: the program declares it (Key "second" of another provider)');
      expect((await keyClient(vault).getKey("shared")).properties.version).toBe(version);
    });
  });

  it("a program whose plugin is missing is told its name by the engine, and nothing happens", async () => {
    const file = join(stack.folder, "Pulumi.yaml");
    const project = await readFile(file, "utf8");
    await writeFile(file, project.replace(/plugins:[\s\S]*/, ""));
    await stack.program('new keyvault.Key("missing", { name: "missing", generate: { keyType: "EC" } });');
    const { PATH = "" } = stack.env;
    // npm puts the executables of the project on the path.
    const isElsewhere = (folder: string): boolean => !existsSync(join(folder, "pulumi-resource-keyvault"));
    stack.env.PATH = PATH.split(delimiter).filter(isElsewhere).join(delimiter);
    const run = await stack.pulumi("preview");
    stack.env.PATH = PATH;
    await writeFile(file, project);
    expect(run.exitCode).not.toBe(0);
    const guide = (await readFile(join(__dirname, "../../docs/plugin.md"), "utf8")).replace(/\s+/g, " ");
    const [message = ""] =
      /no resource plugin 'pulumi-resource-keyvault' found in the workspace[^\n]*/.exec(run.text) ?? [];
    expect(message).not.toBe("");
    expect(guide).toContain("no resource plugin 'pulumi-resource-keyvault' found in the workspace");
  });
});
