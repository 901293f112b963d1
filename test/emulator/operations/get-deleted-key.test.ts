import { describe, expect, it } from "vitest";
import { openVault, refusal } from "../open-vault.js";

describe("getDeletedKey", () => {
  it("gives what the delete answered", async () => {
    const { call } = await openVault();
    await call("POST", "/keys/a/create", { kty: "EC", attributes: { enabled: false } });
    const deleted = await call("DELETE", "/keys/a");
    expect((await call("GET", "/deletedkeys/A")).body).toEqual(deleted.body);
  });

  it("misses what was never deleted, and what retention has ended for", async () => {
    const { call, emulator } = await openVault({ vaults: [{ name: "seven", retentionDays: 7 }] });
    await call("POST", "/keys/a/create", { kty: "EC" });
    const words = "Deleted Key not found: a";
    expect(await call("GET", "/deletedkeys/a")).toMatchObject(refusal(404, "KeyNotFound", words));
    await call("DELETE", "/keys/a");
    emulator.clock.advance(7 * 86_400_000);
    expect(await call("GET", "/deletedkeys/a")).toMatchObject(refusal(404, "KeyNotFound", words));
    expect((await call("POST", "/keys/a/create", { kty: "EC" })).status).toBe(200);
  });
});
