import { spawn } from "node:child_process";
import { appendFile, cp, mkdir, mkdtemp, readFile, realpath, rm, symlink, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { delimiter, dirname, join, resolve } from "node:path";
import { packageSchema } from "../../plugin/schema/package-schema.js";
import { type Engine, provisionEngine } from "../../tools/engine/provision.mts";
import { exportedOutputs, exportedResources } from "./decrypted-state.js";
import { makeStack } from "./quick/new-stack.mts";
import { quickSecretsSettings, quickStartSettings, warmNodeSettings } from "./quick/quick-settings.js";

/** One run of the CLI. `text` is all that it printed, in the order of the two streams. */
export interface Run {
  exitCode: number;
  stdout: string;
  stderr: string;
  text: string;
}

/** A step of a preview, as `--json` tells it. */
export interface PreviewStep {
  op: string;
  urn: string;
  detailedDiff?: Record<string, { kind: string; inputDiff?: boolean }> | null;
  diffReasons?: string[] | null;
  replaceReasons?: string[] | null;
}

export interface StackResource {
  urn: string;
  type: string;
  id?: string;
  inputs?: Record<string, unknown>;
  outputs?: Record<string, unknown>;
}

/** How a project is written and laid out. Default: a CommonJS program, the package linked. */
export type ProjectKind = "commonjs" | "typescript" | "typescript-esm" | "pnpm";

/** How a program reaches the provider: through the TypeScript SDK's dynamic resources, or as every language does. */
export type Door = "dynamic" | "plugin";

export const DOORS: readonly Door[] = ["dynamic", "plugin"];

export interface StackOptions {
  /** The program; `keyvault` and `pulumi` are there already. */
  program: string;
  kind?: ProjectKind;
  /** The program's SDK: the newest, which is the package's own, or the oldest that the package takes. */
  sdk?: "newest" | "oldest";
  /** Default: the one that the machine has, else the newest. */
  engine?: "newest" | "oldest";
  /** Default: `dynamic`. */
  door?: Door;
  /** Where the Node is that the program and the provider run on. Default: the one that runs the tests. */
  nodeFolder?: string | undefined;
  /** Whether the provider is a process of its own, as where it is killed. Default: false, a warm one. */
  isProviderCold?: boolean;
  config?: Record<string, string>;
  env?: Record<string, string>;
}

const root = resolve(__dirname, "../..");
const engines = new Map<string, Promise<Engine>>();

/** It is run when it is looked for, which takes a tenth of a second. */
function engineOf(version: "newest" | "oldest"): Promise<Engine> {
  const engine = engines.get(version) ?? provisionEngine({ version });
  engines.set(version, engine);
  return engine;
}

/** A project in a folder of its own, on the real engine with a file backend. */
export class Stack {
  private constructor(
    readonly folder: string,
    readonly kind: ProjectKind,
    readonly env: Record<string, string>,
    readonly door: Door,
  ) {}

  static async create({
    program,
    kind = "commonjs",
    sdk = "newest",
    engine: version = "newest",
    door = "dynamic",
    nodeFolder,
    isProviderCold = false,
    config = {},
    env = {},
  }: StackOptions): Promise<Stack> {
    const engine = await engineOf(version);
    // As the engine spells it.
    const folder = await realpath(await mkdtemp(join(tmpdir(), "pulumi-keyvault-")));
    await layOut(folder, kind, sdk);
    const node =
      nodeFolder === undefined
        ? warmNodeSettings(engine.env, { compiles: kind === "typescript", providers: !isProviderCold })
        : { PATH: [nodeFolder, engine.env.PATH].join(delimiter) };
    const secrets = quickSecretsSettings();
    const settings = { ...node, ...secrets, ...env };
    const stack = new Stack(folder, kind, await environment(folder, engine, settings), door);
    if (door === "plugin") await installPlugin(folder);
    await stack.program(program);
    if (secrets === undefined) await stack.pulumi("stack", "init", "dev");
    else await makeStack(folder);
    const lines = Object.entries(config).map(([key, value]) => `  ${key}: ${JSON.stringify(value)}\n`);
    if (lines.length > 0) await appendFile(join(folder, "Pulumi.dev.yaml"), `config:\n${lines.join("")}`);
    return stack;
  }

  /** A copy of the project in `source`, with `engine` and what else `env` says. */
  static async ofProject(source: string, engine: Engine, env: Record<string, string> = {}): Promise<Stack> {
    const stack = await Stack.yetToBe(source, engine, env);
    await stack.pulumi("stack", "init", "dev");
    return stack;
  }

  /** The same without the stack, for whoever is told to make it. */
  static async yetToBe(source: string, engine: Engine, env: Record<string, string> = {}): Promise<Stack> {
    const folder = await mkdtemp(join(tmpdir(), "pulumi-keyvault-"));
    const stack = new Stack(folder, "commonjs", await environment(folder, engine, env), "plugin");
    await cp(source, folder, { recursive: true });
    return stack;
  }

  /** The project that is in `folder` already, with the packages that it has installed. */
  static async inFolder(folder: string, env: Record<string, string> = {}): Promise<Stack> {
    const engine = await engineOf("newest");
    const stack = new Stack(folder, "commonjs", await environment(folder, engine, env), "dynamic");
    await stack.pulumi("stack", "init", "dev");
    return stack;
  }

  /** Replaces the program. `dynamic` is there through both doors. */
  async program(text: string, door: Door = this.door): Promise<void> {
    const isModule = this.kind !== "commonjs" && this.kind !== "pnpm";
    const imports = isModule
      ? 'import * as pulumi from "@pulumi/pulumi";\nimport * as keyvault from "pulumi-keyvault";'
      : `const pulumi = require("@pulumi/pulumi");\nconst keyvault = require("${door === "plugin" ? "./plugin-sdk.js" : "pulumi-keyvault"}");`;
    await writeFile(join(this.folder, mainFile(this.kind)), `${imports}\n${text}\n`);
  }

  /** Writes a file of the project, such as key material. */
  async file(name: string, content: string): Promise<string> {
    const path = join(this.folder, name);
    await writeFile(path, content);
    return path;
  }

  async pulumi(...args: string[]): Promise<Run> {
    return run("pulumi", [...args, "--non-interactive", "--color", "never"], this.folder, this.env);
  }

  /** `pulumi up`, which has to succeed. */
  async up(...args: string[]): Promise<Run> {
    return succeeded(await this.tryUp(...args));
  }

  async tryUp(...args: string[]): Promise<Run> {
    return this.pulumi("up", "--yes", "--skip-preview", ...args);
  }

  async destroy(...args: string[]): Promise<Run> {
    return succeeded(await this.pulumi("destroy", "--yes", "--skip-preview", ...args));
  }

  /** The steps of a preview that change something. */
  async preview(...args: string[]): Promise<{ run: Run; steps: PreviewStep[] }> {
    const previewed = await this.pulumi("preview", "--json", ...args);
    const parsed = JSON.parse(previewed.stdout || "{}") as { steps?: PreviewStep[] };
    return { run: previewed, steps: (parsed.steps ?? []).filter(({ op }) => op !== "same") };
  }

  /** What a drift pipeline runs. Exit code 7 tells drift. Properties are by resource, such as `Key signing`. */
  async drift(): Promise<{ run: Run; steps: PreviewStep[]; properties: Record<string, string[]> }> {
    const { run: previewed, steps } = await this.preview("--refresh", "--expect-no-changes");
    const properties = Object.fromEntries(
      steps
        .filter(({ op, urn }) => op !== "refresh" && !urn.includes("pulumi:pulumi:Stack"))
        .map(({ urn, detailedDiff }) => [resourceLabel(urn), Object.keys(detailedDiff ?? {}).sort()]),
    );
    return { run: previewed, steps, properties };
  }

  async outputs(): Promise<Record<string, unknown>> {
    const recorded = exportedOutputs(this);
    if (recorded !== undefined) return recorded;
    return JSON.parse(succeeded(await this.pulumi("stack", "output", "--json", "--show-secrets")).stdout);
  }

  async resources(): Promise<StackResource[]> {
    const recorded = exportedResources(this);
    if (recorded !== undefined) return recorded;
    const exported = succeeded(await this.pulumi("stack", "export", "--show-secrets"));
    return JSON.parse(exported.stdout).deployment.resources;
  }

  async resource(name: string, type?: string): Promise<StackResource> {
    const found = (await this.resources()).find(
      ({ urn }) =>
        urn.endsWith(`::${name}`) && (type === undefined || new RegExp(`keyvault:(index:)?${type}::`).test(urn)),
    );
    if (!found) throw new Error(`The stack has no resource ${name}`);
    return found;
  }

  async remove(): Promise<void> {
    await rm(this.folder, { recursive: true, force: true });
  }
}

/** The engine's environment, with its home and its state in the folder. */
async function environment(
  folder: string,
  engine: Engine,
  env: Record<string, string>,
): Promise<Record<string, string>> {
  await mkdir(join(folder, "state"));
  await mkdir(join(folder, "home"));
  return {
    ...engine.env,
    PULUMI_HOME: join(folder, "home"),
    PULUMI_BACKEND_URL: `file://${join(folder, "state")}`,
    PULUMI_CONFIG_PASSPHRASE: "a passphrase for tests",
    ...quickStartSettings(engine.env),
    ...env,
  };
}

/** `Key signing` of a URN. */
function resourceLabel(urn: string): string {
  const [type = "", name = ""] = urn.split("::").slice(-2);
  return `${type.split(":").at(-1)} ${name}`;
}

function mainFile(kind: ProjectKind): string {
  return kind.startsWith("typescript") ? "index.ts" : "index.js";
}

async function layOut(folder: string, kind: ProjectKind, sdk: "newest" | "oldest"): Promise<void> {
  const isModule = kind === "typescript-esm";
  const manifest = { name: "test", private: true, main: mainFile(kind), ...(isModule ? { type: "module" } : {}) };
  await writeFile(join(folder, "package.json"), JSON.stringify(manifest));
  // Node runs TypeScript modules by itself; CommonJS ones are compiled by the SDK.
  const compiles = kind === "typescript";
  await writeFile(
    join(folder, "Pulumi.yaml"),
    `name: test\nruntime:\n  name: nodejs\n  options:\n    typescript: ${compiles}\n`,
  );
  if (compiles) {
    const options = { target: "es2020", module: "node16", moduleResolution: "node16", strict: true };
    await writeFile(join(folder, "tsconfig.json"), JSON.stringify({ compilerOptions: options, files: ["index.ts"] }));
  }
  const modules = join(folder, "node_modules");
  await mkdir(join(modules, "@pulumi"), { recursive: true });
  const installed = sdk === "newest" ? "node_modules" : "test/packaging/oldest-pulumi/node_modules";
  for (const name of ["@pulumi/pulumi", "typescript"]) await symlink(join(root, installed, name), join(modules, name));
  await mkdir(join(modules, "@types"));
  await symlink(join(root, "node_modules/@types/node"), join(modules, "@types/node"));
  if (kind === "pnpm") return symlink(await pnpmStore(modules, installed), join(modules, "pulumi-keyvault"));
  // Not the repository itself: the language host looks for plugins in all folders of a package.
  await mkdir(join(modules, "pulumi-keyvault"));
  for (const part of ["package.json", "dist"]) await symlink(join(root, part), join(modules, "pulumi-keyvault", part));
}

/**
 * The plugin where the project says that it is, run with the SDK that it finds there, and its schema for the program.
 */
export async function installPlugin(folder: string): Promise<void> {
  const bin = join(folder, "plugin");
  await mkdir(bin);
  const installed = join(folder, "node_modules/pulumi-keyvault");
  const command = `exec node "${installed}/dist/plugin/main.js" "$@"`;
  await writeFile(join(bin, "pulumi-resource-keyvault"), `#!/bin/sh\n${command}\n`, { mode: 0o755 });
  const plugins = "plugins:\n  providers:\n    - name: keyvault\n      path: ./plugin\n";
  await appendFile(join(folder, "Pulumi.yaml"), plugins);
  await writeFile(join(folder, "schema.json"), JSON.stringify(packageSchema("0.0.0")));
  await cp(join(__dirname, "plugin-sdk.js"), join(folder, "plugin-sdk.js"));
}

/** The package as pnpm lays it out: a real folder in a store, its dependencies beside it, nothing above it. */
async function pnpmStore(modules: string, sdkFolder: string): Promise<string> {
  const store = join(modules, ".pnpm/pulumi-keyvault@0.0.0/node_modules");
  const { dependencies, peerDependencies } = JSON.parse(await readFile(join(root, "package.json"), "utf8"));
  await cp(join(root, "dist"), join(store, "pulumi-keyvault/dist"), { recursive: true });
  await cp(join(root, "package.json"), join(store, "pulumi-keyvault/package.json"));
  for (const name of Object.keys({ ...dependencies, ...peerDependencies })) {
    await mkdir(dirname(join(store, name)), { recursive: true });
    await symlink(join(root, name in peerDependencies ? sdkFolder : "node_modules", name), join(store, name));
  }
  return join(store, "pulumi-keyvault");
}

function succeeded(finished: Run): Run {
  if (finished.exitCode !== 0) throw new Error(`pulumi ended with ${finished.exitCode}:\n${finished.text}`);
  return finished;
}

function run(command: string, args: string[], cwd: string, env: Record<string, string>): Promise<Run> {
  return new Promise((done, fail) => {
    const child = spawn(command, args, { cwd, env, stdio: ["ignore", "pipe", "pipe"] });
    const output = { stdout: "", stderr: "", text: "" };
    for (const stream of ["stdout", "stderr"] as const) {
      child[stream].setEncoding("utf8").on("data", (chunk: string) => {
        output[stream] += chunk;
        output.text += chunk;
      });
    }
    child.on("error", fail);
    child.on("close", (exitCode) => done({ exitCode: exitCode ?? -1, ...output }));
  });
}
