import { spawn } from "node:child_process";
import { mkdir, mkdtemp, readFile, rm, symlink, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import { vi } from "vitest";
import { provisionEngine } from "../../tools/engine/provision.mts";

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

export interface StackOptions {
  /** JavaScript of the program; `keyvault` and `pulumi` are there already. */
  program: string;
  config?: Record<string, string>;
  env?: Record<string, string>;
}

// A run of the engine takes seconds, and more on a busy machine.
vi.setConfig({ testTimeout: 240_000, hookTimeout: 240_000 });

const root = resolve(__dirname, "../..");

/** A project in a folder of its own, on the real engine with a file backend. */
export class Stack {
  private constructor(
    readonly folder: string,
    readonly env: Record<string, string>,
  ) {}

  static async create({ program, config = {}, env = {} }: StackOptions): Promise<Stack> {
    const engine = await provisionEngine();
    const folder = await mkdtemp(join(tmpdir(), "pulumi-keyvault-"));
    await mkdir(join(folder, "state"));
    await mkdir(join(folder, "home"));
    await mkdir(join(folder, "node_modules/@pulumi"), { recursive: true });
    await symlink(root, join(folder, "node_modules/pulumi-keyvault"));
    await symlink(join(root, "node_modules/@pulumi/pulumi"), join(folder, "node_modules/@pulumi/pulumi"));
    await writeFile(
      join(folder, "Pulumi.yaml"),
      "name: test\nruntime:\n  name: nodejs\n  options:\n    typescript: false\n",
    );
    await writeFile(join(folder, "package.json"), '{ "name": "test", "private": true, "main": "index.js" }');
    const stack = new Stack(folder, {
      ...engine.env,
      PULUMI_HOME: join(folder, "home"),
      PULUMI_BACKEND_URL: `file://${join(folder, "state")}`,
      PULUMI_CONFIG_PASSPHRASE: "a passphrase for tests",
      ...env,
    });
    await stack.program(program);
    const settings = Object.entries(config).map(([key, value]) => `  ${key}: ${JSON.stringify(value)}\n`);
    await stack.pulumi("stack", "init", "dev");
    if (settings.length > 0) {
      const file = join(folder, "Pulumi.dev.yaml");
      await writeFile(file, `${await readFile(file, "utf8")}config:\n${settings.join("")}`);
    }
    return stack;
  }

  /** Replaces the program. */
  async program(text: string): Promise<void> {
    await writeFile(
      join(this.folder, "index.js"),
      `const pulumi = require("@pulumi/pulumi");\nconst keyvault = require("pulumi-keyvault");\n${text}\n`,
    );
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
    return JSON.parse(succeeded(await this.pulumi("stack", "output", "--json", "--show-secrets")).stdout);
  }

  async resources(): Promise<StackResource[]> {
    const exported = succeeded(await this.pulumi("stack", "export", "--show-secrets"));
    return JSON.parse(exported.stdout).deployment.resources;
  }

  async resource(name: string, type?: string): Promise<StackResource> {
    const found = (await this.resources()).find(
      ({ urn }) => urn.endsWith(`::${name}`) && (type === undefined || urn.includes(`keyvault:${type}::`)),
    );
    if (!found) throw new Error(`The stack has no resource ${name}`);
    return found;
  }

  async remove(): Promise<void> {
    await rm(this.folder, { recursive: true, force: true });
  }
}

/** `Key signing` of a URN. */
function resourceLabel(urn: string): string {
  const [type = "", name = ""] = urn.split("::").slice(-2);
  return `${type.split(":").at(-1)} ${name}`;
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
