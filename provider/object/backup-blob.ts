import { createHash } from "node:crypto";

export type BackupKind = "key" | "secret";

const HEADERS: readonly [BackupKind, RegExp][] = [
  ["key", /^.AzureKeyVaultKeyBackupV\d+\.microsoft\.com/s],
  ["secret", /^.AzureKeyVaultSecretBackupV\d+\.microsoft\.com/s],
];

/**
 * What a backup blob says of itself: its first bytes name what was backed up. The rest is encrypted to the service
 * and opaque. Managed HSM and other servers of the protocol write containers that do not say: `unknown`.
 */
export function backupKind(blob: string): BackupKind | "unknown" | "not a blob" {
  if (blob.length < 64 || !/^[A-Za-z0-9_-]+={0,2}$/.test(blob)) return "not a blob";
  const bytes = Buffer.from(blob, "base64url");
  const head = bytes.subarray(0, 64).toString("latin1");
  for (const [kind, header] of HEADERS) if (header.test(head)) return kind;
  if (/^.AzureKeyVault/s.test(head) || bytes.every((byte) => byte === 0)) return "not a blob";
  const isManagedHsm = head.startsWith("eyJ");
  const isPlainText = bytes.every((byte) => byte === 9 || byte === 10 || byte === 13 || (byte >= 32 && byte < 127));
  return isPlainText && !isManagedHsm ? "not a blob" : "unknown";
}

/** What state keeps of a blob. */
export function backupDigest(blob: string): string {
  return `sha256:${createHash("sha256").update(blob).digest("base64url")}`;
}

/** Why a blob cannot restore an object of that kind; undefined where it can. */
export function blobProblem(blob: string, wanted: BackupKind): string | undefined {
  const kind = backupKind(blob);
  if (kind === wanted || kind === "unknown") return undefined;
  if (kind === "not a blob") {
    return "is not a Key Vault backup: expected the base64url text that Backup Key returns, whole and unchanged";
  }
  return `is the backup of a ${kind}, and a ${wanted} is needed here: pass the blob of a ${wanted === "key" ? "KeyBackup" : "SecretBackup"}`;
}
