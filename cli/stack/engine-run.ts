import { spawn } from "node:child_process";
import { CliError } from "../failure/cli-error.js";

/** Engines at once. Each is a process of its own, with a program and a provider beside it. */
export const MOST_ENGINES = 4;

/** How one run of the engine ended. */
export interface EngineRun {
  exitCode: number;
  stdout: string;
  stderr: string;
}

/**
 * Runs `pulumi` in the current folder. Without PULUMI_SKIP_CONFIRMATIONS, which the engine takes for `--yes` and
 * refuses beside a preview.
 *
 * @throws CliError `KV_ENGINE_NOT_FOUND`
 */
export function runEngine(args: readonly string[]): Promise<EngineRun> {
  const { PULUMI_SKIP_CONFIRMATIONS: _unwanted, ...env } = process.env;
  return new Promise((done, fail) => {
    const child = spawn("pulumi", args, { env, stdio: ["ignore", "pipe", "pipe"] });
    const output = { stdout: "", stderr: "" };
    for (const stream of ["stdout", "stderr"] as const) {
      child[stream].setEncoding("utf8").on("data", (chunk: string) => {
        output[stream] += chunk;
      });
    }
    // A pipeline that is cancelled ends this process alone: the engine is to end with it.
    const end = (): boolean => child.kill("SIGTERM");
    process.once("SIGTERM", end);
    child.on("exit", () => process.off("SIGTERM", end));
    child.on("error", (error: NodeJS.ErrnoException) => {
      fail(
        new CliError(
          "KV_ENGINE_NOT_FOUND",
          `pulumi cannot be run (${error.code ?? "unknown error"}): install the Pulumi CLI and put it on PATH (https://www.pulumi.com/docs/install), or read a preview with --from`,
        ),
      );
    });
    child.on("close", (exitCode, signal) => done({ exitCode: exitCode ?? signalCode(signal), ...output }));
  });
}

/** As shells have it. */
function signalCode(signal: NodeJS.Signals | null): number {
  return signal === "SIGINT" ? 130 : signal === "SIGTERM" ? 143 : 1;
}
