import { constants, createPrivateKey, generateKeyPairSync, privateDecrypt, randomBytes } from "node:crypto";
import { describe, expect, it } from "vitest";
import { openVault, refusal } from "../open-vault.js";

const pair = generateKeyPairSync("rsa", { modulusLength: 2048 }).privateKey;
const jwk = pair.export({ format: "jwk" });

describe("encrypt", () => {
  it("makes what the private key outside can open", async () => {
    const { call } = await openVault();
    const { kid } = (await call("PUT", "/keys/a", { key: jwk })).body.key as { kid: string };
    const plaintext = randomBytes(40);
    for (const [alg, padding, oaepHash] of [
      ["RSA1_5", constants.RSA_PKCS1_PADDING, undefined],
      ["RSA-OAEP", constants.RSA_PKCS1_OAEP_PADDING, "sha1"],
      ["RSA-OAEP-256", constants.RSA_PKCS1_OAEP_PADDING, "sha256"],
    ] as const) {
      const { body } = await call("POST", "/keys/a/encrypt", { alg, value: plaintext.toString("base64url") });
      expect(Object.keys(body)).toEqual(["kid", "value"]);
      expect(body.kid).toBe(kid);
      const options = {
        key: createPrivateKey(pair.export({ format: "pem", type: "pkcs8" })),
        padding,
        ...(oaepHash === undefined ? {} : { oaepHash }),
      };
      expect(privateDecrypt(options, Buffer.from(body.value as string, "base64url"))).toEqual(plaintext);
    }
  });

  it("works on a disabled key, and not on one that has expired, is not yet valid or may not", async () => {
    const { call } = await openVault();
    const value = "AAAA";
    await call("PUT", "/keys/a", { key: jwk, attributes: { enabled: false } });
    expect((await call("POST", "/keys/a/encrypt", { alg: "RSA-OAEP", value })).status).toBe(200);
    await call("PUT", "/keys/a", { key: jwk, attributes: { exp: 1 } });
    expect(await call("POST", "/keys/a/encrypt", { alg: "RSA-OAEP", value })).toMatchObject(
      refusal(403, "Forbidden", undefined, "KeyExpired"),
    );
    await call("PUT", "/keys/a", { key: jwk, attributes: { nbf: 4_000_000_000 } });
    expect(await call("POST", "/keys/a/encrypt", { alg: "RSA-OAEP", value })).toMatchObject(
      refusal(403, "Forbidden", undefined, "KeyNotYetValid"),
    );
    await call("PUT", "/keys/a", { key: { ...jwk, key_ops: ["sign"] } });
    expect(await call("POST", "/keys/a/encrypt", { alg: "RSA-OAEP", value })).toMatchObject(
      refusal(403, "Forbidden", "Operation encrypt is not permitted on this key.", "KeyOperationForbidden"),
    );
  });

  it("refuses an algorithm that the key is not for, and too much text", async () => {
    const { call } = await openVault();
    await call("PUT", "/keys/a", { key: jwk });
    for (const body of [
      { alg: "A256GCM", value: "AAAA" },
      { alg: "none", value: "AAAA" },
      { alg: "RSA-OAEP", value: "A".repeat(800) },
      { alg: "RSA-OAEP", value: "ä" },
    ]) {
      expect(await call("POST", "/keys/a/encrypt", body)).toMatchObject(refusal(400, "BadParameter"));
    }
  });
});
