import { spawn } from "node:child_process";
import { generateKeyPairSync } from "node:crypto";
import {
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import { provisionEngine } from "../tools/engine/provision.mts";
import { FLOOR_MODULE } from "./engine-programs.mts";

const root = resolve(import.meta.dirname, "..");

/** Making an RSA key costs more than importing it: twenty serve all, ten of each kind. */
export const MATERIALS: readonly string[] = Array.from({ length: 20 }, (_, index) =>
  (index % 2 === 0
    ? generateKeyPairSync("rsa", { modulusLength: 2048 }).privateKey
    : generateKeyPairSync("ec", { namedCurve: "P-256" }).privateKey
  )
    .export({ type: "pkcs8", format: "pem" })
    .toString(),
);

/** Seconds of one run of the engine. */
export interface Cost {
  elapsed: number;
  /** Of the engine and all that it started, as the shell tells it. */
  processor: number;
  /** Megabytes that the provider's process had at most. Not measured where there is no `/proc`. */
  providerPeak: number;
}

/** A Pulumi project in a folder of its own, with a file backend. */
export class EngineProject {
  readonly folder = mkdtempSync(join(tmpdir(), "pulumi-keyvault-bench-"));
  readonly env: Record<string, string>;

  private constructor(engineEnv: Record<string, string>, env: Record<string, string>) {
    this.env = {
      ...engineEnv,
      PULUMI_HOME: join(this.folder, "home"),
      PULUMI_BACKEND_URL: `file://${join(this.folder, "state")}`,
      PULUMI_CONFIG_PASSPHRASE: "a passphrase for benchmarks",
      ...env,
    };
  }

  /** With the stack `dev`, the materials under `keys/`, and this package, `@pulumi/pulumi` and Azure's clients linked. */
  static async make(
    program: string,
    env: Record<string, string>,
    materials: readonly string[] = MATERIALS,
  ): Promise<EngineProject> {
    const engine = await provisionEngine();
    const project = new EngineProject(engine.env, env);
    const { folder } = project;
    for (const part of [
      "state",
      "home",
      "node_modules/@pulumi",
      "node_modules/@azure",
      "node_modules/bench-floor",
      "keys",
    ]) {
      mkdirSync(join(folder, part), { recursive: true });
    }
    symlinkSync(root, join(folder, "node_modules/pulumi-keyvault"));
    for (const name of ["@pulumi/pulumi", "@azure/keyvault-keys"]) {
      symlinkSync(join(root, "node_modules", name), join(folder, "node_modules", name));
    }
    for (const [index, material] of materials.entries()) writeFileSync(join(folder, `keys/${index}.pem`), material);
    writeFileSync(join(folder, "node_modules/bench-floor/index.js"), FLOOR_MODULE);
    writeFileSync(
      join(folder, "Pulumi.yaml"),
      "name: bench\nruntime:\n  name: nodejs\n  options:\n    typescript: false\n",
    );
    writeFileSync(join(folder, "package.json"), '{ "name": "bench", "private": true, "main": "index.js" }');
    project.program(program);
    await project.pulumi("stack", "init", "dev");
    return project;
  }

  /** Replaces the program. */
  program(text: string): void {
    writeFileSync(join(this.folder, "index.js"), text);
  }

  get stateBytes(): number {
    return statSync(join(this.folder, "state/.pulumi/stacks/bench/dev.json")).size;
  }

  pulumi(...args: string[]): Promise<Cost> {
    const script = 'pulumi "$@"; code=$?; times; exit $code';
    const begun = performance.now();
    return new Promise((done, fail) => {
      const child = spawn("bash", ["-c", script, "bash", ...args, "--non-interactive"], {
        cwd: this.folder,
        env: this.env,
        stdio: ["ignore", "pipe", "pipe"],
      });
      let text = "";
      let providerPeak = 0;
      const watch = setInterval(() => {
        providerPeak = Math.max(providerPeak, peakOf("dynamic-provider", this.folder));
      }, 200);
      for (const stream of [child.stdout, child.stderr]) {
        stream.on("data", (chunk) => {
          text += chunk;
        });
      }
      child.on("error", fail);
      child.on("close", (code) => {
        clearInterval(watch);
        if (code !== 0) fail(new Error(`pulumi ${args[0]} ended with ${code}: ${text.slice(-4000)}`));
        else done({ elapsed: (performance.now() - begun) / 1000, processor: childSeconds(text), providerPeak });
      });
    });
  }

  remove(): void {
    rmSync(this.folder, { recursive: true, force: true });
  }
}

/** Of `0m1.234s 0m0.567s`, the last line of the shell's `times`: user and system time of its children. */
function childSeconds(text: string): number {
  const lines = [...text.matchAll(/^(\d+)m([\d.]+)s (\d+)m([\d.]+)s$/gm)];
  const [, ...numbers] = lines.at(-1) ?? [];
  const [minutes = 0, seconds = 0, systemMinutes = 0, systemSeconds = 0] = numbers.map(Number);
  return (minutes + systemMinutes) * 60 + seconds + systemSeconds;
}

/** The most that the system saw of a process of ours, in megabytes: the one that runs `program` for the project in `folder`. */
function peakOf(program: string, folder: string): number {
  return megabytesOf(folder, "VmHWM", (command) => command.includes(`${program}/index.js`));
}

/**
 * Megabytes that the system tells of all processes together that have a project's folder in their environment. Not a number
 * where there is no `/proc`.
 *
 * @param field of `/proc/PID/status`: `VmRSS` what they have, `VmHWM` what they had at most.
 */
export function megabytesOf(
  folder: string,
  field: "VmRSS" | "VmHWM",
  isMeant: (command: string) => boolean = () => true,
): number {
  if (!existsSync("/proc/self/status")) return Number.NaN;
  let kilobytes = 0;
  for (const pid of readdirSync("/proc").filter((name) => /^\d+$/.test(name))) {
    try {
      if (!isMeant(readFileSync(`/proc/${pid}/cmdline`, "utf8"))) continue;
      if (!readFileSync(`/proc/${pid}/environ`, "utf8").includes(folder)) continue;
      const status = readFileSync(`/proc/${pid}/status`, "utf8");
      kilobytes += Number(new RegExp(`^${field}:\\s+(\\d+) kB$`, "m").exec(status)?.[1] ?? 0);
    } catch {
      // It has ended meanwhile, or is somebody else's.
    }
  }
  return kilobytes / 1024;
}
