import { describeValue, isOutput } from "../engine/described-value.js";
import { KeyVaultError } from "../keyvault/errors.js";
import { OUTPUT_HINT } from "./object-reference.js";

/** Bytes, or their base64url. */
export type Bytes = Uint8Array | { base64url: string };

/** Text, which is taken as UTF-8, or bytes. */
export type Data = string | Bytes;

export type Encoding = "utf8" | "base64url";

/**
 * The bytes that an argument stands for. What it holds is never repeated.
 *
 * @throws KeyVaultError `KV_INVALID_INPUT`
 */
export function readBytes(what: string, given: unknown): Buffer {
  if (given instanceof Uint8Array) return Buffer.from(given.buffer, given.byteOffset, given.byteLength);
  if (given !== null && typeof given === "object" && "base64url" in given) return readBase64url(what, given.base64url);
  throw refusal(what, given, "give bytes as a Buffer, or { base64url: … }.");
}

/** As {@link readBytes}, and text as UTF-8. */
export function readData(what: string, given: unknown): Buffer {
  if (typeof given === "string") return Buffer.from(given, "utf8");
  return readBytes(what, given);
}

/** What a vault has answered, as it is handed on: base64url, padded or not. */
export function readBase64url(what: string, given: unknown): Buffer {
  if (typeof given === "string" && /^[A-Za-z0-9_-]*={0,2}$/.test(given) && given.replace(/=+$/, "").length % 4 !== 1) {
    return Buffer.from(given, "base64url");
  }
  throw refusal(what, given, "give base64url, without + and /.");
}

/** @throws KeyVaultError `KV_INVALID_INPUT` for bytes that are no UTF-8, which text would change without a word */
export function writeBytes(what: string, bytes: Buffer, encoding: unknown = "utf8"): string {
  if (encoding === "base64url") return bytes.toString("base64url");
  if (encoding !== "utf8") {
    throw new KeyVaultError("KV_INVALID_INPUT", `${what}: encoding is ${describeValue(encoding)}`, {
      hint: 'it is "utf8" or "base64url".',
    });
  }
  try {
    return new TextDecoder("utf-8", { fatal: true, ignoreBOM: true }).decode(bytes);
  } catch {
    throw new KeyVaultError("KV_INVALID_INPUT", `${what} is no text: its bytes are no UTF-8`, {
      hint: 'ask for it with encoding: "base64url".',
    });
  }
}

function refusal(what: string, given: unknown, hint: string): KeyVaultError {
  const isMangled =
    given !== null &&
    typeof given === "object" &&
    !isOutput(given) &&
    Object.keys(given).every((key) => /^\d+$/.test(key));
  const shown =
    isMangled && !Array.isArray(given)
      ? "a Buffer that went through an Output, which takes it apart"
      : describeValue(given);
  return new KeyVaultError("KV_INVALID_INPUT", `${what} is ${shown}`, { hint: isOutput(given) ? OUTPUT_HINT : hint });
}
