import { spawn } from "node:child_process";
import { randomBytes } from "node:crypto";
import { existsSync } from "node:fs";
import { mkdir, readdir, readFile, rm, writeFile } from "node:fs/promises";
import { delimiter, join } from "node:path";
import { pathToFileURL } from "node:url";
import { OFFLINE_SETTINGS } from "../engine/environment.mts";
import { isLanguage, LANGUAGES, type Language } from "../engine/language-host.mts";
import { ensurePassphraseFile } from "../engine/passphrase-file.mts";
import { type Engine, provisionEngine } from "../engine/provision.mts";
import { run } from "../engine/run.mts";
import { makeDemoKeys } from "./demo-keys.mts";
import { prepareLanguage } from "./demo-language.mts";

export const CHECKOUT = join(import.meta.dirname, "..", "..");
/** All that the demo makes: keys, vaults, and Pulumi's home and state. The lock in it tells two demos apart. */
export const DEMO_FOLDER = join(CHECKOUT, ".demo");
export const DEMO_LOCK = join(DEMO_FOLDER, "lock");
export const STACK = "demo";

/** What the demo's program is written in; undefined for TypeScript. `npm run pulumi` goes on in it. */
const LANGUAGE_FILE = join(DEMO_FOLDER, "language");

/** The engine, with the demo's state and nothing of the user's own Pulumi. */
export class DemoProject {
  readonly engine: Engine;
  readonly language: Language | undefined;
  readonly #env: Record<string, string>;

  private constructor(engine: Engine, language: Language | undefined, env: Record<string, string>) {
    this.engine = engine;
    this.language = language;
    this.#env = env;
  }

  /** Makes what is missing: the engine, the build of this package, the demo's keys, the stack. */
  static async open({ onBuild }: { onBuild?: () => void } = {}): Promise<DemoProject> {
    const engine = await provisionEngine();
    const language = await chosenLanguage();
    if (onBuild || !existsSync(join(CHECKOUT, "dist", "sdk", "index.js"))) {
      onBuild?.();
      await buildPackage();
    }
    const prepared = language === undefined ? engine.env : await prepareLanguage(engine, language, DEMO_FOLDER);
    const state = join(DEMO_FOLDER, "state");
    await mkdir(state, { recursive: true, mode: 0o700 });
    const project = new DemoProject(engine, language, {
      ...withoutPulumiSettings(prepared),
      ...OFFLINE_SETTINGS,
      PULUMI_HOME: join(DEMO_FOLDER, "home"),
      PULUMI_BACKEND_URL: pathToFileURL(state).href,
      PULUMI_CONFIG_PASSPHRASE_FILE: await ensurePassphraseFile(DEMO_FOLDER),
    });
    if (!existsSync(join(DEMO_FOLDER, "keys"))) await makeDemoKeys(join(DEMO_FOLDER, "keys"));
    await project.#ensureStack();
    return project;
  }

  /** Forgets an earlier demo, finished or not, and begins one in `language`. */
  static async reset(language: Language | undefined): Promise<void> {
    for (const name of await readdir(DEMO_FOLDER)) {
      if (!name.startsWith("lock")) await rm(join(DEMO_FOLDER, name), { recursive: true, force: true });
    }
    for (const other of [undefined, ...LANGUAGES]) await rm(stackFile(other), { force: true });
    if (language !== undefined) await writeFile(LANGUAGE_FILE, language);
  }

