import { describe, expect, it } from "vitest";
import { openVault, refusal } from "../open-vault.js";

describe("backupSecret", () => {
  it("gives the real container of a secret, without the value in the clear", async () => {
    const { call } = await openVault();
    await call("PUT", "/secrets/a", { value: "hidden-value" });
    const { value } = (await call("POST", "/secrets/a/backup")).body as { value: string };
    const bytes = Buffer.from(value, "base64url").toString("latin1");
    expect(bytes.slice(0, 42)).toBe(")AzureKeyVaultSecretBackupV1.microsoft.com");
    const inside = bytes
      .slice(42)
      .split(".")
      .map((part) => Buffer.from(part, "base64url").toString("latin1"));
    expect(inside.join()).not.toContain("hidden-value");
  });

  it("misses a secret that is not there", async () => {
    const { call } = await openVault();
    expect(await call("POST", "/secrets/a/backup")).toMatchObject(refusal(404, "SecretNotFound"));
  });
});
