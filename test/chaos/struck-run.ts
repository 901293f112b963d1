import { spawn } from "node:child_process";
import { watch } from "node:fs";
import { join } from "node:path";
import type { Stack } from "../engine/stack.js";
import type { CuttableLine } from "./cuttable-line.js";
import { isProvider, kill, MARK, markedProcesses } from "./marked-processes.js";
import type { VaultProcess } from "./vault-process.js";

export const TARGETS = ["engine", "provider", "engine and provider", "vault", "connection"] as const;
export type Target = (typeof TARGETS)[number];

/** When and at what a run is struck: `after` so many events of a kind, and some milliseconds more. */
export interface Strike {
  target: Target;
  on: "request" | "answer" | "checkpoint";
  after: number;
  milliseconds: number;
  /** How long the vault or the line stays away. */
  awayFor: number;
  /** Whether a request that is on its way arrives. */
  arrives: boolean;
  parallel: number | undefined;
  skipCheckpoints: boolean;
  /** Whether an engine that is killed leaves its checkpoint empty, as it does in the middle of writing it. */
  emptiesCheckpoint: boolean;
}

export interface StruckRun {
  /** False where the run had ended before. */
  isStruck: boolean;
  exitCode: number;
  text: string;
  /** What the run had done when it was struck. */
  requests: number;
  answers: number;
  checkpoints: number;
}

/** `pulumi up` that is struck once. */
export async function struckRun(
  stack: Stack,
  { line, vault }: { line: CuttableLine; vault: VaultProcess },
  strike: Strike,
  mark: string,
): Promise<StruckRun> {
  const parallel = strike.parallel === undefined ? [] : ["--parallel", String(strike.parallel)];
  line.requests = 0;
  line.answers = 0;
  line.arrives = strike.arrives;
  const run: StruckRun = { isStruck: false, exitCode: -1, text: "", requests: 0, answers: 0, checkpoints: 0 };
  let checkpoints = 0;
  let repair: Promise<void> | undefined;
  const child = spawn(
    "pulumi",
    ["up", "--yes", "--skip-preview", "--non-interactive", "--color", "never", ...parallel],
    {
      cwd: stack.folder,
      env: {
        ...stack.env,
        [MARK]: mark,
        ...(strike.skipCheckpoints ? { PULUMI_SKIP_CHECKPOINTS: "true", PULUMI_EXPERIMENTAL: "true" } : {}),
      },
      stdio: ["ignore", "pipe", "pipe"],
    },
  );
  for (const stream of [child.stdout, child.stderr]) {
    stream.setEncoding("utf8").on("data", (chunk: string) => {
      run.text += chunk;
    });
  }
  let timer: NodeJS.Timeout | undefined;
  const hit = () => {
    if (child.exitCode !== null || child.signalCode !== null) return;
    Object.assign(run, { isStruck: true, requests: line.requests, answers: line.answers, checkpoints });
    if (strike.target === "vault")
      repair = vault
        .kill()
        .then(() => later(strike.awayFor))
        .then(() => vault.start());
    else if (strike.target === "connection") {
      line.cut();
      repair = later(strike.awayFor).then(() => line.mend());
    } else {
      const providers = markedProcesses(mark).filter(({ command }) => isProvider(command));
      if (strike.target !== "provider") child.kill("SIGKILL");
      if (strike.target !== "engine") for (const { pid } of providers) kill(pid);
    }
  };
  const count = (kind: Strike["on"], events: number) => {
    if (kind !== strike.on || events < strike.after || timer !== undefined) return;
    timer = setTimeout(hit, strike.milliseconds);
  };
  line.onTraffic = (kind) => count(kind, kind === "request" ? line.requests : line.answers);
  const watcher = watch(join(stack.folder, "state/.pulumi/stacks/test"), (_event, file) => {
    if (file !== "dev.json") return;
    checkpoints += 1;
    count("checkpoint", checkpoints);
  });
  // Not until the streams close: what an engine leaves behind when it is killed holds them open.
  await new Promise<void>((resolve) =>
    child.on("exit", (exitCode) => {
      run.exitCode = exitCode ?? -1;
      resolve();
    }),
  );
  clearTimeout(timer);
  watcher.close();
  line.onTraffic = () => undefined;
  await repair;
  return run;
}

function later(milliseconds: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, milliseconds));
}
