import { describe, expect, it } from "vitest";
import { openVault, refusal } from "./open-vault.js";

const words = (reason: string) =>
  `Request was not processed because too many requests were received. Reason: ${reason}`;

describe("throttling", () => {
  it("stops key creates at 20 in ten seconds, 10 for hardware keys, and nothing else with them", async () => {
    const { call, emulator } = await openVault({ throttling: true });
    emulator.clock.freeze();
    const create = (kty: string) => call("POST", "/keys/a/create", { kty });
    for (let index = 0; index < 20; index += 1) expect((await create("EC")).status).toBe(200);
    const refused = await create("EC");
    expect(refused).toMatchObject(refusal(429, "Throttled", words("VaultRequestTypeLimitReached")));
    expect(refused.headers).not.toHaveProperty("retry-after");
    for (let index = 0; index < 10; index += 1) expect((await create("EC-HSM")).status).toBe(200);
    expect((await create("EC-HSM")).status).toBe(429);
    expect((await call("GET", "/keys/a")).status).toBe(200);
    emulator.clock.advance(10_000);
    expect((await create("EC")).status).toBe(200);
  });

  it("weighs other requests by the type and size of the key", async () => {
    const { call, emulator } = await openVault({ throttling: { scale: 0.01 } });
    emulator.clock.freeze();
    await call("GET", "/keys");
    // A hundredth of 4,000, 1,000 and 500 in ten seconds.
    for (const [keySize, allowed] of [
      [2048, 40],
      [3072, 10],
      [4096, 5],
    ] as const) {
      emulator.clock.advance(1_000_000);
      const { emulator: source, call: seed } = await openVault();
      await seed("POST", "/keys/big/create", { kty: "RSA", key_size: keySize });
      const backup = await seed("POST", "/keys/big/backup");
      await source.close();
      await call("POST", "/keys/restore", backup.body);
      emulator.clock.advance(10_000);
      let served = 0;
      while ((await call("GET", "/keys/big")).status === 200) served += 1;
      expect(served).toBe(allowed);
      emulator.clock.advance(10_000);
      await call("DELETE", "/keys/big");
      await call("DELETE", "/deletedkeys/big");
    }
  });

  it("has limits of their own for secrets, and says when to come back only where asked to", async () => {
    const { call, emulator } = await openVault({ throttling: { scale: 0.01, retryAfterSeconds: 7 } });
    emulator.clock.freeze();
    for (let index = 0; index < 3; index += 1)
      expect((await call("PUT", "/secrets/a", { value: "x" })).status).toBe(200);
    const refused = await call("PUT", "/secrets/a", { value: "x" });
    expect(refused).toMatchObject(refusal(429, "Throttled", words("VaultRequestTypeLimitReached")));
    expect(refused.headers["retry-after"]).toBe("7");
    for (let index = 0; index < 40; index += 1) expect((await call("GET", "/secrets/a")).status).toBe(200);
    expect(await call("GET", "/secrets/a")).toMatchObject(
      refusal(429, "Throttled", words("VaultOperationLimitReached")),
    );
  });

  it("counts five vaults' worth for a subscription", async () => {
    const vaults = ["v-1", "v-2", "v-3", "v-4", "v-5", "v-6"];
    const { call, emulator } = await openVault({ vaults, throttling: { scale: 0.1 } });
    emulator.clock.freeze();
    const statuses: number[] = [];
    for (const vault of vaults) {
      for (let index = 0; index < 2; index += 1)
        statuses.push((await call("POST", "/keys/a/create", { kty: "EC" }, { vault })).status);
    }
    expect(statuses).toEqual([...Array(10).fill(200), 429, 429]);
  });

  it("is off unless asked for", async () => {
    const { call } = await openVault();
    for (let index = 0; index < 40; index += 1)
      expect((await call("POST", "/keys/a/create", { kty: "EC" })).status).toBe(200);
  });
});
