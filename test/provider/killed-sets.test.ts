import { setImmediate } from "node:timers/promises";
import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import { type Emulator, startEmulator } from "../../emulator/index.js";
import { ecKey } from "../engine/demo-keys.js";
import type { Arguments } from "./driven-resource.js";
import { holdings, LossyConnection, LossyProgram } from "./lossy-run.js";
import { keySet } from "./providers.js";

const wire = vi.hoisted(() => ({ connect: (): unknown => undefined }));
vi.mock("../../provider/vault/vault-access.js", () => ({ vaultClient: async () => wire.connect() }));

const imported = { import: { jwk: ecKey().jwk } };
const generated = { generate: { keyType: "EC" } };
const first: Arguments = {
  entries: { imported, generated, tagged: { import: { jwk: ecKey().jwk } }, rotated: generated, leaving: imported },
};
const { tagged, leaving: _leaving, ...others } = first.entries as Record<string, Arguments>;
const second: Arguments = {
  removed: "delete",
  entries: {
    ...others,
    imported: { import: { jwk: ecKey().jwk } },
    generated: { generate: { keyType: "EC", keepers: { year: "2027" } } },
    tagged: { ...tagged, tags: { team: "orders" } },
    rotated: { ...generated, rotationPolicy: { rotateAfter: "P90D" } },
    added: generated,
  },
};
const ofFirst = { imported: 1, generated: 1, tagged: 1, rotated: 1, leaving: 1 };
const ofSecond = { imported: 2, generated: 2, tagged: 1, rotated: 1, added: 1, leaving: "deleted" };
const ofNone = Object.fromEntries(Object.keys(ofFirst).map((name) => [name, "deleted"]));

/** The last run, of a program that was run before as far as it was. */
const RUNS: [what: string, before: Arguments | undefined, after: Arguments | undefined, goal: Arguments][] = [
  ["creation", undefined, first, ofFirst],
  ["update", first, second, ofSecond],
  ["deletion", first, undefined, ofNone],
];
const MOMENTS = ["before", "after"] as const;

let vault: Emulator;
let isLoaded = false;

/** What a run loads late would keep some keys of a killed one from dying with the others. */
async function loadEverything(): Promise<void> {
  if (isLoaded) return;
  const connection = new LossyConnection(vault);
  wire.connect = () => connection.client;
  const program = new LossyProgram(keySet, vault, undefined);
  for (const args of [first, second, undefined]) await program.up(args);
  await vault.close();
  vault = await startEmulator();
  isLoaded = true;
}

beforeEach(async () => {
  vi.spyOn(process.stdout, "write").mockReturnValue(true);
  vault = await startEmulator();
  await loadEverything();
});
afterEach(async () => {
  vi.restoreAllMocks();
  await vault.close();
});

/** The keys of a set run beside each other, and each of them dies at its own request. */
async function everyKeyDied({ sent }: LossyConnection): Promise<void> {
  for (let before = -1; before < sent.length; ) {
    before = sent.length;
    for (let turn = 0; turn < 50; turn += 1) await setImmediate();
  }
}

describe.each(RUNS)("the %s of a set of keys", (_what, before, after, goal) => {
  /** @returns whether the run came to that request. */
  const killedAt = async (count: number, moment: (typeof MOMENTS)[number]): Promise<boolean> => {
    const connection = new LossyConnection(vault);
    wire.connect = () => connection.client;
    const program = new LossyProgram(keySet, vault, undefined);
    if (before !== undefined) expect(await program.up(before)).toBeUndefined();
    const { state } = program;
    const killed = connection.killAt(count, moment);
    const outcome = await Promise.race([program.up(after), killed]);
    const isKilled = outcome === "killed";
    await everyKeyDied(connection);
    // What state said before the run is all that is left of it.
    program.state = isKilled ? state : program.state;
    const next = new LossyConnection(vault);
    wire.connect = () => next.client;
    if (isKilled) expect(await program.up(after)).toBeUndefined();
    expect(await holdings(vault, "keys")).toEqual(goal);
    if (program.state !== undefined) expect(await program.resource.drift(program.state)).toEqual({});
    return isKilled;
  };

  it.each(MOMENTS)(
    "comes out right in the next run where it is killed %s any of its requests",
    async (moment) => {
      let count = 0;
      while (await killedAt(count, moment)) {
        count += 1;
        await vault.close();
        vault = await startEmulator();
      }
      expect(count).toBeGreaterThan(4);
    },
    120_000,
  );
});