  /** The folder of the demo's Pulumi.yaml. */
  get #folder(): string {
    return projectFolder(this.language);
  }

  /** Runs `pulumi` as the user would, in the terminal of the user. Gives its exit code. */
  async pulumi(args: readonly string[]): Promise<number> {
    return (await this.#inView(join(this.engine.binDir, "pulumi"), args, "inherit")).exitCode;
  }

  /** The same, and takes what it prints. */
  captured(args: readonly string[]): Promise<{ exitCode: number; output: string }> {
    return this.#inView(join(this.engine.binDir, "pulumi"), args, "pipe");
  }

  /** Runs `pulumi-keyvault` as the user would. */
  async keyvault(args: readonly string[]): Promise<number> {
    const command = join(CHECKOUT, "dist", "cli", "main.js");
    return (await this.#inView(process.execPath, [command, ...args], "inherit")).exitCode;
  }

  #inView(
    command: string,
    args: readonly string[],
    output: "inherit" | "pipe",
  ): Promise<{ exitCode: number; output: string }> {
    const path = `${this.engine.binDir}${delimiter}${this.#env.PATH ?? ""}`;
    const child = spawn(command, args, {
      cwd: this.#folder,
      env: { ...this.#env, PATH: path },
      stdio: ["inherit", output, output],
    });
    let text = "";
    for (const stream of [child.stdout, child.stderr]) {
      stream?.setEncoding("utf8").on("data", (chunk: string) => {
        text += chunk;
      });
    }
    // A Ctrl-C in a terminal reaches the engine too, and a second one would make it give up in the middle of a step.
    const wait = () => {};
    const end = () => child.kill("SIGINT");
    const reactions = { SIGINT: wait, SIGTERM: end, SIGHUP: end };
    for (const [signal, reaction] of Object.entries(reactions)) process.on(signal, reaction);
    return new Promise<{ exitCode: number; output: string }>((resolve, reject) => {
      child.once("error", reject);
      child.once("close", (code) => resolve({ exitCode: code ?? 130, output: text }));
    }).finally(() => {
      for (const [signal, reaction] of Object.entries(reactions)) process.off(signal, reaction);
    });
  }

  /** Runs `pulumi` behind the scenes. */
  async #quietly(args: readonly string[], input = ""): Promise<void> {
    const pulumi = join(this.engine.binDir, "pulumi");
    const { exitCode, stderr } = await run(pulumi, args, { cwd: this.#folder, env: this.#env, input });
    if (exitCode !== 0) throw new Error(`pulumi ${args.slice(0, 2).join(" ")} failed: ${stderr}`);
  }

  async #ensureStack(): Promise<void> {
    const stacks = join(DEMO_FOLDER, "state", ".pulumi", "stacks");
    const names = await readdir(stacks, { recursive: true }).catch(() => []);
    if (names.some((name) => /(^|[/\\])demo\.json$/.test(name))) return;
    // Its salt belongs to a passphrase that is gone.
    await rm(stackFile(this.language), { force: true });
    await this.#quietly(["stack", "init", STACK, "--non-interactive"]);
    // By way of the pipe: what stands on a command line is seen by every process of the machine.
    const password = randomBytes(18).toString("base64url");
    await this.#quietly(["config", "set", "--secret", "databasePassword", "--non-interactive"], password);
    // The example of a language keeps its vaults in its own folder, unless told otherwise.
    if (this.language === undefined) return;
    const settings = { "keyvault:vaultUrl": "embedded:../../../.demo/first.vault", keyFolder: "../../../.demo/keys" };
    const conditional = this.language === "yaml" ? { copyVaultUrl: this.copyVaultUrl } : {};
    const plain = Object.entries({ ...settings, ...conditional }).map(([key, value]) => `--plaintext=${key}=${value}`);
    await this.#quietly(["config", "set-all", "--non-interactive", ...plain]);
  }

  /** The second vault, as seen from the program. */
  get copyVaultUrl(): string {
    return this.language === undefined ? "embedded:../../.demo/second.vault" : "embedded:../../../.demo/second.vault";
  }
}

function projectFolder(language: Language | undefined): string {
  return language === undefined ? CHECKOUT : join(CHECKOUT, "examples", language, "import-key");
}

/** Pulumi's file for the stack's configuration, beside Pulumi.yaml. */
function stackFile(language: Language | undefined): string {
  return join(projectFolder(language), `Pulumi.${STACK}.yaml`);
}

async function chosenLanguage(): Promise<Language | undefined> {
  const name = await readFile(LANGUAGE_FILE, "utf8").catch(() => "");
  return isLanguage(name) ? name : undefined;
}

async function buildPackage(): Promise<void> {
  const build = join(CHECKOUT, "tools", "build.mts");
  const { exitCode, stdout } = await run(process.execPath, [build], { env: process.env });
  if (exitCode !== 0) throw new Error(`the package could not be built:\n${stdout}`);
}

function withoutPulumiSettings(env: Record<string, string>): Record<string, string> {
  const foreign = /^(PULUMI_|KEYVAULT_|AZURE_KEYVAULT_URL$)/;
  return Object.fromEntries(Object.entries(env).filter(([name]) => !foreign.test(name)));
}
