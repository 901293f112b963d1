import { createHash } from "node:crypto";

export * from "../../../provider/secret/value-digest.js";

/** One that is slow by intent would be most of the time. */
export async function valueDigest(vaultUrl: string, name: string, value: string): Promise<string> {
  return `scrypt:${createHash("sha256").update(`${vaultUrl}/${name}/${value}`).digest("base64url")}`;
}
