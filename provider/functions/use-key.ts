import { createHash, randomBytes } from "node:crypto";
import type { KeyUseResult } from "../keyvault/key-use-operations.js";
import { type NamedVersion, objectId } from "../vault/object-address.js";
import { readBase64url, readBytes, readData, writeBytes } from "./binary-data.js";
import { algorithmFor, type KeyUse, type KnownKey, refused, requireFitting } from "./key-algorithms.js";
import { lookUp } from "./look-up.js";
import type { AskedVault } from "./object-reference.js";

/** What every use of a key is given. What a program says may be anything. */
interface Use {
  algorithm?: unknown;
}

interface Cipher extends Use {
  iv?: unknown;
  tag?: unknown;
  additionalData?: unknown;
}

export interface Encrypted {
  /** The versioned URL of the key: what decrypts it. */
  versionId: string;
  /** Base64url. */
  ciphertext: string;
  /** Of AES, base64url. */
  iv?: string | undefined;
  /** Of AES-GCM, base64url. */
  tag?: string | undefined;
}

/** The key, as it is asked for, and what is known of it. */
export interface UsedKey {
  asked: NamedVersion;
  known: KnownKey;
  vault: AskedVault;
}

export async function encrypt(key: UsedKey, args: Cipher & { plaintext?: unknown }): Promise<Encrypted> {
  const algorithm = algorithmFor("encrypt", args.algorithm, key.known);
  const name = String(args.algorithm);
  const plaintext = readData("encrypt: plaintext", args.plaintext);
  requireFitting("encrypt", name, algorithm, key.known, plaintext);
  const { mode } = algorithm;
  if (args.iv !== undefined && mode !== "CBC" && mode !== "CBCPAD") {
    throw refused("encrypt", `${name} takes no iv of the caller's`, "leave iv out.");
  }
  if (args.additionalData !== undefined && mode !== "GCM") {
    throw refused("encrypt", `${name} takes no additionalData`, "take one of the GCM algorithms, or leave it out.");
  }
  // Of CBC the caller makes it, of GCM the service.
  const iv =
    mode === "CBC" || mode === "CBCPAD"
      ? args.iv === undefined
        ? randomBytes(16)
        : vector("encrypt", args.iv)
      : undefined;
  const additional =
    args.additionalData === undefined ? undefined : readData("encrypt: additionalData", args.additionalData);
  const answer = await ask(key, (client, call) =>
    client.encrypt(
      key.asked.name,
      key.asked.version,
      {
        algorithm: name,
        value: plaintext.toString("base64url"),
        ...(iv === undefined ? {} : { iv: iv.toString("base64url") }),
        ...(additional === undefined ? {} : { aad: additional.toString("base64url") }),
      },
      call,
    ),
  );
  const { value: ciphertext, tag } = answer;
  const sealedWith = answer.iv ?? iv?.toString("base64url");
  return {
    versionId: versionId(key, answer),
    ciphertext,
    ...(sealedWith === undefined ? {} : { iv: sealedWith }),
    ...(tag === undefined ? {} : { tag }),
  };
}

export async function decrypt(
  key: UsedKey,
  args: Cipher & { ciphertext?: unknown; encoding?: unknown },
): Promise<{ versionId: string; plaintext: string }> {
  const { mode } = algorithmFor("decrypt", args.algorithm, key.known);
  const name = String(args.algorithm);
  const ciphertext = readBase64url("decrypt: ciphertext", args.ciphertext);
  const optional = (what: "iv" | "tag") =>
    args[what] === undefined ? undefined : readBase64url(`decrypt: ${what}`, args[what]);
  const [iv, tag] = [optional("iv"), optional("tag")];
  if (iv === undefined && (mode === "GCM" || mode === "CBC" || mode === "CBCPAD")) {
    throw refused("decrypt", `${name} needs the iv that encrypt gave`, "give iv.");
  }
  if (tag === undefined && mode === "GCM")
    throw refused("decrypt", `${name} needs the tag that encrypt gave`, "give tag.");
  const additional =
    args.additionalData === undefined ? undefined : readData("decrypt: additionalData", args.additionalData);
  const answer = await ask(key, (client, call) =>
    client.decrypt(
      key.asked.name,
      key.asked.version,
      {
        algorithm: name,
        value: ciphertext.toString("base64url"),
        ...(iv === undefined ? {} : { iv: iv.toString("base64url") }),
        ...(tag === undefined ? {} : { tag: tag.toString("base64url") }),
        ...(additional === undefined ? {} : { aad: additional.toString("base64url") }),
      },
      call,
    ),
  );
  const plaintext = writeBytes("What was decrypted", Buffer.from(answer.value, "base64url"), args.encoding);
  return { versionId: versionId(key, answer), plaintext };
}

