import { readdir, readFile } from "node:fs/promises";
import { join } from "node:path";
import { parseArgs } from "node:util";
import { replayInClientMode } from "./client-mode.js";
import { replayInEmulatorMode } from "./emulator-mode.js";
import { parseRecording, type Verdict } from "./recording.js";

const MODES = { client: replayInClientMode, emulator: replayInEmulatorMode };
type Mode = keyof typeof MODES;

interface Tally {
  passed: number;
  failed: number;
  skipped: Map<string, number>;
}

/** Replays a folder of recordings in both modes: a line per failure, a count per reason of a skip, the sums. */
async function run(folder: string, modes: readonly Mode[]): Promise<Tally> {
  const files = (await readdir(folder)).filter((name) => name.endsWith(".json")).sort();
  const tally: Tally = { passed: 0, failed: 0, skipped: new Map() };
  for (const mode of modes) {
    for (const file of files) count(tally, mode, file, await replay(mode, folder, file));
  }
  return tally;
}

/** A file that cannot be read or breaks the replay off has failed; the others are replayed all the same. */
async function replay(mode: Mode, folder: string, file: string): Promise<Verdict> {
  try {
    return await MODES[mode](parseRecording(file, await readFile(join(folder, file), "utf8")));
  } catch (error) {
    const why = error instanceof Error ? error.stack : String(error);
    return { status: "failed", failures: [`the replay broke off: ${why}`] };
  }
}

function count(tally: Tally, mode: Mode, file: string, verdict: Verdict): void {
  if (verdict.status === "passed") tally.passed++;
  else if (verdict.status === "failed") {
    tally.failed++;
    for (const failure of verdict.failures) console.log(`failed ${mode} ${file}: ${failure.replace(/\s+/g, " ")}`);
  } else {
    const reason = `${mode}: ${verdict.reason}`;
    tally.skipped.set(reason, (tally.skipped.get(reason) ?? 0) + 1);
  }
}

async function main(): Promise<void> {
  const { values, positionals } = parseArgs({ allowPositionals: true, options: { mode: { type: "string" } } });
  const [folder] = positionals;
  if (folder === undefined || (values.mode !== undefined && !(values.mode in MODES))) {
    console.error("usage: npm run conformance -- FOLDER [--mode client|emulator]");
    process.exitCode = 2;
    return;
  }
  const modes = (Object.keys(MODES) as Mode[]).filter((mode) => values.mode === undefined || values.mode === mode);
  const { passed, failed, skipped } = await run(folder, modes);
  for (const [reason, files] of [...skipped].sort()) console.log(`skipped ${files}, ${reason}`);
  const skips = [...skipped.values()].reduce((sum, files) => sum + files, 0);
  console.log(`${passed} passed, ${failed} failed, ${skips} skipped`);
  if (failed > 0) process.exitCode = 1;
}

main().catch((error: unknown) => {
  console.error(error instanceof Error ? error.message : String(error));
  process.exitCode = 2;
});
