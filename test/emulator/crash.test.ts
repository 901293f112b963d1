import { spawn } from "node:child_process";
import { mkdtempSync, rmSync, statSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { pathToFileURL } from "node:url";
import { describe, expect, it } from "vitest";
import { startEmulator } from "../../emulator/index.js";
import { callerOf } from "./vault-caller.js";

/** 200 before a release: CRASH_ROUNDS=200. */
const rounds = Number(process.env.CRASH_ROUNDS ?? 20);
const hooks = pathToFileURL(join(__dirname, "typescript-hooks.mjs")).href;

interface Acknowledged {
  kind: "secret" | "key" | "deleted";
  id: string;
  value?: string;
  turn?: string;
}

/** Lets a writer run until it has acknowledged some writes and a little longer, and kills it. */
function killedWriter(store: string, tag: string, writes: number, grace: number): Promise<Acknowledged[]> {
  return new Promise((resolve, reject) => {
    const child = spawn(process.execPath, ["--import", hooks, join(__dirname, "crash-writer.mts"), store, tag], {
      stdio: ["ignore", "pipe", "pipe"],
    });
    let out = "";
    let complaint = "";
    let armed = false;
    child.stdout.on("data", (chunk: Buffer) => {
      out += chunk.toString();
      if (armed || out.split("\n").length <= writes) return;
      armed = true;
      setTimeout(() => child.kill("SIGKILL"), grace);
    });
    child.stderr.on("data", (chunk: Buffer) => {
      complaint += chunk.toString();
    });
    child.on("close", (_code, signal) => {
      if (signal !== "SIGKILL") reject(new Error(`The writer ended by itself: ${complaint.slice(0, 2_000)}`));
      // A last line that was cut off was never acknowledged.
      else
        resolve(
          out
            .split("\n")
            .slice(0, -1)
            .map((line) => JSON.parse(line) as Acknowledged),
        );
    });
  });
}

describe("a store whose processes are killed", () => {
  it(`has every acknowledged write and no half version, ${rounds} times over`, async () => {
    const folder = mkdtempSync(join(tmpdir(), "kv-crash-"));
    const store = join(folder, "crash.vault");
    const all: Acknowledged[] = [];
    try {
      for (let round = 0; round < rounds; round += 1) {
        // Two processes on one file every third time.
        const tags = round % 3 === 0 ? [`r${round}a`, `r${round}b`] : [`r${round}`];
        const lists = await Promise.all(
          tags.map((tag) => killedWriter(store, tag, 1 + ((round * 7) % 40), (round * 13) % 60)),
        );
        const fresh = lists.flat();
        expect(fresh.length).toBeGreaterThan(0);
        all.push(...fresh);
        await check(store, fresh);
      }
      await check(store, all);
      expect(statSync(store).mode & 0o777).toBe(0o600);
    } finally {
      rmSync(folder, { recursive: true, force: true });
    }
  }, 900_000);
});

async function check(store: string, acknowledged: readonly Acknowledged[]): Promise<void> {
  const failures: unknown[] = [];
  const emulator = await startEmulator({ store, onFailure: (error) => failures.push(error) });
  const call = callerOf(emulator);
  try {
    for (const { kind, id, value, turn } of acknowledged) {
      if (kind === "deleted") {
        expect((await call("GET", `/deletedsecrets/${id}`)).status, id).toBe(200);
        continue;
      }
      const found = await call("GET", new URL(id).pathname);
      expect(found.status, id).toBe(200);
      if (kind === "secret") expect(found.body.value).toBe(value);
      else expect(found.body.tags).toEqual({ turn });
      expect((await call("GET", new URL(id).pathname.split("/").slice(0, 3).join("/"))).status, id).toBe(200);
    }
    expect(failures).toEqual([]);
  } finally {
    await emulator.close();
  }
}
