import { KeyVaultError } from "../keyvault/errors.js";
import { type BackupKind, backupKind } from "../object/backup-blob.js";

/** Of the text: what a restore reads of a file, and several times the largest backup that is known. */
const MOST_CHARACTERS = 10 * 1024 * 1024;

/**
 * The blob that a server answered, if it can be one. Nobody looks at a backup until it is needed, and then it is too
 * late to find out that a proxy's page was kept in its place.
 *
 * @throws KeyVaultError `KV_PROTOCOL`, without any of the blob.
 */
export function answeredBlob(kind: BackupKind, name: string, vaultUrl: string, blob: string): string {
  const problem = problemOf(kind, blob);
  if (problem === undefined) return blob;
  throw new KeyVaultError("KV_PROTOCOL", `the answer to the backup of ${kind} "${name}" in ${vaultUrl} ${problem}`, {
    objectName: name,
    vaultUrl,
    hint: "check what answers at the vault's URL",
  });
}

function problemOf(kind: BackupKind, blob: string): string | undefined {
  if (blob.length > MOST_CHARACTERS) return `has ${blob.length} characters: more than a backup can have`;
  // Not as one expression with {64,}: a counted repetition overflows the stack on a blob of 6 million characters.
  const isText = blob.length >= 64 && /^[A-Za-z0-9_-]+={0,2}$/.test(blob);
  if (!isText) return "is not base64url text of the length of a backup";
  const found = backupKind(blob);
  return (found === "key" || found === "secret") && found !== kind ? `is the backup of a ${found}` : undefined;
}
