import { createHash } from "node:crypto";
import { readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";

const PREFIX = "pulumi-keyvault-told-";
const told = new Set<string>();

/**
 * Whether something has not been told yet in this run of the engine. A program and its providers are processes of their
 * own, each of them twice in an `up` with its preview: an empty file in the folder for temporary ones, named after the
 * engine's process, is what they have in common. Where no engine is found, or no file can be made, it is told once by
 * each process.
 */
export function isFirstInRun(topic: string): boolean {
  if (told.has(topic)) return false;
  told.add(topic);
  const engine = engineProcess();
  if (engine === undefined) return true;
  const name = `${PREFIX}${engine}-${createHash("sha256").update(topic).digest("hex").slice(0, 12)}`;
  try {
    forgetEndedRuns();
    // Never through a link, and by one process alone.
    writeFileSync(join(tmpdir(), name), "", { flag: "wx", mode: 0o600 });
    return true;
  } catch (error) {
    return !(error instanceof Error && "code" in error && error.code === "EEXIST");
  }
}

/** The process of the engine above this one, with the moment of its start: numbers of processes come again. */
function engineProcess(): string | undefined {
  let pid = process.ppid;
  for (let level = 0; level < 8 && pid > 1; level++) {
    const found = readProcess(pid);
    if (found === undefined) return undefined;
    if (found.name === "pulumi") return `${pid}-${found.start}`;
    pid = found.parent;
  }
  return undefined;
}

/** As Linux tells it: `pid (name) state parent …`, the start as the 22nd. Other systems have no such file. */
function readProcess(pid: number): { name: string; parent: number; start: string } | undefined {
  try {
    const [, name = "", rest = ""] = /^\d+ \((.*)\) (.*)$/s.exec(readFileSync(`/proc/${pid}/stat`, "utf8")) ?? [];
    const fields = rest.trim().split(" ");
    return { name, parent: Number(fields[1]), start: fields[19] ?? "" };
  } catch {
    return undefined;
  }
}

function forgetEndedRuns(): void {
  for (const name of readdirSync(tmpdir())) {
    const [, pid, start] = /^pulumi-keyvault-told-(\d+)-(\d+)-/.exec(name) ?? [];
    if (pid === undefined || readProcess(Number(pid))?.start === start) continue;
    rmSync(join(tmpdir(), name), { force: true });
  }
}
