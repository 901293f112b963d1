import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import { KeyVaultError } from "../../provider/keyvault/errors.js";
import { ifPresent, OperationDeadline } from "../../provider/object/operation-deadline.js";
import { ManualClock } from "../keyvault/manual-clock.js";

const awaited = 'the deletion of key "orders" in https://v.vault.azure.net to end';
const busy = new KeyVaultError("KV_BUSY", "is being deleted");

describe("deadline", () => {
  let clock: ManualClock;
  let told: string[];

  beforeEach(() => {
    clock = new ManualClock();
    told = [];
    vi.spyOn(process.stdout, "write").mockImplementation((text) => told.push(String(text).trimEnd()) > 0);
  });
  afterEach(() => vi.restoreAllMocks());

  /** A look that finds something once so many milliseconds have passed. */
  const foundAfter = (ms: number): (() => Promise<string | undefined>) => {
    const at = clock.now() + ms;
    return async () => (clock.now() >= at ? "found" : undefined);
  };

  it("says nothing of a wait of seconds", async () => {
    const waiting = new OperationDeadline(undefined, clock).until(awaited, foundAfter(4_000));
    await clock.until(waiting);
    expect(await waiting).toBe("found");
    expect(told).toEqual([]);
  });

  it("says what it waits for after five seconds and then every thirty, a line each, with the time that has passed", async () => {
    await clock.until(new OperationDeadline(undefined, clock).until(awaited, foundAfter(80_000)));
    expect(told.map((line) => line.replace(/\(.*\)$/, ""))).toEqual(Array(3).fill(`waiting for ${awaited} `));
    const seconds = told
      .map((line) => /\((?:(\d+) min )?(\d+) s\)$/.exec(line))
      .map((m) => Number(m?.[1] ?? 0) * 60 + Number(m?.[2]));
    expect(seconds[0]).toBeGreaterThanOrEqual(5);
    expect(seconds[0]).toBeLessThanOrEqual(10);
    for (const [i, at] of seconds.slice(1).entries()) {
      expect(at - (seconds[i] ?? 0)).toBeGreaterThanOrEqual(30);
      expect(at - (seconds[i] ?? 0)).toBeLessThanOrEqual(35);
    }
  });

  it("looks soon at first, and never less often than every five seconds", async () => {
    const looks: number[] = [];
    const start = clock.now();
    const look = foundAfter(60_000);
    await clock.until(
      new OperationDeadline(undefined, clock).until(awaited, () => {
        looks.push(clock.now() - start);
        return look();
      }),
    );
    expect(looks.slice(0, 3)).toEqual([0, 100, 260]);
    expect(Math.max(...looks.slice(1).map((at, i) => at - (looks[i] ?? 0)))).toBe(5_000);
  });

  it.each([
    [undefined, 600_000],
    ["90s", 90_000],
    ["1h30m", 5_400_000],
  ])("gives up in time where the resource has %s, and says after how long and on what", async (timeout, limit) => {
    const waiting = new OperationDeadline(timeout, clock).until(awaited, async () => undefined);
    const took = await clock.until(waiting);
    await expect(waiting).rejects.toMatchObject({ code: "KV_TIMEOUT", hint: expect.stringContaining("timeouts") });
    await expect(waiting).rejects.toThrow(`for ${awaited}`);
    expect(took).toBeLessThanOrEqual(limit);
    expect(took).toBeGreaterThan(limit - 6_000);
  });

  it("shares its time between the waits of one operation", async () => {
    const deadline = new OperationDeadline("10s", clock);
    await clock.until(deadline.until("the first", foundAfter(8_000)));
    const second = deadline.until("the second", foundAfter(8_000));
    await clock.until(second);
    await expect(second).rejects.toMatchObject({ code: "KV_TIMEOUT" });
  });

  it("waits at least as long as a throttled vault asks for", async () => {
    const throttled = new KeyVaultError("KV_THROTTLED", "too many", { retryAfterMs: 7_000 });
    const start = clock.now();
    await clock.until(new OperationDeadline(undefined, clock).pause(awaited, throttled));
    expect(clock.now() - start).toBe(7_000);
  });

  it("gives each request the time that the resource has left, enough for a last look, and else the client's own", async () => {
    expect(new OperationDeadline(undefined, clock).call).toEqual({});
    const limited = new OperationDeadline("10s", clock);
    expect(limited.call).toEqual({ timeoutMs: 10_000 });
    await clock.advance(4_000);
    expect(limited.call).toEqual({ timeoutMs: 6_000 });
    await clock.advance(60_000);
    expect(limited.call).toEqual({ timeoutMs: 2_000 });
  });

  it("repeats a call for as long as the object is busy, and no other failure", async () => {
    let calls = 0;
    const call = async (): Promise<number> => {
      calls += 1;
      if (calls < 4) throw busy;
      return calls;
    };
    const waiting = new OperationDeadline(undefined, clock).whileBusy(awaited, call);
    await clock.until(waiting);
    expect(await waiting).toBe(4);
    const refused = new KeyVaultError("KV_FORBIDDEN", "not yours");
    const uncertain = new KeyVaultError("KV_CONFLICT", "perhaps done", { mayHaveHappened: true });
    for (const failure of [refused, uncertain]) {
      const call = () => Promise.reject(failure);
      await expect(new OperationDeadline(undefined, clock).whileBusy(awaited, call)).rejects.toBe(failure);
    }
  });
});

describe("ifPresent", () => {
  it("takes the vault's 404 for absence, and nothing else", async () => {
    expect(await ifPresent(Promise.reject(new KeyVaultError("KV_NOT_FOUND", "no")))).toBeUndefined();
    for (const code of ["KV_FORBIDDEN", "KV_THROTTLED", "KV_UNAVAILABLE", "KV_TIMEOUT", "KV_TRANSPORT"] as const) {
      await expect(ifPresent(Promise.reject(new KeyVaultError(code, "no")))).rejects.toMatchObject({ code });
    }
  });
});
