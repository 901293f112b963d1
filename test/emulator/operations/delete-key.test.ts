import { describe, expect, it } from "vitest";
import { openVault, refusal } from "../open-vault.js";

describe("deleteKey", () => {
  it("answers the key with its dates, exact to the second", async () => {
    const { call } = await openVault({ vaults: [{ name: "ten", retentionDays: 10 }] });
    const made = await call("POST", "/keys/a/create", { kty: "EC", tags: { x: "y" } });
    const { body } = await call("DELETE", "/keys/a");
    expect(Object.keys(body)).toEqual(["recoveryId", "deletedDate", "scheduledPurgeDate", "key", "attributes", "tags"]);
    expect(body).toMatchObject(made.body);
    expect((body.scheduledPurgeDate as number) - (body.deletedDate as number)).toBe(10 * 86_400);
    expect(body.recoveryId).toMatch(/\/deletedkeys\/a$/);
  });

  it("takes its time: the name is blocked and the deleted key is not there yet", async () => {
    const { call, emulator } = await openVault({ timing: "short" });
    emulator.clock.freeze();
    await call("POST", "/keys/a/create", { kty: "EC" });
    await call("DELETE", "/keys/a");
    expect((await call("GET", "/keys/a")).status).toBe(404);
    expect(await call("DELETE", "/keys/a")).toMatchObject(refusal(404, "KeyNotFound"));
    expect(await call("GET", "/deletedkeys/a")).toMatchObject(refusal(404, "KeyNotFound", "Deleted Key not found: a"));
    expect(await call("POST", "/keys/a/create", { kty: "EC" })).toMatchObject(
      refusal(
        409,
        "Conflict",
        "Key a is currently being deleted and cannot be re-created; retry later.",
        "ObjectIsBeingDeleted",
      ),
    );
    expect(await call("POST", "/deletedkeys/a/recover")).toMatchObject(
      refusal(409, "Conflict", "Key a is currently being deleted.", "ObjectIsBeingDeleted"),
    );
    expect(await call("DELETE", "/deletedkeys/a")).toMatchObject(
      refusal(409, "Conflict", "Key is currently being deleted.", "ObjectIsBeingDeleted"),
    );
    emulator.clock.advance(300);
    expect((await call("GET", "/deletedkeys/a")).status).toBe(200);
    expect(await call("POST", "/keys/a/create", { kty: "EC" })).toMatchObject(
      refusal(
        409,
        "Conflict",
        "Key a is currently in a deleted but recoverable state, and its name cannot be reused; in this state, the key can only be recovered or purged.",
        "ObjectIsDeletedButRecoverable",
      ),
    );
  });

  it("is final, and says nothing of recovery, without soft delete", async () => {
    const { call } = await openVault({ vaults: [{ name: "final", softDelete: false }] });
    const made = await call("POST", "/keys/a/create", { kty: "EC" });
    expect(made.body.attributes).toMatchObject({ recoveryLevel: "Purgeable", recoverableDays: 0 });
    expect((await call("DELETE", "/keys/a")).body).toEqual(made.body);
    expect((await call("POST", "/keys/a/create", { kty: "EC" })).status).toBe(200);
  });

  it("leaves a certificate's key alone", async () => {
    const { call, emulator } = await openVault();
    await call("POST", "/keys/cert/create", { kty: "RSA" });
    emulator.vault("emulator").giveToCertificate("keys", "cert");
    expect((await call("GET", "/keys/cert")).body).toMatchObject({ managed: true });
    expect(await call("DELETE", "/keys/cert")).toMatchObject(
      refusal(
        403,
        "Forbidden",
        `Operation "delete" is not allowed as this object's lifetime is managed by Key Vault.`,
        "KeyManagedByKeyVault",
      ),
    );
  });
});
