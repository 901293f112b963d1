import { spawn } from "node:child_process";
import { randomBytes } from "node:crypto";
import { existsSync } from "node:fs";
import { mkdir, readdir, rm } from "node:fs/promises";
import { join } from "node:path";
import { pathToFileURL } from "node:url";
import { OFFLINE_SETTINGS } from "../engine/environment.mts";
import { ensurePassphraseFile } from "../engine/passphrase-file.mts";
import { type Engine, provisionEngine } from "../engine/provision.mts";
import { run } from "../engine/run.mts";
import { makeDemoKeys } from "./demo-keys.mts";

export const CHECKOUT = join(import.meta.dirname, "..", "..");
/** All that the demo makes: keys, vaults, and Pulumi's home and state. The lock in it tells two demos apart. */
export const DEMO_FOLDER = join(CHECKOUT, ".demo");
export const DEMO_LOCK = join(DEMO_FOLDER, "lock");
export const STACK = "demo";

/** Pulumi's file for the stack's configuration, beside Pulumi.yaml. */
const STACK_FILE = join(CHECKOUT, `Pulumi.${STACK}.yaml`);

/** The engine, with the demo's state and nothing of the user's own Pulumi. */
export class DemoProject {
  readonly engine: Engine;
  readonly #env: Record<string, string>;

  private constructor(engine: Engine, env: Record<string, string>) {
    this.engine = engine;
    this.#env = env;
  }

  /** Makes what is missing: the engine, the build of this package, the demo's keys, the stack. */
  static async open({ onBuild }: { onBuild?: () => void } = {}): Promise<DemoProject> {
    const engine = await provisionEngine();
    const state = join(DEMO_FOLDER, "state");
    await mkdir(state, { recursive: true, mode: 0o700 });
    const project = new DemoProject(engine, {
      ...withoutPulumiSettings(engine.env),
      ...OFFLINE_SETTINGS,
      PULUMI_HOME: join(DEMO_FOLDER, "home"),
      PULUMI_BACKEND_URL: pathToFileURL(state).href,
      PULUMI_CONFIG_PASSPHRASE_FILE: await ensurePassphraseFile(DEMO_FOLDER),
    });
    if (onBuild || !existsSync(join(CHECKOUT, "dist", "sdk", "index.js"))) {
      onBuild?.();
      await buildPackage();
    }
    if (!existsSync(join(DEMO_FOLDER, "keys"))) await makeDemoKeys(join(DEMO_FOLDER, "keys"));
    await project.#ensureStack();
    return project;
  }

  /** Forgets an earlier demo, finished or not. */
  static async reset(): Promise<void> {
    for (const name of await readdir(DEMO_FOLDER)) {
      if (!name.startsWith("lock")) await rm(join(DEMO_FOLDER, name), { recursive: true, force: true });
    }
    await rm(STACK_FILE, { force: true });
  }

  /** Runs `pulumi` as the user would, in the terminal of the user. Gives its exit code. */
  pulumi(args: readonly string[]): Promise<number> {
    const child = spawn(join(this.engine.binDir, "pulumi"), args, { cwd: CHECKOUT, env: this.#env, stdio: "inherit" });
    // A Ctrl-C in a terminal reaches the engine too, and a second one would make it give up in the middle of a step.
    const wait = () => {};
    const end = () => child.kill("SIGINT");
    const reactions = { SIGINT: wait, SIGTERM: end, SIGHUP: end };
    for (const [signal, reaction] of Object.entries(reactions)) process.on(signal, reaction);
    return new Promise<number>((resolve, reject) => {
      child.once("error", reject);
      child.once("close", (code) => resolve(code ?? 130));
    }).finally(() => {
      for (const [signal, reaction] of Object.entries(reactions)) process.off(signal, reaction);
    });
  }

  /** Runs `pulumi` behind the scenes. */
  async #quietly(args: readonly string[], input = ""): Promise<void> {
    const pulumi = join(this.engine.binDir, "pulumi");
    const { exitCode, stderr } = await run(pulumi, args, { cwd: CHECKOUT, env: this.#env, input });
    if (exitCode !== 0) throw new Error(`pulumi ${args.slice(0, 2).join(" ")} failed: ${stderr}`);
  }

  async #ensureStack(): Promise<void> {
    const stacks = join(DEMO_FOLDER, "state", ".pulumi", "stacks");
    const names = await readdir(stacks, { recursive: true }).catch(() => []);
    if (names.some((name) => /(^|[/\\])demo\.json$/.test(name))) return;
    // Its salt belongs to a passphrase that is gone.
    await rm(STACK_FILE, { force: true });
    await this.#quietly(["stack", "init", STACK, "--non-interactive"]);
    // By way of the pipe: what stands on a command line is seen by every process of the machine.
    const password = randomBytes(18).toString("base64url");
    await this.#quietly(["config", "set", "--secret", "databasePassword", "--non-interactive"], password);
  }
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
