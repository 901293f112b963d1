import { createHash, createHmac, createPublicKey, verify } from "node:crypto";
import { describe, expect, it } from "vitest";
import { openVault, refusal } from "../open-vault.js";

describe("sign", () => {
  it("makes signatures that OpenSSL accepts", async () => {
    const { call } = await openVault();
    const { body } = await call("POST", "/keys/a/create", { kty: "EC" });
    const { crv, x, y } = body.key as { crv: string; x: string; y: string };
    const value = createHash("sha256").update("text").digest("base64url");
    const signed = await call("POST", "/keys/a/sign", { alg: "ES256", value });
    const key = createPublicKey({ key: { kty: "EC", crv, x, y }, format: "jwk" });
    const signature = Buffer.from(signed.body.value as string, "base64url");
    expect(verify("sha256", Buffer.from("text"), { key, dsaEncoding: "ieee-p1363" }, signature)).toBe(true);
  });

  it("makes an HMAC with a symmetric key, since 7.6", async () => {
    const { call } = await openVault({ vaults: [{ name: "hsm", plane: "managedhsm" }] });
    const k = Buffer.alloc(32, 7);
    await call("PUT", "/keys/a", { key: { kty: "oct-HSM", k: k.toString("base64url") } });
    const value = Buffer.from("a message of any length").toString("base64url");
    for (const hash of ["256", "384", "512"]) {
      const body = { alg: `HS${hash}`, value };
      const signed = await call("POST", "/keys/a/sign", body, { apiVersion: "7.6" });
      const mac = createHmac(`sha${hash}`, k).update("a message of any length").digest("base64url");
      expect(signed.body.value).toBe(mac);
      const check = { alg: body.alg, digest: value, value: mac };
      expect((await call("POST", "/keys/a/verify", check, { apiVersion: "7.6" })).body.value).toBe(true);
      const other = { ...check, value: mac.slice(0, -4) };
      expect((await call("POST", "/keys/a/verify", other, { apiVersion: "7.6" })).body.value).toBe(false);
      expect(await call("POST", "/keys/a/sign", body)).toMatchObject(refusal(400, "BadParameter"));
    }
  });

  it("refuses a digest of the wrong length, the wrong curve and the wrong family", async () => {
    const { call } = await openVault();
    await call("POST", "/keys/a/create", { kty: "EC" });
    const value = Buffer.alloc(32).toString("base64url");
    for (const body of [
      { alg: "ES256", value: "AAAA" },
      { alg: "ES384", value: Buffer.alloc(48).toString("base64url") },
      { alg: "RS256", value },
      { alg: "HS256", value },
    ]) {
      expect(await call("POST", "/keys/a/sign", body)).toMatchObject(refusal(400, "BadParameter"));
    }
  });

  it("is not allowed on a disabled key", async () => {
    const { call } = await openVault();
    await call("POST", "/keys/a/create", { kty: "EC", attributes: { enabled: false } });
    expect(
      await call("POST", "/keys/a/sign", { alg: "ES256", value: Buffer.alloc(32).toString("base64url") }),
    ).toMatchObject(refusal(403, "Forbidden", undefined, "KeyDisabled"));
  });
});
