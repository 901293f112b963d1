import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import { SeededRandom } from "../../emulator/seeded-random.js";
import { useRunClock } from "../../provider/engine/run-clock.js";
import { inParallel } from "../../provider/engine/worker-pool.js";
import { VirtualClock } from "../simulation/virtual-clock.js";
import { identity, nextEngineRun } from "./engine-run.js";
import { LIMITED_VAULT_URL, LimitedVault, type Outage } from "./limited-vault.js";
import { codeOf } from "./lossy-run.js";
import { key, keySet } from "./providers.js";

const wire = vi.hoisted(() => ({ connect: (): unknown => undefined }));
vi.mock("../../provider/vault/vault-access.js", () => ({ vaultClient: async () => wire.connect() }));

/** What the engine does at once, on a machine of 16 cores. */
const AT_ONCE = 64;
const CREATES_IN_TEN_SECONDS = 20;

type Arguments = Record<string, unknown>;
interface State {
  name: string;
  id: string;
  inputs: Arguments;
  outs: Arguments;
}

let told: string[];
beforeEach(() => {
  told = [];
  vi.spyOn(process.stdout, "write").mockImplementation((text) => told.push(String(text)) > 0);
});
afterEach(() => vi.restoreAllMocks());

/** A stack of many keys in a vault with the service's limits. */
class Fleet {
  readonly clock = new VirtualClock(new SeededRandom(1));
  readonly vault = new LimitedVault(this.clock);
  states: State[] = [];

  constructor() {
    wire.connect = () => this.vault.client;
    useRunClock(this.clock);
    nextEngineRun();
  }

  /** A minute in which the vault is out of reach. */
  loseVault(as: Outage["as"], afterMs: number): void {
    const from = this.clock.now() + afterMs;
    this.vault.outage = { from, to: from + 60_000, as };
  }

  /** Seconds that a run takes, and the codes of what failed in it. */
  async run<T>(items: readonly T[], work: (item: T) => Promise<unknown>) {
    const startedAt = this.clock.now();
    const codes: string[] = [];
    const all = inParallel(items, AT_ONCE, (item) =>
      work(item).catch((error: unknown) => {
        codes.push(codeOf(error));
      }),
    );
    await this.clock.drive(all);
    return { codes, seconds: (this.clock.now() - startedAt) / 1000 };
  }

  create(count: number, source: Arguments = { generate: { keyType: "EC" } }) {
    const names = Array.from({ length: count }, (_, at) => `key-${at}`);
    return this.run(names, async (name) => {
      const inputs = await this.#checked(name, source, {});
      const { id, outs } = await key.create(inputs);
      this.states.push({ name, id, inputs, outs });
    });
  }

  /** The same as one set of keys. */
  createSet(count: number) {
    const source = { generate: { keyType: "EC" } };
    const entries = Object.fromEntries(Array.from({ length: count }, (_, at) => [`key-${at}`, source]));
    return this.run(["fleet"], async (name) => {
      const { inputs, failures } = await keySet.check({}, { ...identity(name), vaultUrl: LIMITED_VAULT_URL, entries });
      expect(failures).toEqual([]);
      await keySet.create(inputs);
    });
  }

  change(args: Arguments) {
    nextEngineRun();
    return this.run(this.states, async (state) => {
      const inputs = await this.#checked(state.name, args, state.inputs);
      state.outs = (await key.update(state.id, state.outs, inputs)).outs;
      state.inputs = inputs;
    });
  }

  refresh() {
    return this.run(this.states, async (state) => {
      const { id, inputs } = await key.read(state.id, state.outs);
      expect({ id, inputs }).toEqual({ id: state.id, inputs: expect.objectContaining({ name: state.name }) });
    });
  }

  destroy() {
    nextEngineRun();
    return this.run(this.states, ({ id, outs }) => key.delete(id, outs));
  }

  async versions(): Promise<Record<string, number>> {
    const looking = this.vault.versions();
    return this.clock.drive(looking);
  }

