import { malformedBackup, ServiceError } from "../service-error.js";
import { isRecord, list, optional, record, type Shape, type ShapeOf, text } from "../shape.js";
import {
  keyVersionShape,
  rotationPolicyShape,
  type StoredCollection,
  secretVersionShape,
} from "../store/stored-object.js";
import type { Vault } from "../vault.js";
import { type JweKey, openJwe, sealJwe } from "./compact-jwe.js";
import { type SealingKey, sealingKeyOf } from "./sealing-key.js";

/** A vault's blob begins with the length of one of these and the text itself. */
const headers = {
  keys: "AzureKeyVaultKeyBackupV1.microsoft.com",
  secrets: "AzureKeyVaultSecretBackupV1.microsoft.com",
} as const;

const keyBackup = record({
  name: text(),
  current: text(),
  versions: list(keyVersionShape),
  rotationPolicy: optional(rotationPolicyShape),
});
const secretBackup = record({ name: text(), current: text(), versions: list(secretVersionShape) });

/** The blob of `POST …/backup`: header, then a compact JWE; on a Managed HSM the JWE alone. */
export function sealBackup(
  vault: Vault,
  collection: StoredCollection,
  content: ShapeOf<typeof keyBackup> | ShapeOf<typeof secretBackup>,
): string {
  const key = sealingKeyOf(vault);
  const plaintext = Buffer.from(JSON.stringify(content));
  if (vault.plane === "managedhsm") {
    const header = { alg: "dir", enc: "A256CBC-HS512", kid: key.kid };
    return Buffer.from(sealJwe(header, jweKey(vault, key), plaintext)).toString("base64url");
  }
  const name = headers[collection];
  const header = { kid: key.kid, alg: "RSA-OAEP-256", enc: "A256CBC-HS512" };
  const jwe = sealJwe(header, jweKey(vault, key), plaintext);
  return Buffer.concat([Buffer.from([name.length]), Buffer.from(name), Buffer.from(jwe)]).toString("base64url");
}

/** @throws ServiceError 400: damaged, of another kind, or of another domain. */
export const openKeyBackup = (vault: Vault, blob: string) => open(vault, "keys", keyBackup, blob);

/** @throws ServiceError 400: damaged, of another kind, or of another domain. */
export const openSecretBackup = (vault: Vault, blob: string) => open(vault, "secrets", secretBackup, blob);

function open<T>(vault: Vault, collection: StoredCollection, shape: Shape<T>, blob: string): T {
  const key = sealingKeyOf(vault);
  const jwe = vault.plane === "managedhsm" ? readHsmBlob(blob) : readVaultBlob(collection, blob);
  const kid = readKid(jwe);
  if (kid === undefined) throw vault.plane === "managedhsm" ? foreignDomain() : corrupt();
  if (kid !== key.kid) throw vault.plane === "managedhsm" ? foreignDomain() : cannotDecrypt();
  const plaintext = openJwe(jwe, jweKey(vault, key));
  if (plaintext === undefined) throw vault.plane === "managedhsm" ? foreignDomain() : corrupt();
  const content = shape.check(parse(plaintext.toString("utf8")));
  if (content === undefined) throw corrupt();
  return content.value;
}

function jweKey(vault: Vault, key: SealingKey): JweKey {
  return vault.plane === "managedhsm" ? { alg: "dir", key: key.secret } : { alg: "RSA-OAEP-256", key: key.rsa() };
}

/** A length byte that points past the end is damage; a text that is none of ours is another version of the format. */
function readVaultBlob(collection: StoredCollection, blob: string): string {
  const bytes = Buffer.from(blob, "base64url");
  const length = bytes[0];
  if (length === undefined || !/^[A-Za-z0-9_-]*={0,2}$/.test(blob)) throw corrupt();
  if (length >= bytes.length) throw corrupt();
  if (bytes.subarray(1, 1 + length).toString("latin1") !== headers[collection]) {
    throw malformedBackup("Backup blob contains invalid or corrupt version.");
  }
  return bytes.subarray(1 + length).toString("latin1");
}

function readHsmBlob(blob: string): string {
  return Buffer.from(blob, "base64url").toString("latin1");
}

function readKid(jwe: string): string | undefined {
  const parts = jwe.split(".");
  if (parts.length !== 5) return undefined;
  const header = parse(Buffer.from(parts[0] ?? "", "base64url").toString("utf8"));
  return isRecord(header) && typeof header.kid === "string" ? header.kid : undefined;
}

function parse(json: string): unknown {
  try {
    return JSON.parse(json);
  } catch {
    return undefined;
  }
}

const corrupt = () => malformedBackup("Backup blob is corrupt.");

/** Another geography, subscription or domain: the words are known, the code is not. */
const cannotDecrypt = () => new ServiceError(400, "BadParameter", "Cannot decrypt backup blob.");

const foreignDomain = () =>
  new ServiceError(
    400,
    "MalformedBackupBlob",
    "Backup blob belongs to a different crypto domain and cannot be used with this instance.",
  );
