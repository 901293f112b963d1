import { z } from "zod";
import { present } from "../provider/keyvault/wire/json.js";
import { address } from "../provider/keyvault/wire/word.js";

/** What encrypt, decrypt, sign, wrapKey and unwrapKey answer. */
export interface CryptographyResult {
  /** Identifier of the key version that was used. */
  keyId?: string;
  /** Base64url. */
  value: string;
  /** AES only. */
  iv?: string;
  tag?: string;
  aad?: string;
}

const text = z.string().nullish();

export const cryptographyResult = z
  .object({ kid: address.nullish(), value: z.string(), iv: text, tag: text, aad: text })
  .transform(
    ({ kid, value, iv, tag, aad }): CryptographyResult => ({ value, ...present({ keyId: kid, iv, tag, aad }) }),
  );

export const verifyAnswer = z.object({ value: z.boolean() }).transform(({ value }) => value);

export const releaseAnswer = z.object({ value: z.string().min(1) }).transform(({ value }) => value);
