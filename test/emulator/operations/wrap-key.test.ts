import { randomBytes } from "node:crypto";
import { describe, expect, it } from "vitest";
import { openVault } from "../open-vault.js";

describe("wrapKey", () => {
  it("wraps with RSA, and with AES on a Managed HSM", async () => {
    for (const [plane, kty, alg, apiVersion] of [
      ["vault", "RSA", "RSA-OAEP"],
      ["managedhsm", "oct-HSM", "A256KW"],
      ["managedhsm", "oct-HSM", "CKM_AES_KEY_WRAP", "7.6"],
      ["managedhsm", "oct-HSM", "CKM_AES_KEY_WRAP_PAD", "7.6"],
    ] as const) {
      const { call } = await openVault({ vaults: [{ name: "wraps", plane }] });
      await call("POST", "/keys/a/create", { kty });
      const options = apiVersion === undefined ? {} : { apiVersion };
      const value = randomBytes(alg.endsWith("PAD") ? 33 : 32).toString("base64url");
      const wrapped = await call("POST", "/keys/a/wrapkey", { alg, value }, options);
      expect(wrapped.status).toBe(200);
      expect(wrapped.text).not.toContain(value);
      expect(await call("POST", "/keys/a/unwrapkey", { alg, value: wrapped.body.value }, options)).toMatchObject({
        body: { value },
      });
    }
  });
});
