import { z } from "zod";
import { type CoveredVersion, formatCovered, parseCovered } from "../backup/covered-version.js";
import { recordedFolder } from "../backup/recorded-backup.js";
import type { ByKind } from "./by-kind.js";

const texts = z.record(z.string(), z.string());
const covered = z.record(
  z.string(),
  z.codec(z.string(), z.custom<CoveredVersion>(), { decode: parseCovered, encode: formatCovered }),
);

/** A VaultBackup's inputs in normal form: what `check` hands on, and what state holds. */
export const vaultBackupInputs = z.looseObject({
  vaultUrl: z.string(),
  credential: z.string().exactOptional(),
  /** Names and globs, sorted; left out where none are backed up. */
  keys: z.array(z.string()).exactOptional(),
  secrets: z.array(z.string()).exactOptional(),
  /** A short digest of version and last change of each resource of the same program, whose changes re-take the backup. */
  revisions: z.looseObject({ keys: texts.exactOptional(), secrets: texts.exactOptional() }).exactOptional(),
  to: recordedFolder.exactOptional(),
  /** Left out: `fail`. */
  onFailure: z.literal("report").exactOptional(),
  /** Left out: a glob that matches nothing fails the update. */
  allowEmpty: z.literal(true).exactOptional(),
});

/** What is left of blobs that became null with the secrets of a stack: the other ones. */
const blobs = z.codec(
  z
    .looseObject({
      keys: z.record(z.string(), z.string().nullable()),
      secrets: z.record(z.string(), z.string().nullable()),
    })
    .nullish(),
  z.custom<ByKind<string>>(),
  {
    decode: (found) => ({ keys: known(found?.keys), secrets: known(found?.secrets) }),
    encode: (entries) => ({ ...entries }),
  },
);

/** Outputs are always all there: one that state lacks is unknown in every preview. */
export const vaultBackupOutputs = vaultBackupInputs.extend({
  covered: z.looseObject({ keys: covered, secrets: covered }),
  /** A secret. Without entries where `to` keeps the blobs. */
  blobs,
  /** Why an object has no backup, or none of its last change. */
  failed: z.looseObject({ keys: texts, secrets: texts }),
  takenOn: z.string(),
  /** Of the blobs, or of the folder's manifest. */
  digest: z.string(),
});

export type VaultBackupInputs = z.output<typeof vaultBackupInputs>;
export type VaultBackupOutputs = z.output<typeof vaultBackupOutputs>;

function known(entries: Record<string, string | null> = {}): Record<string, string> {
  const there: Record<string, string> = {};
  for (const [name, blob] of Object.entries(entries)) if (blob !== null) there[name] = blob;
  return there;
}
