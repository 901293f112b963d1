import { describe, expect, it } from "vitest";
import { openVault, refusal } from "../open-vault.js";

describe("unwrapKey", () => {
  it("works with an expired key and not with a disabled one", async () => {
    const { call } = await openVault();
    await call("POST", "/keys/a/create", { kty: "RSA" });
    const wrapped = await call("POST", "/keys/a/wrapkey", { alg: "RSA-OAEP-256", value: "AAAAAAAA" });
    const value = wrapped.body.value;
    await call("PATCH", "/keys/a", { attributes: { exp: 1 } });
    expect(await call("POST", "/keys/a/unwrapKey", { alg: "RSA-OAEP-256", value })).toMatchObject({
      status: 200,
      body: { value: "AAAAAAAA" },
    });
    await call("PATCH", "/keys/a", { attributes: { enabled: false } });
    expect(await call("POST", "/keys/a/unwrapkey", { alg: "RSA-OAEP-256", value })).toMatchObject(
      refusal(403, "Forbidden", undefined, "KeyDisabled"),
    );
  });
});
