import { type ChildProcess, spawn } from "node:child_process";
import { resolve } from "node:path";

/** How a command ended. */
export interface CommandRun {
  exitCode: number | null;
  stdout: string;
  stderr: string;
}

export const commandLine = resolve(__dirname, "../../dist/cli/main.js");
/** What Node keeps of the modules that a command loads. */
export const compiled = resolve(__dirname, "../../node_modules/.cache/pulumi-keyvault/compiled-cli");

export interface CommandOptions {
  cwd?: string;
  env?: Record<string, string>;
  input?: string;
}

/** Runs the built command line, as an installed one runs. */
export function runCommand(args: readonly string[], options: CommandOptions = {}): Promise<CommandRun> {
  const child = startCommand(args, options);
  child.stdin?.end(options.input ?? "");
  return ended(child);
}

/** Starts it, for a command that goes on. */
export function startCommand(args: readonly string[], { cwd, env }: CommandOptions = {}): ChildProcess {
  return spawn(process.execPath, [commandLine, ...args], {
    cwd,
    // Starting a command is mostly compiling its modules, and the tests start hundreds.
    env: { ...environment(), NODE_COMPILE_CACHE: compiled, ...env },
    stdio: ["pipe", "pipe", "pipe"],
  });
}

/** Waits for the end of a command, and takes what it prints from now on. */
export function ended(child: ChildProcess): Promise<CommandRun> {
  const output = { stdout: "", stderr: "" };
  for (const stream of ["stdout", "stderr"] as const) {
    child[stream]?.setEncoding("utf8").on("data", (chunk: string) => {
      output[stream] += chunk;
    });
  }
  return new Promise((done, fail) => {
    child.on("error", fail);
    child.on("close", (exitCode) => done({ exitCode, ...output }));
  });
}

/** The environment of the tests, without what would change a command's ways. */
function environment(): NodeJS.ProcessEnv {
  const left = /^(AZURE_|KEYVAULT_|PULUMI_|GITHUB_|NO_COLOR|FORCE_COLOR|NODE_OPTIONS|VITEST)/;
  return Object.fromEntries(Object.entries(process.env).filter(([name]) => !left.test(name)));
}
