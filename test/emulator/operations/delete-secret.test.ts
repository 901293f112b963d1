import { describe, expect, it } from "vitest";
import { openVault, refusal } from "../open-vault.js";

describe("deleteSecret", () => {
  it("answers the secret with its dates and without its value", async () => {
    const { call } = await openVault();
    await call("PUT", "/secrets/a", { value: "hidden", contentType: "x" });
    const deleted = await call("DELETE", "/secrets/a");
    expect(Object.keys(deleted.body)).toEqual([
      "recoveryId",
      "deletedDate",
      "scheduledPurgeDate",
      "contentType",
      "id",
      "attributes",
    ]);
    expect(deleted.text).not.toContain("hidden");
    expect(await call("PUT", "/secrets/a", { value: "x" })).toMatchObject(
      refusal(
        409,
        "Conflict",
        /^Secret a is currently in a deleted but recoverable state/,
        "ObjectIsDeletedButRecoverable",
      ),
    );
  });

  it("leaves a certificate's secret alone", async () => {
    const { call, emulator } = await openVault();
    await call("PUT", "/secrets/cert", { value: "pfx" });
    emulator.vault("emulator").giveToCertificate("secrets", "cert");
    expect(await call("DELETE", "/secrets/cert")).toMatchObject(
      refusal(
        403,
        "Forbidden",
        /^Operation "delete" is not allowed on this secret, since it is associated with a certificate\./,
        "SecretManagedByKeyVault",
      ),
    );
  });
});