interface Signed extends Use {
  data?: unknown;
  digest?: unknown;
}

export async function sign(key: UsedKey, args: Signed): Promise<{ versionId: string; signature: string }> {
  const digest = digestOf("sign", key, args).toString("base64url");
  const algorithm = String(args.algorithm);
  const answer = await ask(key, (client, call) =>
    client.sign(key.asked.name, key.asked.version, { algorithm, digest }, call),
  );
  return { versionId: versionId(key, answer), signature: answer.value };
}

export async function verify(key: UsedKey, args: Signed & { signature?: unknown }): Promise<{ valid: boolean }> {
  const digest = digestOf("verify", key, args).toString("base64url");
  const signature = readBase64url("verify: signature", args.signature).toString("base64url");
  const algorithm = String(args.algorithm);
  const valid = await ask(key, (client, call) =>
    client.verify(key.asked.name, key.asked.version, { algorithm, digest, signature }, call),
  );
  return { valid };
}

/** Made here: the data never leaves the program. */
function digestOf(
  use: "sign" | "verify",
  { known }: UsedKey,
  { algorithm: name, data, digest: given }: Signed,
): Buffer {
  const { digest = "sha256" } = algorithmFor(use, name, known);
  if ((data === undefined) === (given === undefined)) {
    throw refused(use, "it takes data or its digest, and one of them", "give data; the digest is made here.");
  }
  if (given === undefined)
    return createHash(digest)
      .update(readData(`${use}: data`, data))
      .digest();
  const bytes = readBytes(`${use}: digest`, given);
  const length = Number(digest.slice(3)) / 8;
  if (bytes.length === length) return bytes;
  throw refused(
    use,
    `${name} signs a digest of ${length} bytes, and this has ${bytes.length}`,
    `give that of ${digest}.`,
  );
}

export async function wrapKey(
  key: UsedKey,
  args: Use & { key?: unknown; keyToWrap?: unknown },
): Promise<{ versionId: string; wrappedKey: string }> {
  const algorithm = algorithmFor("wrapKey", args.algorithm, key.known);
  const name = String(args.algorithm);
  const bytes = readBytes("wrapKey: keyToWrap", args.keyToWrap);
  requireFitting("wrapKey", name, algorithm, key.known, bytes);
  const answer = await ask(key, (client, call) =>
    client.wrapKey(key.asked.name, key.asked.version, { algorithm: name, value: bytes.toString("base64url") }, call),
  );
  return { versionId: versionId(key, answer), wrappedKey: answer.value };
}

export async function unwrapKey(
  key: UsedKey,
  args: Use & { wrappedKey?: unknown },
): Promise<{ versionId: string; unwrappedKey: string }> {
  algorithmFor("unwrapKey", args.algorithm, key.known);
  const value = readBase64url("unwrapKey: wrappedKey", args.wrappedKey).toString("base64url");
  const answer = await ask(key, (client, call) =>
    client.unwrapKey(key.asked.name, key.asked.version, { algorithm: String(args.algorithm), value }, call),
  );
  return { versionId: versionId(key, answer), unwrappedKey: answer.value };
}

function ask<T>({ asked, vault }: UsedKey, run: Parameters<typeof lookUp<T>>[3]): Promise<T> {
  return lookUp("key", asked, vault, run);
}

/** The version that was used is the answer's; the vault is the one that was asked. */
function versionId({ asked }: UsedKey, { keyId = "" }: KeyUseResult): string {
  const version = /\/keys\/[^/]+\/([^/?#]+)/i.exec(keyId)?.[1] ?? asked.version;
  const id = objectId("keys", asked);
  return version === undefined ? id : `${id}/${version}`;
}

function vector(use: KeyUse, given: unknown): Buffer {
  const iv = readBytes(`${use}: iv`, given);
  if (iv.length === 16) return iv;
  throw refused(use, `the iv has ${iv.length} bytes`, "give 16.");
}
