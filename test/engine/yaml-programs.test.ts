import { existsSync } from "node:fs";
import { mkdir, mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { delimiter, join } from "node:path";
import { afterAll, beforeAll, beforeEach, describe, expect, it } from "vitest";
import { type Emulator, startEmulator } from "../../emulator/index.js";
import { LanguageHostUnavailableError, provisionLanguage } from "../../tools/engine/language-host.mts";
import { addPluginCommand } from "../../tools/engine/plugin-command.mts";
import { provisionEngine } from "../../tools/engine/provision.mts";
import { runCommand } from "../cli/command-line.js";
import { readPage } from "../docs/page.js";
import { askedRequests } from "../emulator/asked-requests.js";
import { ecKey } from "./demo-keys.js";
import { quickSecretsSettings } from "./quick/quick-settings.js";
import { Stack } from "./stack.js";
import { call, requestCounts, settingsFor } from "./vault-by-hand.js";

const CANARY = "hunter2-very-secret";

/** Whether a folder of PATH is without the plugin. */
const isElsewhere = (entry: string): boolean => !existsSync(join(entry, "pulumi-resource-keyvault"));

describe("a program in YAML", () => {
  let folder: string;
  let vault: Emulator;
  let stack: Stack;
  let unavailable = "";

  const header = (): string =>
    `name: test\nruntime: yaml\nconfig:\n  keyvault:vaultUrl: { value: "${vault.url}" }\n  keyvault:credential: { value: token }\n`;
  const program = (resources: string) => writeFile(join(stack.folder, "Pulumi.yaml"), `${header()}${resources}`);

  beforeAll(async () => {
    vault = await startEmulator();
    folder = await mkdtemp(join(tmpdir(), "pulumi-keyvault-"));
    await addPluginCommand(join(folder, "bin"));
    await mkdir(join(folder, "project"));
    await writeFile(join(folder, "project/Pulumi.yaml"), header());
    try {
      const engine = await provisionLanguage(await provisionEngine(), "yaml");
      const path = [join(folder, "bin"), engine.env.PATH].join(delimiter);
      stack = await Stack.ofProject(join(folder, "project"), engine, {
        PATH: path,
        KEYVAULT_TOKEN: vault.token,
        KEYVAULT_CREDENTIAL: "token",
      });
    } catch (error) {
      if (!(error instanceof LanguageHostUnavailableError)) throw error;
      unavailable = error.message;
    }
  }, 20 * 60_000);
  beforeEach(({ skip }) => {
    skip(unavailable !== "", unavailable);
    vault.requests.clear();
  });
  afterAll(async () => {
    await stack?.remove();
    await vault?.close();
    await rm(folder, { recursive: true, force: true });
  });

  it("gets its text from pulumi import of a key, and of the rest as adopt --plugin --set says it, and is clean with it", async () => {
    const made = { tags: { team: "orders" }, attributes: { exp: 3_800_000_000 } };
    for (const name of ["orders", "ledger"]) await call(vault, "POST", `/keys/${name}/create`, { kty: "EC", ...made });
    await call(vault, "POST", "/keys/plain/create", { kty: "RSA" });
    await call(vault, "PUT", "/secrets/db", { value: CANARY, contentType: "text/plain" });
    await program("resources: {}\n");
    const adopted = await runCommand(["adopt", "--vault", vault.url, "--plugin", "--set", "--ignore", "keys/orders"], {
      cwd: stack.folder,
      env: stack.env,
    });
    expect(adopted.exitCode, adopted.stderr).toBe(0);
    vault.requests.clear();
    const texts: string[] = [];
    for (const what of [
      ["keyvault:index:Key", "orders", `${vault.url}/keys/orders`],
      ["--file", join(stack.folder, "keyvault-import.json")],
    ]) {
      const out = join(stack.folder, "out.yaml");
      const run = await stack.pulumi("import", ...what, "--yes", "--protect=false", "--out", out);
      expect(run.exitCode, run.text).toBe(0);
      texts.push((await readFile(out, "utf8")).replace("resources:\n", ""));
    }
    expect(askedRequests(vault).filter(({ method }) => method !== "GET")).toEqual([]);
    expect(texts.join()).not.toContain(CANARY);
    await program(`resources:\n${texts.join("")}`);
    const { run, properties } = await stack.drift();
    expect(run.exitCode, run.text).toBe(0);
    expect(properties).toEqual({});
    const { outputs } = await stack.resource("keys", "KeySet");
    expect(outputs).toMatchObject({ names: ["ledger", "plain"], adopt: true });
  });

  it("is told of a missing plugin in the words of docs/plugin.md, and nothing happens", async () => {
    await program("resources:\n  signing:\n    type: keyvault:Key\n    properties: { generate: { keyType: EC } }\n");
    const { PATH = "" } = stack.env;
    stack.env.PATH = PATH.split(delimiter).filter(isElsewhere).join(delimiter);
    const run = await stack.pulumi("preview");
    stack.env.PATH = PATH;
    expect(run.exitCode).not.toBe(0);
    const told = `error resolving type of resource signing: internal error loading package "keyvault": no resource plugin 'pulumi-resource-keyvault' found in the workspace or on your $PATH`;
    expect(run.text).toContain(told);
    expect(await readFile(join(__dirname, "../../docs/plugin.md"), "utf8")).toContain(told);
  });

  it("is written as docs/plugin.md and docs/languages.md show it, and takes over what the dynamic provider made", async () => {
    const shown = (path: string): string[] =>
      readPage(path).blocks.flatMap(({ language, text }) => (language === "yaml" ? [`${text.trimEnd()}\n`] : []));
    const [plugins = "", options = ""] = shown("docs/plugin.md");
    const [key = ""] = shown("docs/languages.md");
    const dynamic = await Stack.create({
      program: 'new keyvault.Key("signing", { name: "orders-signing", import: { file: "./keys/signing.pem" } });',
      ...settingsFor(vault),
    });
    try {
      const { pkcs8 } = ecKey();
      for (const { folder } of [dynamic, stack]) {
        await mkdir(join(folder, "keys"));
        await writeFile(join(folder, "keys/signing.pem"), pkcs8);
      }
      await dynamic.up();
      const state = join(stack.folder, "state.json");
      await dynamic.pulumi("stack", "export", "--show-secrets", "--file", state);
      Object.assign(stack.env, quickSecretsSettings());
      expect((await stack.pulumi("stack", "import", "--file", state)).text).toContain("Import complete");
    } finally {
      await dynamic.remove();
    }
    await addPluginCommand(join(stack.folder, "node_modules/.bin"));
    await program(`${plugins}resources:\n${key.replace(/^/gm, "  ").trimEnd()}\n${options}`);
    const { PATH = "" } = stack.env;
    stack.env.PATH = PATH.split(delimiter).filter(isElsewhere).join(delimiter);
    vault.requests.clear();
    const run = await stack.tryUp();
    stack.env.PATH = PATH;
    expect(run.exitCode, run.text).toBe(0);
    expect(run.text).toMatch(/Key signing updated.*\[diff: [^\]]*__provider/);
    expect(askedRequests(vault).filter(({ method }) => method !== "GET")).toEqual([]);
  });

  /** The preview of a program with these resources, which is refused. @returns what it tells. */
  const refused = async (resources: Record<string, [type: string, properties: string]>): Promise<string> => {
    const entries = Object.entries(resources).map(
      ([name, [type, properties]]) => `  ${name}:\n    type: keyvault:${type}\n    properties: ${properties}\n`,
    );
    await program(`resources:\n${entries.join("")}`);
    const run = await stack.pulumi("preview");
    expect(run.exitCode).not.toBe(0);
    expect(requestCounts(vault)).toEqual({});
    expect(run.text).not.toContain(CANARY);
    return run.text.replace(/\s+/g, " ");
  };

  it("is refused by the host of the language for a wrong type and for what is no property, wherever it stands", async () => {
    const told = await refused({
      type: ["Key", '{ generate: { keyType: EC }, enabled: "yes" }'],
      property: ["Key", "{ generate: { keyType: EC }, owner: { project: a } }"],
      member: ["Key", "{ import: { pam: a } }"],
      entry: ["KeySet", "{ keys: { a: { generat: { keyType: EC } } } }"],
      list: ["VaultBackup", '{ keys: "*" }'],
    });
    expect(told).toContain("Cannot assign type 'string' to type 'boolean'");
    expect(told).toContain("Property owner does not exist");
    expect(told).toContain("Property pam does not exist");
    expect(told).toContain("Property generat does not exist");
    expect(told).toMatch(/Cannot assign type 'string' to type 'List/);
  });

  it("is refused by the plugin for what the host lets through, all of it at once", async () => {
    const told = await refused({ bad: ["Key", "{ generate: { keyType: EC }, adopt: true, tags: { year: 2027 } }"] });
    expect(told).toContain("KV_INVALID_INPUT: a key takes one source, and this one has generate and adopt");
    expect(told).toContain('KV_INVALID_INPUT: tags: the value of tag "year" must be text');
  });

  it("is refused by the plugin for a setting that there is not", async () => {
    await stack.pulumi("config", "set", "keyvault:credentail", CANARY);
    const told = await refused({ key: ["Key", "{ generate: { keyType: EC } }"] });
    await stack.pulumi("config", "rm", "keyvault:credentail");
    expect(told).toContain("KV_INVALID_INPUT: keyvault:credentail is no setting; did you mean keyvault:credential?");
  });
});
