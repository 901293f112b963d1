import { createHash } from "node:crypto";
import { InputCheck, isRecord } from "../engine/input-check.js";
import type { Properties, ResourceLifecycle } from "../engine/lifecycle.js";
import { formatMoment } from "../engine/moment.js";
import { pickDefined } from "../engine/normal-form.js";
import { tell } from "../engine/progress.js";
import { markSecret } from "../engine/pulumi-secret.js";
import { membersBeyond, readState, type StateOfResource } from "../engine/recorded-state.js";
import { containsUnknown, isUnknown, UNKNOWN } from "../engine/unknown.js";
import { isKeyVaultError } from "../keyvault/errors.js";
import { backupDigest } from "../object/backup-blob.js";
import { tellIfManyVersions } from "../object/many-versions.js";
import { ifPresent, OperationDeadline } from "../object/operation-deadline.js";
import { formatStalenessReport } from "../object/staleness-report.js";
import { checkCredential } from "../vault/check-credential.js";
import { checkObjectName, checkVaultUrl, type ObjectAddress, objectLabel } from "../vault/object-address.js";
import { replacedBy } from "../vault/replaced-by.js";
import { answeredBlob } from "./answered-blob.js";
import { backupFileName, backupFileProblem, realFolder, writeBackupFile } from "./backup-file.js";
import { claimBackupFile, writerOf } from "./backup-owner.js";
import { checkBackupFolder } from "./check-backup-folder.js";
import { type CoveredVersion, coveredVersion } from "./covered-version.js";
import type { BackupInputs, BackupOutputs } from "./recorded-backup.js";

/** The two requests that a backup of one kind of object takes. */
export interface BackupSource {
  kind: "key" | "secret";
  /** The current version, and when it was last changed. */
  observe(address: ObjectAddress): Promise<CoveredVersion>;
  backup(address: ObjectAddress): Promise<string>;
  versions(address: ObjectAddress): Promise<AsyncIterable<unknown>>;
}

/** Characters from which on a blob may hold so many versions that the next ones do not fit: only then are they counted. */
const LARGE_BLOB = 60_000;

const PROPERTIES = [
  "vaultUrl",
  "name",
  "credential",
  "version",
  "updatedOn",
  "rotationPolicy",
  "to",
  "claimant",
  "owner",
];
/** What state holds of the inputs. */
const INPUTS = ["__provider", "vaultUrl", "name", "credential", "version", "updatedOn", "rotation", "to"];

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
        vaultUrl: checkVaultUrl(check, olds),
        name,
        credential: await checkCredential(check),
        version: check.text("version", { what: "a version" }),
        updatedOn: check.text("updatedOn", { what: "a moment" }),
        rotation: rotationDigest(news.rotationPolicy),
        to: checkBackupFolder(check, isUnknown(name) ? undefined : name && backupFileName(source.kind, name)),
      };
      return { inputs, failures: check.failures };
    },

    diff: async (_id, olds, news) => ({
      // A blob that became null shows in no input until a refresh says that the backup is stale.
      changes: olds.blob === null || olds.blob === undefined ? true : undefined,
      replaces: replacedBy(olds, news),
      deleteBeforeReplace: false,
    }),

    create: async (properties) => {
      const inputs = await readInputs(source, properties);
      const id = `${inputs.vaultUrl}/${source.kind}s/${inputs.name}/backup`;
      return { id, outs: await take(source, inputs) };
    },

    read: async (id, props) => readBackup(source, id, props),

    update: async (_id, olds, news) => ({ outs: await take(source, await readInputs(source, news), olds) }),

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

async function take(source: BackupSource, inputs: BackupInputs, olds?: Properties): Promise<Properties> {
  const { vaultUrl, name, version, updatedOn, to } = inputs;
  const fileName = backupFileName(source.kind, name);
  if (to) {
    const digest = typeof olds?.digest === "string" ? olds.digest : undefined;
    await claimBackupFile(to.folder, fileName, writerOf(realFolder(to.folder), fileName)?.owner, digest);
  }
  // Looked at before it is taken: a change in between makes the backup newer than it says, and is taken once more.
  const covered = version === undefined ? await source.observe(inputs) : coveredVersion(version, updatedOn);
  const answer = await new OperationDeadline(undefined).whileBusy(
    `${source.kind} "${name}" in ${vaultUrl} to be free`,
    () => source.backup(inputs),
  );
  const blob = answeredBlob(source.kind, name, vaultUrl, answer);
  // The versions of a secret that is only named were counted when its newest was looked for.
  const isCounted = source.kind === "secret" && version === undefined;
  if (blob.length >= LARGE_BLOB && !isCounted) await warnOfVersions(source, inputs);
  const file = to ? await writeBackupFile(to.folder, fileName, blob) : "";
  return {
    ...(await laterMembers(olds)),
    ...inputs,
    covered,
    digest: backupDigest(blob),
    takenOn: formatMoment(new Date()),
    blob: markSecret(to ? "" : blob),
    file,
  };
}

/** What a later version has recorded of a backup beside all that this one knows. */
async function laterMembers(olds: Properties = {}): Promise<Properties> {
  const { backupOutputs } = await import("./recorded-backup.js");
  return membersBeyond(backupOutputs, olds);
}

/** The backup is taken: whoever may not list the versions has it without the warning. */
async function warnOfVersions(source: BackupSource, address: ObjectAddress): Promise<void> {
  let count = 0;
  try {
    for await (const _version of await source.versions(address)) count++;
  } catch (error) {
    if (!isKeyVaultError(error)) throw error;
    return;
  }
  tellIfManyVersions(objectLabel(source.kind, address), count);
}

async function readBackup(source: BackupSource, id: string, props: Properties) {
  const { backupOutputs } = await import("./recorded-backup.js");
  const outs = readState(backupOutputs, props, stateOf(source, props));
  const staleness = (await damage(outs)) ?? (await changedSince(source, outs));
  if (staleness !== undefined) {
    tell(formatStalenessReport({ label: objectLabel(source.kind, outs), reason: staleness }));
  }
  return {
    id,
    props: { ...props, blob: markSecret(outs.blob) },
    inputs: { ...pickDefined(props, INPUTS), ...(staleness === undefined ? {} : { stale: staleness }) },
  };
}

/** What keeps the recorded blob from being the one that was taken. */
async function damage({ blob, file, digest }: BackupOutputs): Promise<string | undefined> {
  if (file !== "") return backupFileProblem(file, digest);
  if (blob === "") return "its blob in state is lost";
  return backupDigest(blob) === digest ? undefined : "its blob in state was changed";
}

async function changedSince(source: BackupSource, outs: BackupOutputs): Promise<string | undefined> {
  const { version, covered } = outs;
  // A managed object tells its changes itself, through the inputs: only one that is merely named is looked at.
  if (version !== undefined) return undefined;
  const now = await ifPresent(source.observe(outs));
  // The blob of an object that is gone is the last copy of it: nothing to do, and nothing to take again.
  if (!now) return undefined;
  if (now.version !== covered.version) return `version ${now.version} is newer`;
  return now.updatedOn === covered.updatedOn ? undefined : `it was changed on ${now.updatedOn}`;
}

async function readInputs(source: BackupSource, properties: Properties): Promise<BackupInputs> {
  const { backupInputs } = await import("./recorded-backup.js");
  return readState(backupInputs, properties, stateOf(source, properties));
}

function stateOf({ kind }: BackupSource, { vaultUrl, name }: Properties): StateOfResource {
  return {
    resource: `the backup of ${kind} "${name}" in ${vaultUrl}`,
    remedy: "take the backup anew: pulumi up --replace with its URN",
  };
}
