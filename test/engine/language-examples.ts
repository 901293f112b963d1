import { existsSync } from "node:fs";
import { cp, mkdtemp, readFile, rm, stat } from "node:fs/promises";
import { tmpdir } from "node:os";
import { delimiter, join, resolve } from "node:path";
import { afterAll, beforeAll, beforeEach, describe, expect, it } from "vitest";
import { type Emulator, startEmulator } from "../../emulator/index.js";
import { type Language, LanguageHostUnavailableError, provisionLanguage } from "../../tools/engine/language-host.mts";
import { addPluginCommand } from "../../tools/engine/plugin-command.mts";
import { type Engine, provisionEngine } from "../../tools/engine/provision.mts";
import { ReadmeCommands } from "./readme-commands.js";
import { Stack } from "./stack.js";
import { call, keyClient } from "./vault-by-hand.js";

/** A host may have to be built, and a program of a compiled language too. */
const PREPARATION_MS = 20 * 60_000;

export interface PreparedExamples {
  /** The folder with the three projects. */
  folder: string;
  env?: Record<string, string>;
  /** What is wrong with what the pages show in the language. Default: they are compiled by `prepare`. */
  pageFaults?(): Promise<string>;
  /** A command of the README as it is run here. Default: as it stands there. */
  edit?(command: string): string;
}

/** What keeps the examples of a language from running on this machine. The tests are skipped for it. */
export class ExamplesUnavailableError extends Error {}

/**
 * The examples of a language, but import-key, which the demo runs, as they are, on the real engine and embedded vaults. `prepare` makes what the
 * language needs in a folder of its own, which starts as a copy of the examples.
 */
export function describeExamples(
  language: Language,
  prepare: (folder: string, engine: Engine) => Promise<PreparedExamples> = async (folder) => ({ folder }),
): void {
  let work: string;
  let engine: Engine;
  let examples: PreparedExamples;
  let unavailable = "";
  const stacks: Stack[] = [];

  beforeAll(async () => {
    work = await mkdtemp(join(tmpdir(), "pulumi-keyvault-"));
    try {
      engine = await provisionLanguage(await provisionEngine(), language);
      await addPluginCommand(join(work, "bin"));
      await cp(resolve(__dirname, "../../examples", language), join(work, "examples"), { recursive: true });
      examples = await prepare(join(work, "examples"), engine);
    } catch (error) {
      const isExpected = error instanceof LanguageHostUnavailableError || error instanceof ExamplesUnavailableError;
      if (!isExpected) throw error;
      unavailable = error.message;
    }
  }, PREPARATION_MS);
  beforeEach(({ skip }) => skip(unavailable !== "", unavailable));
  afterAll(async () => {
    for (const stack of stacks) await stack.remove();
    await rm(work, { recursive: true, force: true });
  });

  async function project(name: string, make = Stack.ofProject): Promise<Stack> {
    const env = { ...examples.env, PATH: [join(work, "bin"), examples.env?.PATH ?? engine.env.PATH].join(delimiter) };
    const stack = await make(join(examples.folder, name), engine, env);
    stacks.push(stack);
    return stack;
  }

  async function byHand<T>(stack: Stack, store: string, work: (vault: Emulator) => Promise<T>): Promise<T> {
    const vault = await startEmulator({ store: join(stack.folder, store) });
    try {
      return await work(vault);
    } finally {
      await vault.close();
    }
  }

  const versionOf = (stack: Stack, store: string, name: string) =>
    byHand(stack, store, async (vault) => (await keyClient(vault).getKey(name)).properties.version);

  // A compiled program is linked again in each run of the engine.
  describe(`the examples in ${language}`, { timeout: 600_000 }, () => {
    // YAML, which has other words for it, is tried with the programs that are refused.
    it.skipIf(language === "yaml")("are told of a missing plugin in the words of docs/languages.md", async () => {
      const stack = await project("inventory");
      const { PATH = "" } = stack.env;
      stack.env.PATH = PATH.split(delimiter)
        .filter((entry) => !existsSync(join(entry, "pulumi-resource-keyvault")))
        .join(delimiter);
      const run = await stack.pulumi("preview");
      stack.env.PATH = PATH;
      expect(run.exitCode).not.toBe(0);
      const told = /error: no resource plugin \S+ found in the workspace at version v[\d.]+ or on your \$PATH/;
      const [message = "is not told"] = told.exec(run.text) ?? [];
      const guide = await readFile(resolve(__dirname, "../../docs/languages.md"), "utf8");
      expect(withoutVersion(guide)).toContain(withoutVersion(message));
    });

    it.runIf(language === "python")("the SDK takes what the pages show", async () => {
      expect(await examples.pageFaults?.()).toBe("");
    });

    it("backup-and-restore backs up a whole vault, keeps a file for the safe, and restores into another vault", async () => {
      const stack = await project("backup-and-restore");
      await configure(stack);
      await byHand(stack, "primary.vault", (vault) => call(vault, "POST", "/keys/theirs/create", { kty: "EC" }));
      await stack.up();
      const { covered, escrowFile, restoredKey } = (await stack.outputs()) as {
        covered: { keys: Record<string, string> };
        escrowFile: string;
        restoredKey: string;
      };
      expect(Object.keys(covered.keys).sort()).toEqual(["orders-signing", "theirs"]);
      expect((await stat(join(stack.folder, escrowFile))).mode & 0o777).toBe(0o600);
      expect(restoredKey.split("/").at(-1)).toBe(covered.keys["orders-signing"]);
      expect(await versionOf(stack, "standby.vault", "orders-signing")).toBe(covered.keys["orders-signing"]);
      const { run } = await stack.drift();
      expect(run.exitCode, run.text).toBe(0);
    });

    it("inventory, run as the README says, tells what nobody expects, what is missing, and what appears later", async () => {
      const readme = new ReadmeCommands(`examples/${language}/README.md`, {
        edit: (command) => (command === "cd inventory" ? "" : (examples.edit?.(command) ?? command)),
      });
      const stack = await project("inventory", Stack.yetToBe);
      const make = (name: string) =>
        byHand(stack, "inventory.vault", (vault) => call(vault, "POST", `/keys/${name}/create`, { kty: "EC" }));
      await make("theirs");
      await readme.run(stack, "pulumi up");
      expect(await stack.outputs()).toMatchObject({ count: 2, unmanaged: ["theirs"], missing: ["ledger"] });
      await make("rogue");
      const { text } = await readme.run(stack, "pulumi preview", 7);
      expect(text).toMatch(/keyvault:index:KeyInventory: .*update[\s\S]*drift[\s\S]*rogue/);
      expect(readme.left).toEqual([]);
    });
  });
}

const withoutVersion = (text: string): string => text.replace(/\bv\d+\.\d+\.\d+/g, "vN");

async function configure(stack: Stack, ...settings: string[]): Promise<void> {
  const run = await stack.pulumi("config", "set-all", "--secret=databasePassword=canary-of-a-password", ...settings);
  if (run.exitCode !== 0) throw new Error(run.text);
}
