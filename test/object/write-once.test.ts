import { beforeEach, describe, expect, it, vi } from "vitest";
import { KeyVaultError } from "../../provider/keyvault/errors.js";
import { OperationDeadline } from "../../provider/object/operation-deadline.js";
import { writeOnce } from "../../provider/object/write-once.js";
import { ManualClock } from "../keyvault/manual-clock.js";

const what = 'a version of key "orders" in https://v.vault.azure.net';
const lost = new KeyVaultError("KV_TRANSPORT", "importKey got no answer (ECONNRESET)", { mayHaveHappened: true });
const outage = new KeyVaultError("KV_UNAVAILABLE", "getKey failed (503)", { retryable: true });

describe("a write that is sent once", () => {
  let clock: ManualClock;
  let sent: number;

  beforeEach(() => {
    vi.spyOn(process.stdout, "write").mockReturnValue(true);
    clock = new ManualClock();
    sent = 0;
    return () => vi.restoreAllMocks();
  });

  /** Writes with an answer that is lost; resolves with what became of it, and the time that it took. */
  const written = async (look: (ms: number) => string | undefined, timeout?: string) => {
    const start = clock.now();
    const outcome = writeOnce<string>({
      what,
      deadline: new OperationDeadline(timeout, clock),
      send: async () => {
        sent += 1;
        throw lost;
      },
      look: async () => look(clock.now() - start),
    }).catch((error: unknown) => error);
    const took = await clock.until(outcome);
    return { outcome: await outcome, took };
  };

  it("is not looked for where it was answered", async () => {
    const look = vi.fn();
    const send = async () => "answered";
    expect(await writeOnce({ what, deadline: new OperationDeadline(undefined, clock), send, look })).toBe("answered");
    expect(look).not.toHaveBeenCalled();
  });

  it("is not looked for where it was refused", async () => {
    const refused = new KeyVaultError("KV_FORBIDDEN", "no");
    const look = vi.fn();
    const send = () => Promise.reject(refused);
    const writing = writeOnce({ what, deadline: new OperationDeadline(undefined, clock), send, look });
    await expect(writing).rejects.toBe(refused);
    expect(look).not.toHaveBeenCalled();
  });

  it("is found at once where it was carried out before its answer was lost", async () => {
    expect(await written(() => "found")).toEqual({ outcome: "found", took: 0 });
    expect(sent).toBe(1);
  });

  it("is found where it is carried out late", async () => {
    const { outcome, took } = await written((ms) => (ms >= 20_000 ? "found" : undefined));
    expect(outcome).toBe("found");
    expect(took).toBeLessThan(26_000);
    expect(sent).toBe(1);
  });

  it("is looked for some thirty seconds, never sent again, and then told as uncertain with what to do", async () => {
    const { outcome, took } = await written(() => undefined);
    expect(outcome).toMatchObject({
      code: "KV_UNCERTAIN",
      message: expect.stringMatching(`${what}.*ECONNRESET`),
      mayHaveHappened: true,
      retryable: false,
      hint: expect.stringContaining("pulumi up"),
    });
    expect(took).toBeGreaterThanOrEqual(25_000);
    expect(took).toBeLessThanOrEqual(36_000);
    expect(sent).toBe(1);
  });

  it("is given up early where the resource has less time", async () => {
    const { outcome, took } = await written(() => undefined, "5s");
    expect(outcome).toMatchObject({ code: "KV_UNCERTAIN" });
    expect(took).toBeLessThanOrEqual(5_000);
  });

  it("is over where something else is there", async () => {
    const other = new KeyVaultError("KV_CONFLICT", "another version is there", { mayHaveHappened: true });
    const { outcome } = await written((ms) => {
      if (ms > 1_000) throw other;
      return undefined;
    });
    expect(outcome).toBe(other);
    expect(sent).toBe(1);
  });

  it("rides out an outage, whose looks tell nothing, and has its thirty seconds after it", async () => {
    const { outcome, took } = await written((ms) => {
      if (ms < 120_000) throw outage;
      return ms >= 140_000 ? "found" : undefined;
    });
    expect(outcome).toBe("found");
    expect(took).toBeGreaterThanOrEqual(140_000);
    expect(sent).toBe(1);
  });

  it("is no refusal of the write where a look is refused as busy, and the write is not sent again", async () => {
    const busy = new KeyVaultError("KV_CONFLICT", "getKey was refused (409)");
    const { outcome } = await written((ms) => {
      if (ms < 1_000) throw busy;
      return ms >= 2_000 ? "found" : undefined;
    });
    expect(outcome).toBe("found");
    expect(sent).toBe(1);
  });

  it("is uncertain where the outage outlasts the resource's time", async () => {
    const { outcome, took } = await written(() => {
      throw outage;
    }, "60s");
    expect(outcome).toMatchObject({ code: "KV_UNCERTAIN", message: expect.stringContaining("ECONNRESET") });
    expect(took).toBeGreaterThan(50_000);
    expect(took).toBeLessThanOrEqual(60_000);
    expect(sent).toBe(1);
  });
});
