import { isLoopbackHost } from "../keyvault/identifier.js";

/** A key wrapped by an HSM for the vault that owns the exchange key (Microsoft's BYOK specification). */
export interface TransferBlob {
  /** The exchange key's identifier: it has to live in the vault that imports the blob. */
  exchangeKeyId: string;
  ciphertext: Buffer;
}

/** The ciphertext is an RSA-OAEP block of the exchange key (at least 2048 bits) and an AES-KWP wrapped key. */
const shortestCiphertext = 256 + 24;

/** Made for the first transfer blob, of which a program has few: who imports other material does not wait for zod. */
function makeSchema() {
  const { z } = require("zod") as typeof import("zod");
  return z.object({
    schema_version: z.string("schema_version has to be a string").regex(/^1\./, "schema_version has to be 1.x"),
    header: z.object(
      {
        kid: z.string("header.kid has to be a string").refine(isKeyId, {
          error: "header.kid has to be the identifier of the exchange key in the vault",
        }),
        alg: z.literal("dir", 'header.alg has to be "dir"'),
        enc: z.string("header.enc has to be a string").min(1, "header.enc is empty"),
      },
      "header has to be an object with kid, alg and enc",
    ),
    ciphertext: z
      .string("ciphertext has to be a string")
      .regex(/^[\w+/-]+={0,2}$/, "ciphertext has to be base64url")
      .transform((text) => Buffer.from(text, "base64url"))
      .refine(
        (bytes) => bytes.length >= shortestCiphertext,
        "ciphertext is too short for a wrapped key: it is truncated",
      ),
  });
}

let blobSchema: ReturnType<typeof makeSchema> | undefined;

/** In a vault, on a server of this machine over plain HTTP, or in an embedded vault, as `versionId` of a Key says it. */
function isKeyId(kid: string): boolean {
  const [, vault = ""] = /^([^\r\n]{1,1024}?)\/keys\/[^/\s]{1,127}(?:\/[^/\s]{0,127})?$/.exec(kid) ?? [];
  if (vault.startsWith("embedded:")) return vault.length > "embedded:".length;
  return /^https:\/\/[^/]+$/.test(vault) || (/^http:\/\/[^/]+$/.test(vault) && isLoopback(vault));
}

function isLoopback(url: string): boolean {
  return URL.canParse(url) && isLoopbackHost(new URL(url).hostname);
}

/** Reads the JSON of a `.byok` file. What is wrong goes to `problems`. */
export function readTransferBlob(json: unknown, problems: string[]): TransferBlob | undefined {
  blobSchema ??= makeSchema();
  const blob = blobSchema.safeParse(json);
  if (!blob.success) {
    problems.push(...blob.error.issues.map(({ message }) => `this is no valid transfer blob (.byok): ${message}`));
    return undefined;
  }
  return { exchangeKeyId: blob.data.header.kid, ciphertext: blob.data.ciphertext };
}
