import { randomBytes } from "node:crypto";
import { describe, expect, it } from "vitest";
import { openVault } from "../open-vault.js";

describe("wrapKey", () => {
  it("wraps with RSA, and with AES on a Managed HSM", async () => {
    for (const [plane, kty, alg] of [
      ["vault", "RSA", "RSA-OAEP"],
      ["managedhsm", "oct-HSM", "A256KW"],
    ] as const) {
      const { call } = await openVault({ vaults: [{ name: "wraps", plane }] });
      await call("POST", "/keys/a/create", { kty });
      const value = randomBytes(32).toString("base64url");
      const wrapped = await call("POST", "/keys/a/wrapkey", { alg, value });
      expect(wrapped.status).toBe(200);
      expect(wrapped.text).not.toContain(value);
      expect(await call("POST", "/keys/a/unwrapkey", { alg, value: wrapped.body.value })).toMatchObject({
        body: { value },
      });
    }
  });
});
