import { z } from "zod";
import type { CallOptions, VaultConnection } from "../provider/keyvault/vault-connection.js";
import { AnswerSchema, decodeWire, present } from "../provider/keyvault/wire/json.js";

export interface ReleaseParameters {
  /** The attestation of the target, as a JWT. */
  target: string;
  nonce?: string;
  /** How the released key is wrapped, for example `RSA_AES_KEY_WRAP_256`. */
  algorithm?: string;
}

const releaseAnswer = new AnswerSchema(z.object({ value: z.string().min(1) }).transform(({ value }) => value));

/**
 * Releases an exportable key to an attested target, as a JWS that holds the wrapped key. Needs keys/release. The
 * product does not need it.
 *
 * Throws `KV_FORBIDDEN` where the release policy does not accept the attestation.
 * @see https://learn.microsoft.com/rest/api/keyvault/keys/release/release
 */
export function releaseKey(
  connection: VaultConnection,
  name: string,
  version: string | undefined,
  p: ReleaseParameters,
  o?: CallOptions,
): Promise<string> {
  const body = () => ({ target: p.target, ...present({ nonce: p.nonce, enc: p.algorithm }) });
  const decode = (answer: unknown): string => decodeWire(releaseAnswer, answer);
  const path = ["keys", name, version, "release"] as const;
  const call = { operation: "releaseKey", method: "POST", objectName: name, secrets: [p.target] } as const;
  return connection.call({ ...call, path, version, body, decode }, o);
}
