import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import { type Emulator, startEmulator } from "../../emulator/index.js";
import { ecKey } from "../engine/demo-keys.js";
import { call } from "../engine/vault-by-hand.js";
import type { Arguments } from "./driven-resource.js";
import { nextEngineRun } from "./engine-run.js";
import { holdings, LossyConnection, LossyProgram } from "./lossy-run.js";
import { key, keyBackup, secret } from "./providers.js";

const wire = vi.hoisted(() => ({ connect: (): unknown => undefined }));
vi.mock("../../provider/vault/vault-access.js", () => ({ vaultClient: async () => wire.connect() }));

const rotation = { rotateAfter: "P90D" };

/** A resource, what two programs say of it, and what the vault then holds. */
const RESOURCES = {
  "an imported key": {
    provider: key,
    collection: "keys",
    programs: [
      { import: { jwk: ecKey().jwk }, tags: { a: "1" } },
      { import: { jwk: ecKey().jwk }, rotationPolicy: rotation },
    ],
    goals: [{ orders: 1 }, { orders: 2 }, { orders: "deleted" }],
  },
  "a generated key": {
    provider: key,
    collection: "keys",
    programs: [
      { generate: { keyType: "EC" }, rotationPolicy: rotation },
      { generate: { keyType: "EC", keepers: { year: "2027" } }, previousVersions: "disable", tags: { a: "2" } },
    ],
    goals: [{ orders: 1 }, { orders: 2 }, { orders: "deleted" }],
  },
  "a secret": {
    provider: secret,
    collection: "secrets",
    programs: [{ value: "first" }, { value: "second", tags: { a: "2" } }],
    goals: [{ orders: 1 }, { orders: 2 }, { orders: "deleted" }],
  },
  "a backup": {
    provider: keyBackup,
    collection: "keys",
    programs: [{}, { version: "of another update" }],
    goals: [{ orders: 1 }, { orders: 1 }, { orders: 1 }],
    prepare: (vault: Emulator) => call(vault, "POST", "/keys/orders/create", { kty: "EC" }),
  },
} as const;

const RUNS = ["creation", "update", "refresh", "deletion"] as const;
const MOMENTS = ["before", "after"] as const;

let vault: Emulator;
beforeEach(async () => {
  vault = await startEmulator();
  vi.spyOn(process.stdout, "write").mockReturnValue(true);
});
afterEach(async () => {
  vi.restoreAllMocks();
  await vault.close();
});

describe.each(Object.entries(RESOURCES))("a provider that is killed while it works at %s", (_what, resource) => {
  const { provider, collection, programs, goals } = resource;
  const [first, second]: readonly Arguments[] = programs;
  const [ofFirst, ofSecond, ofNone] = goals;

  /** The run that is killed, what the next one has to do, and what the vault holds then. */
  const runOf = (run: (typeof RUNS)[number]) =>
    ({
      creation: { before: undefined, after: first, goal: ofFirst },
      update: { before: first, after: second, goal: ofSecond },
      refresh: { before: first, after: first, goal: ofFirst },
      deletion: { before: first, after: undefined, goal: ofNone },
    })[run];

  /** @returns whether the run came to that request. */
  const killedAt = async (run: (typeof RUNS)[number], count: number, moment: "before" | "after"): Promise<boolean> => {
    if ("prepare" in resource) await resource.prepare(vault);
    const { before, after, goal } = runOf(run);
    const connection = new LossyConnection(vault);
    wire.connect = () => connection.client;
    const program = new LossyProgram(provider, vault, "orders");
    if (before !== undefined) expect(await program.up(before)).toBeUndefined();
    const { state } = program;
    const killed = connection.killAt(count, moment);
    const refresh = async () => {
      nextEngineRun();
      if (state !== undefined) await program.resource.refreshed(state);
      return undefined;
    };
    const outcome = await Promise.race([run === "refresh" ? refresh() : program.up(after), killed]);
    const isKilled = outcome === "killed";
    expect(isKilled ? undefined : outcome).toBeUndefined();
    // What state said before the run is all that is left of it.
    program.state = isKilled ? state : program.state;
    const next = new LossyConnection(vault);
    wire.connect = () => next.client;
    if (isKilled) expect(await program.up(after)).toBeUndefined();
    expect(await holdings(vault, collection)).toEqual(goal);
    if (program.state !== undefined) expect(await program.resource.drift(program.state)).toEqual({});
    return isKilled;
  };

  it.each(RUNS.flatMap((run) => MOMENTS.map((moment) => [run, moment] as const)))(
    "loses nothing of its %s, %s any of its requests",
    async (run, moment) => {
      let count = 0;
      while (await killedAt(run, count, moment)) {
        count += 1;
        await vault.close();
        vault = await startEmulator();
      }
      const asksNothing = run === "deletion" && "prepare" in resource;
      expect(count > 0).toBe(!asksNothing);
    },
    60_000,
  );
});
