import { describe, expect, it } from "vitest";
import { openVault, refusal } from "../open-vault.js";

describe("purgeDeletedKey", () => {
  it("answers nothing, at once, and blocks restores until it has settled", async () => {
    const { call, emulator } = await openVault({ timing: "short" });
    emulator.clock.freeze();
    await call("POST", "/keys/a/create", { kty: "EC" });
    const backup = await call("POST", "/keys/a/backup");
    await call("DELETE", "/keys/a");
    emulator.clock.advance(300);
    const purged = await call("DELETE", "/deletedkeys/a");
    expect([purged.status, purged.text, purged.headers["content-type"]]).toEqual([204, "", undefined]);
    expect((await call("GET", "/deletedkeys/a")).status).toBe(404);
    expect(await call("POST", "/keys/restore", backup.body)).toMatchObject(
      refusal(409, "Conflict", /^There was a conflict restoring the key '/),
    );
    emulator.clock.advance(300);
    expect((await call("POST", "/keys/restore", backup.body)).status).toBe(200);
  });

  it("is not allowed under purge protection, and the vault says so in its level", async () => {
    const { call } = await openVault({ vaults: [{ name: "kept", purgeProtection: true, location: "westeurope" }] });
    const made = await call("POST", "/keys/a/create", { kty: "EC" });
    expect(made.body.attributes).toMatchObject({ recoveryLevel: "Recoverable", recoverableDays: 90 });
    await call("DELETE", "/keys/a");
    const refused = await call("DELETE", "/deletedkeys/a");
    expect(refused).toMatchObject(
      refusal(
        403,
        "Forbidden",
        'Operation "purge" is not allowed because purge protection is enabled for this vault. Key Vault service will automatically purge it after the retention period has passed.\r\nVault: kept;location=westeurope',
      ),
    );
    expect(refused.body.error).not.toHaveProperty("innererror");
  });

  it("does not exist without soft delete", async () => {
    const { call } = await openVault({ vaults: [{ name: "final", softDelete: false }] });
    expect(await call("DELETE", "/deletedkeys/a")).toMatchObject(
      refusal(400, "NotSupported", 'Operation "purge" is not enabled for this vault.'),
    );
  });

  it("misses what is not deleted", async () => {
    const { call } = await openVault();
    expect(await call("DELETE", "/deletedkeys/a")).toMatchObject(refusal(404, "KeyNotFound"));
  });
});
