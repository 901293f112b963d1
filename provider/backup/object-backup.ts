import { createHash } from "node:crypto";
import { formatMoment, InputCheck, isRecord } from "../engine/input-check.js";
import type { Properties, ResourceLifecycle } from "../engine/lifecycle.js";
import { tell } from "../engine/progress.js";
import { markSecret } from "../engine/pulumi-secret.js";
import { containsUnknown, UNKNOWN } from "../engine/unknown.js";
import { backupDigest } from "../object/backup-blob.js";
import { ifPresent, OperationDeadline } from "../object/operation-deadline.js";
import { formatStalenessReport } from "../object/staleness-report.js";
import { checkObjectName, checkVaultUrl, objectLabel } from "../vault/object-address.js";
import {
  type BackupFolder,
  backupFileName,
  backupFileProblem,
  checkBackupFolder,
  writeBackupFile,
} from "./backup-file.js";

/** The two requests that a backup of one kind of object takes. */
export interface BackupSource {
  kind: "key" | "secret";
  /** The current version, and when it was last changed. */
  observe(vaultUrl: string, name: string): Promise<Covered>;
  backup(vaultUrl: string, name: string): Promise<string>;
}

export interface Covered {
  version: string;
  updatedOn?: string;
}

interface BackupInputs {
  vaultUrl: string;
  name: string;
  /** Of a resource of the same program, whose changes re-take the backup. Left out for an object that is only named. */
  version?: string;
  updatedOn?: string;
  /** Digest of such a key's rotation policy, which is in its backup too and changes none of the above. */
  rotation?: string;
  to?: BackupFolder;
}

/** Outputs are always all there, empty where they do not apply: one that state lacks is unknown in every preview. */
interface BackupOutputs extends BackupInputs {
  blob: string;
  file: string;
  digest: string;
  takenOn: string;
  covered: Covered;
}

const PROPERTIES = ["vaultUrl", "name", "version", "updatedOn", "rotationPolicy", "to", "claimant"];

/**
 * The lifecycle of KeyBackup and SecretBackup. Version and last change of the object are inputs, so a change of it
 * re-takes the backup in the same `up`. Deleting the resource drops the blob from state and touches nothing else.
 */
export function backupLifecycle(source: BackupSource): ResourceLifecycle {
  return {
    check: async (olds, news) => {
      const check = new InputCheck(news, PROPERTIES);
      const name = checkObjectName(check, olds, source.kind);
      const inputs = {
        __provider: news.__provider,
        vaultUrl: checkVaultUrl(check),
        name,
        version: check.text("version", { what: "a version" }),
        updatedOn: check.text("updatedOn", { what: "a moment" }),
        rotation: rotationDigest(news.rotationPolicy),
        to: checkBackupFolder(check, name && backupFileName(source.kind, name)),
      };
      return { inputs, failures: check.failures };
    },

    diff: async (_id, olds, news) => ({
      changes: undefined,
      replaces: ["vaultUrl", "name"].filter((property) => olds[property] !== news[property]),
      deleteBeforeReplace: false,
    }),

    create: async (properties) => {
      const inputs = properties as unknown as BackupInputs;
      const id = `${inputs.vaultUrl}/${source.kind}s/${inputs.name}/backup`;
      return { id, outs: await take(source, inputs) };
    },

    read: async (id, props) => readBackup(source, id, props),

    update: async (_id, _olds, news) => ({ outs: await take(source, news as unknown as BackupInputs) }),

    delete: async () => {},
  };
}

/** A short digest of a rotation policy as the Key resource has it; undefined where it has none. */
export function rotationDigest(policy: unknown): string | undefined {
  if (policy === undefined || policy === null) return undefined;
  if (containsUnknown(policy) || !isRecord(policy)) return UNKNOWN;
  const members = Object.entries(policy).sort(([a], [b]) => (a < b ? -1 : 1));
  return createHash("sha256").update(JSON.stringify(members)).digest("base64url").slice(0, 11);
}

async function take(source: BackupSource, inputs: BackupInputs): Promise<Properties> {
  const { vaultUrl, name, version, updatedOn, to } = inputs;
  // Looked at before it is taken: a change in between makes the backup newer than it says, and is taken once more.
  const covered =
    version === undefined
      ? await source.observe(vaultUrl, name)
      : { version, ...(updatedOn === undefined ? {} : { updatedOn }) };
  const blob = await new OperationDeadline(undefined).whileBusy(
    `${source.kind} "${name}" in ${vaultUrl} to be free`,
    () => source.backup(vaultUrl, name),
  );
  const file = to ? await writeBackupFile(to.folder, backupFileName(source.kind, name), blob) : "";
  return {
    ...inputs,
    covered,
    digest: backupDigest(blob),
    takenOn: formatMoment(new Date()),
    blob: markSecret(to ? "" : blob),
    file,
  };
}

async function readBackup(source: BackupSource, id: string, props: Properties) {
  const { blob, digest, takenOn, covered, file, ...inputs } = props as unknown as BackupOutputs;
  // A managed object tells its changes itself, through the inputs: only one that is merely named is looked at.
  const isManaged = inputs.version !== undefined;
  const staleness =
    (file === "" ? undefined : await backupFileProblem(file, digest)) ??
    (isManaged ? undefined : await changedSince(source, inputs, covered));
  if (staleness !== undefined)
    tell(formatStalenessReport({ label: objectLabel(source.kind, inputs), reason: staleness }));
  return {
    id,
    props: { ...props, blob: markSecret(blob) },
    inputs: { ...inputs, ...(staleness === undefined ? {} : { stale: staleness }) },
  };
}

async function changedSince(source: BackupSource, inputs: BackupInputs, covered: Covered): Promise<string | undefined> {
  const now = await ifPresent(source.observe(inputs.vaultUrl, inputs.name));
  // The blob of an object that is gone is the last copy of it: nothing to do, and nothing to take again.
  if (!now) return undefined;
  if (now.version !== covered.version) return `version ${now.version} is newer`;
  return now.updatedOn === covered.updatedOn ? undefined : `it was changed on ${now.updatedOn}`;
}
