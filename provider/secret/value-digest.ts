import { createHash, scrypt } from "node:crypto";

/**
 * What state keeps of a secret's value: an scrypt digest, salted with where the secret lives. One value in two
 * secrets gives two digests, and the same program gives the same digest in its preview and in its update.
 */
export function valueDigest(vaultUrl: string, name: string, value: string): Promise<string> {
  const salt = createHash("sha256")
    .update(`${vaultUrl.toLowerCase()}/secrets/${name.toLowerCase()}`)
    .digest()
    .subarray(0, 16);
  return new Promise((resolve, reject) => {
    scrypt(value, salt, 32, { N: 2 ** 14, r: 8, p: 1 }, (error, digest) => {
      if (error) reject(error);
      else resolve(`scrypt:${digest.toString("base64url")}`);
    });
  });
}
