import { type ChildProcess, spawn } from "node:child_process";
import { createInterface } from "node:readline";
import type { Environment } from "./user-folders.mts";

export interface RunOptions {
  cwd?: string;
  env: Environment;
  /** What the program reads from its standard input. */
  input?: string;
  /** Ends the program when it runs longer than this. */
  timeoutMs?: number;
  /** Ends the program when it has written nothing for this long. */
  silenceMs?: number;
  onErrorLine?: (line: string) => void;
}

export interface Finished {
  exitCode: number;
  stdout: string;
  stderr: string;
}

/** Runs a program to its end. Rejects when it cannot be started, or had to be ended; an exit code is an answer. */
export async function run(command: string, args: readonly string[], options: RunOptions): Promise<Finished> {
  const child = spawn(command, args, {
    cwd: options.cwd,
    env: { ...options.env },
    stdio: ["pipe", "pipe", "pipe"],
  });
  const release = endWithUs(child);
  // A program that ends without reading closes the pipe: that is its affair.
  child.stdin.on("error", () => {});
  child.stdin.end(options.input);
  let ended: string | undefined;
  const end = (why: string) => {
    ended = why;
    child.kill("SIGKILL");
  };
  const deadline = options.timeoutMs && setTimeout(end, options.timeoutMs, `took longer than ${options.timeoutMs} ms`);
  let silence = options.silenceMs && setTimeout(end, options.silenceMs, `wrote nothing for ${options.silenceMs} ms`);

  let stdout = "";
  const lastErrors: string[] = [];
  child.stdout.setEncoding("utf8").on("data", (text: string) => {
    stdout += text;
  });
  createInterface({ input: child.stderr }).on("line", (line) => {
    lastErrors.push(line);
    if (lastErrors.length > 40) lastErrors.shift();
    if (options.silenceMs) {
      clearTimeout(silence);
      silence = setTimeout(end, options.silenceMs, `wrote nothing for ${options.silenceMs} ms`);
    }
    options.onErrorLine?.(line);
  });
  try {
    const exitCode = await new Promise<number>((resolve, reject) => {
      child.once("error", reject);
      child.once("close", (code) => resolve(code ?? -1));
    });
    if (ended) throw new Error(`${command} ${args[0] ?? ""} ${ended} and was ended`);
    return { exitCode, stdout, stderr: lastErrors.join("\n") };
  } finally {
    clearTimeout(deadline);
    clearTimeout(silence);
    release();
  }
}

const SIGNALS = ["SIGINT", "SIGTERM", "SIGHUP"] as const;

/** A child must not outlive us: it would go on building what nobody waits for. */
function endWithUs(child: ChildProcess): () => void {
  const onExit = () => {
    child.kill("SIGINT");
  };
  const onSignal = (signal: NodeJS.Signals) => {
    child.kill("SIGINT");
    release();
    process.kill(process.pid, signal);
  };
  const release = () => {
    process.off("exit", onExit);
    for (const signal of SIGNALS) process.off(signal, onSignal);
  };
  process.on("exit", onExit);
  for (const signal of SIGNALS) process.on(signal, onSignal);
  return release;
}
