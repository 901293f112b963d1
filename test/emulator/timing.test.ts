import { describe, expect, it } from "vitest";
import { createTiming } from "../../emulator/clock/timing.js";
import { SeededRandom } from "../../emulator/seeded-random.js";
import { openVault } from "./open-vault.js";

describe("timing", () => {
  it("of the recordings has their percentiles", () => {
    const timing = createTiming("recorded", new SeededRandom(1), "vault");
    const draws = (draw: () => number) =>
      Array.from({ length: 20_000 }, draw)
        .sort((left, right) => left - right)
        .map((milliseconds) => milliseconds / 1000);
    for (const [draw, [p50, p90, p99, max]] of [
      [() => timing.deleting("keys"), [16, 34, 83, 139]],
      [() => timing.deleting("secrets"), [16, 34, 113, 149]],
      [() => timing.recovering("keys"), [18, 30, 74, 90]],
      [() => timing.purging("secrets"), [19, 30, 69, 69]],
    ] as const) {
      const sorted = draws(draw);
      const at = (rank: number) => sorted[Math.floor(rank * (sorted.length - 1))] ?? 0;
      expect(Math.abs(at(0.5) - p50)).toBeLessThan(1);
      expect(Math.abs(at(0.9) - p90)).toBeLessThan(2);
      expect(Math.abs(at(0.99) - p99)).toBeLessThan(6);
      expect(at(1)).toBeLessThanOrEqual(max);
    }
  });

  it("is the same twice from one seed", () => {
    const draw = (seed: string) => {
      const timing = createTiming("recorded", new SeededRandom(seed), "vault");
      return Array.from({ length: 10 }, () => timing.deleting("keys")).join();
    };
    expect(draw("a")).toBe(draw("a"));
    expect(draw("a")).not.toBe(draw("b"));
  });

  it("passes on the emulator's clock only", async () => {
    const { call, emulator } = await openVault({ timing: "recorded" });
    emulator.clock.freeze();
    await call("PUT", "/secrets/a", { value: "x" });
    await call("DELETE", "/secrets/a");
    expect((await call("GET", "/deletedsecrets/a")).status).toBe(404);
    emulator.clock.advance(149_000);
    expect((await call("GET", "/deletedsecrets/a")).status).toBe(200);
  });

  it("may be moved by parts of a millisecond, which no stored moment has", async () => {
    const { call, emulator } = await openVault();
    emulator.clock.advance(0.6);
    await call("PUT", "/secrets/a", { value: "x" });
    expect((await call("DELETE", "/secrets/a")).status).toBe(200);
  });

  it("does not exist on a Managed HSM, which deletes at once", async () => {
    const { call } = await openVault({ timing: "recorded", vaults: [{ name: "hsm", plane: "managedhsm" }] });
    await call("POST", "/keys/a/create", { kty: "EC" });
    await call("DELETE", "/keys/a");
    expect((await call("GET", "/deletedkeys/a")).status).toBe(200);
  });
});