  async #checked(name: string, args: Arguments, olds: Arguments): Promise<Arguments> {
    const news = { ...identity(name), vaultUrl: LIMITED_VAULT_URL, name, ...args };
    const { inputs, failures } = await key.check(olds, news);
    expect(failures).toEqual([]);
    return inputs;
  }
}

const outageLines = () => told.filter((line) => line.includes("does not answer any more"));

describe("500 generated keys at the service's documented limits", () => {
  it.each([0, 3_000, 9_500])(
    "take 1.05 of the limit's own time at most, where %i ms of its ten seconds have gone",
    async (passed) => {
      const fleet = new Fleet();
      await fleet.clock.pass(passed);
      const { codes, seconds } = await fleet.create(500);
      expect(codes).toEqual([]);
      // The first twenty in what is left of the ten seconds, the last twenty as soon as theirs begin.
      const least = (500 / CREATES_IN_TEN_SECONDS - 1) * 10 - passed / 1000;
      expect(seconds).toBeGreaterThanOrEqual(least);
      expect(seconds).toBeLessThanOrEqual(least * 1.05);
      const versions = Object.values(await fleet.versions());
      expect(versions).toHaveLength(500);
      expect(versions.every((count) => count === 1)).toBe(true);
      expect(told).toEqual([expect.stringContaining("takes no more requests for the moment")]);
    },
    120_000,
  );

  it("take 1.05 of it at most as one set", async () => {
    const fleet = new Fleet();
    const { codes, seconds } = await fleet.createSet(500);
    expect(codes).toEqual([]);
    expect(seconds).toBeLessThanOrEqual(240 * 1.05);
    expect(Object.values(await fleet.versions()).filter((count) => count === 1)).toHaveLength(500);
  }, 120_000);

  it("take 20 seconds where they are 60", async () => {
    const fleet = new Fleet();
    const { codes, seconds } = await fleet.create(60);
    expect(codes).toEqual([]);
    expect(seconds).toBeLessThanOrEqual(21);
  });
});

describe.each(["nobody listens", "503"] as const)("an outage of a minute, in which %s", (as) => {
  it("is ridden out by the creation of 500 keys, and told in one line", async () => {
    const fleet = new Fleet();
    fleet.loseVault(as, 100_000);
    const { codes, seconds } = await fleet.create(500);
    expect(codes).toEqual([]);
    expect(outageLines()).toHaveLength(1);
    expect(seconds).toBeLessThanOrEqual((240 + 60) * 1.05);
    expect(Object.values(await fleet.versions()).filter((count) => count !== 1)).toEqual([]);
  }, 120_000);

  it("is ridden out by the creation of a set of 500 keys", async () => {
    const fleet = new Fleet();
    fleet.loseVault(as, 100_000);
    const { codes, seconds } = await fleet.createSet(500);
    expect(codes).toEqual([]);
    expect(outageLines()).toHaveLength(1);
    expect(seconds).toBeLessThanOrEqual((240 + 60) * 1.05);
    expect(Object.values(await fleet.versions()).filter((count) => count === 1)).toHaveLength(500);
  }, 120_000);

  it.each([
    ["update", (fleet: Fleet) => fleet.change({ adopt: true, tags: { turn: "2" } })],
    ["refresh", (fleet: Fleet) => fleet.refresh()],
    ["deletion", (fleet: Fleet) => fleet.destroy()],
  ])("is ridden out by the %s of 100 keys, and told in one line", async (_what, act) => {
    const fleet = new Fleet();
    await fleet.create(100);
    fleet.loseVault(as, 100);
    const { codes, seconds } = await act(fleet);
    expect(seconds).toBeGreaterThan(60);
    expect(outageLines()).toHaveLength(1);
    if (codes.length === 0) {
      expect(seconds).toBeLessThan(70);
      return;
    }
    // What was on its way in the moment that the vault was lost, and was answered with a 503, may have been done.
    expect(as).toBe("503");
    expect(new Set(codes)).toEqual(new Set(["KV_UNCERTAIN"]));
    expect(codes.length).toBeLessThanOrEqual(AT_ONCE);
    expect(seconds).toBeLessThan(110);
    expect((await act(fleet)).codes).toEqual([]);
  });
});
