import { type DerKind, detectDer } from "./der.js";
import type { PrivateKeyForm } from "./private-key.js";

/** What a user can say the material is. PEM includes its binary form, DER. */
export type MaterialKind = "jwk" | "pem" | "pfx" | "byok";

export type Detected =
  | { kind: "jwk"; json: Record<string, unknown> }
  | { kind: "byok"; json: Record<string, unknown>; bytes: Uint8Array }
  | { kind: "pem"; text: string }
  | { kind: "pfx"; bytes: Uint8Array }
  | { kind: "der"; bytes: Uint8Array; form: PrivateKeyForm };

/** Keys are a few KiB; a PFX with a long chain some tens. */
export const largestMaterial = 1024 * 1024;

export const tooLarge = "it is larger than 1 MiB, which no private key is";

/** Tells from its first bytes what the material is. What is no key material goes to `problems` by the name of what it is. */
export function detectMaterial(
  content: string | Uint8Array,
  expected: MaterialKind | undefined,
  problems: string[],
): Detected | undefined {
  if (content.length > largestMaterial) {
    problems.push(tooLarge);
    return undefined;
  }
  const detected = typeof content === "string" ? detectText(content, problems) : detectBytes(content, problems);
  if (detected === undefined || expected === undefined) return detected;
  const kind = detected.kind === "der" ? "pem" : detected.kind;
  if (kind === expected) return detected;
  // A blob that misses members is still meant to be one, and a JWK with too many still a JWK.
  if (detected.kind === "jwk" && expected === "byok") {
    return { kind: "byok", json: detected.json, bytes: Buffer.from(JSON.stringify(detected.json)) };
  }
  problems.push(`${names[expected]} is expected, but this is ${names[kind]}`);
  return undefined;
}

const names: Record<MaterialKind, string> = {
  jwk: "a JWK",
  pem: "PEM or DER",
  pfx: "a PFX (PKCS#12)",
  byok: "a transfer blob (.byok)",
};

function detectBytes(bytes: Uint8Array, problems: string[]): Detected | undefined {
  const der = detectDer(bytes);
  if (der !== undefined) return detectedDer(der, bytes, problems);
  const magic = Buffer.from(bytes.subarray(0, 4)).toString("hex");
  if (magic === "feedfeed" || magic === "cececece") {
    problems.push("this is a Java keystore: convert it with keytool -importkeystore -deststoretype PKCS12");
    return undefined;
  }
  const text = decodeText(bytes);
  if (text !== undefined) return detectText(text, problems);
  problems.push(unknown);
  return undefined;
}

function detectedDer(kind: DerKind, bytes: Uint8Array, problems: string[]): Detected | undefined {
  switch (kind) {
    case "pfx":
      return { kind: "pfx", bytes };
    case "certificate":
      problems.push("this is a certificate, which holds only the public key: give the private key that belongs to it");
      return undefined;
    case "public-key":
      problems.push("this is a public key: give the private key that belongs to it");
      return undefined;
    default:
      return { kind: "der", bytes, form: kind };
  }
}

/** UTF-8, or UTF-16 as Windows shells write it. */
function decodeText(bytes: Uint8Array): string | undefined {
  const encoding =
    bytes[0] === 0xff && bytes[1] === 0xfe ? "utf-16le" : bytes[0] === 0xfe && bytes[1] === 0xff ? "utf-16be" : "utf-8";
  try {
    const text = new TextDecoder(encoding, { fatal: true }).decode(bytes);
    return text.includes("\0") ? undefined : text;
  } catch {
    return undefined;
  }
}

function detectText(content: string, problems: string[]): Detected | undefined {
  const text = content.replace(/^\uFEFF/, "").trim();
  if (text === "") {
    problems.push("it is empty");
    return undefined;
  }
  if (text.startsWith("{") || text.startsWith("[")) return detectJson(text, problems);
  if (text.includes("-----BEGIN ")) return { kind: "pem", text };
  const foreign = foreignText(text);
  if (foreign !== undefined) {
    problems.push(foreign);
    return undefined;
  }
  const base64 = text.replace(/\s+/g, "");
  if (/^[A-Za-z0-9+/_-]+={0,2}$/.test(base64)) return detectBase64(Buffer.from(base64, "base64"), problems);
  problems.push(unknown);
  return undefined;
}

function detectJson(text: string, problems: string[]): Detected | undefined {
  const parsed = parse(text);
  if (Array.isArray(parsed)) {
    problems.push("this is a list in JSON: give one JWK of it");
    return undefined;
  }
  const json: Record<string, unknown> | undefined =
    typeof parsed === "object" && parsed !== null ? { ...parsed } : undefined;
  if (json === undefined) {
    problems.push("this looks like JSON, but is not one valid JSON object: it may be truncated");
    return undefined;
  }
  const isBlob = "ciphertext" in json || "schema_version" in json;
  return isBlob ? { kind: "byok", json, bytes: Buffer.from(text) } : { kind: "jwk", json };
}

function parse(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    // The parser's message quotes the text.
    return undefined;
  }
}

function foreignText(text: string): string | undefined {
  if (/^(ssh-|ecdsa-sha2-|sk-ssh-|sk-ecdsa-|---- BEGIN SSH2)/.test(text)) {
    return "this is an SSH public key: give the private key that belongs to it";
  }
  if (text.startsWith("PuTTY-User-Key-File")) {
    return "this is a PuTTY key: convert it with puttygen FILE -O private-openssh";
  }
  return undefined;
}

/** Base64 of any binary or text form, as CI systems keep it; but a vault's backup is base64, too. */
function detectBase64(bytes: Uint8Array, problems: string[]): Detected | undefined {
  if (/^.?AzureKeyVault\w+BackupV/s.test(Buffer.from(bytes.subarray(0, 80)).toString("latin1"))) {
    problems.push("this is a backup of Key Vault, which cannot be imported: give it to restore");
    return undefined;
  }
  const inner = detectDer(bytes) === undefined ? decodeText(bytes)?.trim() : undefined;
  if (inner !== undefined && !inner.startsWith("{") && !inner.includes("-----BEGIN ")) {
    problems.push(unknown);
    return undefined;
  }
  return detectBytes(bytes, problems);
}

const unknown = "it is none of the kinds that can be imported: JWK, PEM, DER, PFX (PKCS#12) or a transfer blob (.byok)";
