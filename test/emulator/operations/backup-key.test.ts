import { describe, expect, it } from "vitest";
import { openVault, refusal } from "../open-vault.js";

describe("backupKey", () => {
  it("gives the real container: a length, a name and a compact JWE", async () => {
    const { call } = await openVault();
    await call("POST", "/keys/a/create", { kty: "EC" });
    const { value } = (await call("POST", "/keys/a/backup")).body as { value: string };
    expect(value).toMatch(/^JkF6dXJlS2V5VmF1bHRLZXlCYWNrdXBWMS5taWNyb3NvZnQuY29t[\w-]+$/);
    const bytes = Buffer.from(value, "base64url").toString("latin1");
    expect(bytes.slice(0, 39)).toBe("&AzureKeyVaultKeyBackupV1.microsoft.com");
    const parts = bytes.slice(39).split(".");
    expect(JSON.parse(Buffer.from(parts[0] ?? "", "base64url").toString())).toEqual({
      kid: expect.stringMatching(/^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/),
      alg: "RSA-OAEP-256",
      enc: "A256CBC-HS512",
    });
    expect(parts.map((part) => part.length)).toMatchObject([expect.any(Number), 342, 22, expect.any(Number), 43]);
  });

  it("is different bytes each time", async () => {
    const { call } = await openVault();
    await call("POST", "/keys/a/create", { kty: "EC" });
    const [first, second] = [await call("POST", "/keys/a/backup"), await call("POST", "/keys/a/backup")];
    expect(first.text).not.toBe(second.text);
  });

  it("is a JWE alone on a Managed HSM", async () => {
    const { call } = await openVault({ vaults: [{ name: "hsm", plane: "managedhsm" }] });
    await call("POST", "/keys/a/create", { kty: "EC" });
    const { value } = (await call("POST", "/keys/a/backup")).body as { value: string };
    const parts = Buffer.from(value, "base64url").toString("latin1").split(".");
    expect(parts[1]).toBe("");
    expect(JSON.parse(Buffer.from(parts[0] ?? "", "base64url").toString())).toEqual({
      alg: "dir",
      enc: "A256CBC-HS512",
      kid: "backup-protection-key",
    });
  });

  it("misses a key that is not there", async () => {
    const { call } = await openVault();
    expect(await call("POST", "/keys/a/backup")).toMatchObject(refusal(404, "KeyNotFound"));
  });
});
