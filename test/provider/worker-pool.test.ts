import { describe, expect, it } from "vitest";
import { inParallel } from "../../provider/engine/worker-pool.js";

describe("the worker pool", () => {
  it("keeps the order of the list, whichever work ends first", async () => {
    const ends: (() => void)[] = [];
    const work = inParallel(["a", "b", "c"], 3, (item) => new Promise<string>((done) => ends.push(() => done(item))));
    for (const end of ends.reverse()) end();
    expect(await work).toEqual(["a", "b", "c"]);
  });

  it("never has more at work than its limit", async () => {
    let working = 0;
    let most = 0;
    await inParallel(Array.from({ length: 40 }), 4, async () => {
      most = Math.max(most, ++working);
      await Promise.resolve();
      working--;
    });
    expect(most).toBe(4);
  });

  it("begins no further work after a failure", async () => {
    const begun: number[] = [];
    const run = inParallel([0, 1, 2, 3, 4, 5], 2, async (item) => {
      begun.push(item);
      if (item === 1) throw new Error("refused");
    });
    await expect(run).rejects.toThrow("refused");
    expect(begun).not.toContain(5);
  });

  it("does nothing for an empty list", async () => {
    expect(await inParallel([], 8, () => Promise.reject(new Error("never")))).toEqual([]);
  });
});
