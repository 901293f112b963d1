import { z } from "zod";

export const recordedFolder = z.looseObject({ folder: z.string() });

/** The inputs of a KeyBackup or SecretBackup in normal form: what `check` hands on, and what state holds. */
export const backupInputs = z.looseObject({
  vaultUrl: z.string(),
  name: z.string(),
  credential: z.string().exactOptional(),
  /** Of a resource of the same program, whose changes re-take the backup. Left out for an object that is only named. */
  version: z.string().exactOptional(),
  updatedOn: z.string().exactOptional(),
  /** Digest of such a key's rotation policy, which is in its backup too and changes none of the above. */
  rotation: z.string().exactOptional(),
  to: recordedFolder.exactOptional(),
});

/** Outputs are always all there, empty where they do not apply: one that state lacks is unknown in every preview. */
export const backupOutputs = backupInputs.extend({
  /** A secret: it is null where the secrets of a stack could not be carried over to another secrets provider. */
  blob: z.codec(z.string().nullish(), z.string(), { decode: (blob) => blob ?? "", encode: (blob) => blob }),
  file: z.string(),
  digest: z.string(),
  takenOn: z.string(),
  covered: z.looseObject({ version: z.string(), updatedOn: z.string().exactOptional() }),
});

export type BackupInputs = z.output<typeof backupInputs>;
export type BackupOutputs = z.output<typeof backupOutputs>;
