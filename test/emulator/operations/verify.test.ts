import { createHash, generateKeyPairSync, sign } from "node:crypto";
import { describe, expect, it } from "vitest";
import { openVault, refusal } from "../open-vault.js";

describe("verify", () => {
  it("accepts OpenSSL's signatures and answers a boolean alone", async () => {
    const { call } = await openVault();
    const { privateKey } = generateKeyPairSync("ec", { namedCurve: "P-384" });
    await call("PUT", "/keys/a", { key: privateKey.export({ format: "jwk" }), attributes: { enabled: false } });
    const value = sign("sha384", Buffer.from("text"), { key: privateKey, dsaEncoding: "ieee-p1363" }).toString(
      "base64url",
    );
    const digest = createHash("sha384").update("text").digest("base64url");
    expect((await call("POST", "/keys/a/verify", { alg: "ES384", digest, value })).body).toEqual({ value: true });
    const other = createHash("sha384").update("other").digest("base64url");
    expect((await call("POST", "/keys/a/verify", { alg: "ES384", digest: other, value })).body).toEqual({
      value: false,
    });
    expect((await call("POST", "/keys/a/verify", { alg: "ES384", digest, value: "AAAA" })).body).toEqual({
      value: false,
    });
  });

  it("wants a digest", async () => {
    const { call } = await openVault();
    await call("POST", "/keys/a/create", { kty: "EC" });
    expect(await call("POST", "/keys/a/verify", { alg: "ES256", value: "AAAA" })).toMatchObject(
      refusal(400, "BadParameter"),
    );
  });
});
