import {
  constants,
  createHash,
  createPublicKey,
  generateKeyPairSync,
  randomBytes,
  verify as verifyWithOpenssl,
} from "node:crypto";
import { describe, expect, it } from "vitest";
import { curveByWireName } from "../../emulator/keys/curve.js";
import { signDigest, verifyDigest } from "../../emulator/keys/elliptic-signature.js";
import { signRsa, verifyRsa } from "../../emulator/keys/rsa-signature.js";

describe("signatures over digests", () => {
  for (const hash of ["sha256", "sha384", "sha512"] as const) {
    for (const scheme of ["pkcs1", "pss"] as const) {
      it(`agree with OpenSSL for RSA ${scheme} and ${hash}`, () => {
        for (const modulusLength of [2048, 2056, 3072]) {
          const { privateKey, publicKey } = generateKeyPairSync("rsa", { modulusLength });
          const data = randomBytes(77);
          const digest = createHash(hash).update(data).digest();
          const signature = signRsa(privateKey, scheme, hash, digest);
          const padding = scheme === "pss" ? constants.RSA_PKCS1_PSS_PADDING : constants.RSA_PKCS1_PADDING;
          expect(verifyWithOpenssl(hash, data, { key: publicKey, padding, saltLength: digest.length }, signature)).toBe(
            true,
          );
          expect(verifyRsa(publicKey, scheme, hash, digest, signature)).toBe(true);
          signature[10] = (signature[10] ?? 0) ^ 1;
          expect(verifyRsa(publicKey, scheme, hash, digest, signature)).toBe(false);
        }
      });
    }
  }

  for (const [name, hash] of [
    ["P-256", "sha256"],
    ["P-384", "sha384"],
    ["P-521", "sha512"],
    ["P-256K", "sha256"],
  ] as const) {
    it(`agree with OpenSSL on ${name}`, async () => {
      const curve = curveByWireName(name);
      if (curve === undefined) throw new Error(name);
      for (let round = 0; round < 8; round += 1) {
        const { privateKey } = generateKeyPairSync("ec", { namedCurve: curve.openssl });
        const jwk = privateKey.export({ format: "jwk" });
        const bytes = (member: string | undefined) => Buffer.from(member ?? "", "base64url");
        const data = randomBytes(33);
        const digest = createHash(hash).update(data).digest();
        const signature = await signDigest(curve, bytes(jwk.d), digest);
        expect(signature.length).toBe(curve.width * 2);
        expect(await signDigest(curve, bytes(jwk.d), digest)).not.toEqual(signature);
        const key = createPublicKey(privateKey);
        expect(verifyWithOpenssl(hash, data, { key, dsaEncoding: "ieee-p1363" }, signature)).toBe(true);
        expect(await verifyDigest(curve, bytes(jwk.x), bytes(jwk.y), digest, signature)).toBe(true);
        expect(await verifyDigest(curve, bytes(jwk.x), bytes(jwk.y), randomBytes(digest.length), signature)).toBe(
          false,
        );
        expect(await verifyDigest(curve, bytes(jwk.x), bytes(jwk.y), digest, Buffer.alloc(signature.length))).toBe(
          false,
        );
      }
    });
  }
});
