import { z } from "zod";
import { AnswerSchema, present } from "./json.js";
import { objectIdentifier } from "./object-identifier.js";

/** What encrypt, decrypt, sign, wrapKey and unwrapKey answer. */
export interface KeyUseResult {
  /** Identifier of the key version that was used. Its host may differ from the vault that was asked. */
  keyId?: string;
  /** Base64url. */
  value: string;
  /** AES only, base64url. */
  iv?: string;
  tag?: string;
}

/** Longer than any answer: the service takes less than it. */
const LONGEST = 256 * 1024;
const bytes = z
  .string()
  .max(LONGEST)
  .regex(/^[A-Za-z0-9_-]*={0,2}$/);

export const keyUseAnswer = new AnswerSchema(
  z
    .object({ kid: objectIdentifier("keys").nullish(), value: bytes, iv: bytes.nullish(), tag: bytes.nullish() })
    .transform(({ kid, value, iv, tag }): KeyUseResult => ({ value, ...present({ keyId: kid?.id, iv, tag }) })),
);

export const verifyAnswer = new AnswerSchema(z.object({ value: z.boolean() }).transform(({ value }) => value));
