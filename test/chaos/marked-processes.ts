import { readdirSync, readFileSync } from "node:fs";

/** The environment variable by which the processes of one run are known, whoever has started them. */
export const MARK = "KEYVAULT_CHAOS_RUN";

/** Linux only: processes that run with this mark, zombies left out. */
export function markedProcesses(mark: string): { pid: number; command: string }[] {
  return readdirSync("/proc")
    .filter((entry) => /^\d+$/.test(entry) && Number(entry) !== process.pid)
    .flatMap((entry) => {
      try {
        const environment = readFileSync(`/proc/${entry}/environ`, "latin1").split("\0");
        if (!environment.includes(`${MARK}=${mark}`)) return [];
        return [
          {
            pid: Number(entry),
            command: readFileSync(`/proc/${entry}/cmdline`, "latin1").replaceAll("\0", " ").trim(),
          },
        ];
      } catch {
        // It has ended meanwhile.
        return [];
      }
    });
}

export function isProvider(command: string): boolean {
  return /^\S*node\S* .*dynamic-provider/.test(command);
}

export function kill(pid: number): void {
  try {
    process.kill(pid, "SIGKILL");
  } catch {
    // It has ended by itself.
  }
}
