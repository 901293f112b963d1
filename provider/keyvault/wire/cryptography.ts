import { z } from "zod";
import { present } from "./json.js";

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
  .looseObject({ kid: text, value: z.string(), iv: text, tag: text, aad: text })
  .transform(
    ({ kid, value, iv, tag, aad }): CryptographyResult => ({ value, ...present({ keyId: kid, iv, tag, aad }) }),
  );

export const verifyAnswer = z.looseObject({ value: z.boolean() }).transform(({ value }) => value);

export const releaseAnswer = z.looseObject({ value: z.string().min(1) }).transform(({ value }) => value);
