import { constants, createCipheriv, createPrivateKey, createPublicKey, publicEncrypt, randomBytes } from "node:crypto";
import { type JsonObject, stringAt } from "./json.js";

/** The content of a `.byok` file: a private JWK, wrapped for a key exchange key of the emulator (CKM_RSA_AES_KEY_WRAP). */
export function transferBlob(exchangeKey: JsonObject, jwk: JsonObject): string {
  const named = jwk.kty === "EC" && /P-256K|SECP256K1/.test(String(jwk.crv)) ? { ...jwk, crv: "secp256k1" } : jwk;
  const pkcs8 = createPrivateKey({ key: named, format: "jwk" }).export({ format: "der", type: "pkcs8" });
  const wrappingKey = randomBytes(32);
  const publicKey = createPublicKey({
    key: { kty: "RSA", n: stringAt(exchangeKey, "n") ?? "", e: stringAt(exchangeKey, "e") ?? "" },
    format: "jwk",
  });
  const padding = { padding: constants.RSA_PKCS1_OAEP_PADDING, oaepHash: "sha1" };
  // RFC 5649's initial value.
  const cipher = createCipheriv("id-aes256-wrap-pad", wrappingKey, Buffer.from("a65959a6", "hex"));
  const ciphertext = Buffer.concat([
    publicEncrypt({ key: publicKey, ...padding }, wrappingKey),
    cipher.update(pkcs8),
    cipher.final(),
  ]);
  const transfer = {
    schema_version: "1.0.0",
    header: { kid: stringAt(exchangeKey, "kid"), alg: "dir", enc: "CKM_RSA_AES_KEY_WRAP" },
    ciphertext: ciphertext.toString("base64url"),
    generator: "conformance",
  };
  return Buffer.from(JSON.stringify(transfer)).toString("base64url");
}
