import { randomBytes } from "node:crypto";
import { mkdir, readFile, rename, rm, writeFile } from "node:fs/promises";
import { join, resolve } from "node:path";
import { backupDigest } from "./backup-blob.js";
import { formatMoment, InputCheck, isRecord } from "./input-check.js";
import { KeyVaultError } from "./keyvault/errors.js";
import type { Properties, ResourceLifecycle } from "./lifecycle.js";
import { checkObjectName, checkVaultUrl } from "./object-address.js";
import { ifPresent } from "./patience.js";
import { tell } from "./progress.js";
import { markSecret } from "./pulumi-secret.js";

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
  to?: { folder: string };
}

interface BackupOutputs extends BackupInputs {
  digest: string;
  takenOn: string;
  covered: Covered;
  file?: string;
}

const PROPERTIES = ["vaultUrl", "name", "version", "updatedOn", "to"];

/**
 * The lifecycle of KeyBackup and SecretBackup. Version and last change of the object are inputs, so a change of it
 * re-takes the backup in the same `up`. Deleting the resource drops the blob from state and touches nothing else.
 */
export function backupLifecycle(source: BackupSource): ResourceLifecycle {
  return {
    check: async (olds, news) => {
      const check = new InputCheck(news, PROPERTIES);
      const inputs = {
        __provider: news.__provider,
        vaultUrl: checkVaultUrl(check),
        name: checkObjectName(check, olds, source.kind),
        version: check.text("version", { what: "a version" }),
        updatedOn: check.text("updatedOn", { what: "a moment" }),
        to: checkFolder(check),
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

function checkFolder(check: InputCheck): Properties | string | undefined {
  const to = check.record("to", '{ folder: "backups" }');
  if (isRecord(to) && typeof to.folder !== "string") check.fail("to", 'must be { folder: "backups" }');
  return to;
}

async function take(source: BackupSource, inputs: BackupInputs): Promise<Properties> {
  const { vaultUrl, name } = inputs;
  const { version, updatedOn } = inputs;
  const covered =
    version === undefined
      ? await source.observe(vaultUrl, name)
      : { version, ...(updatedOn === undefined ? {} : { updatedOn }) };
  const blob = await source.backup(vaultUrl, name);
  const kept = inputs.to
    ? { file: await writeBlob(inputs.to.folder, `${name}.${source.kind}backup`, blob) }
    : { blob: markSecret(blob) };
  return {
    ...inputs,
    covered,
    digest: backupDigest(blob),
    takenOn: formatMoment(new Date()),
    ...kept,
  };
}

async function readBackup(source: BackupSource, id: string, props: Properties) {
  const { blob, digest, takenOn, covered, file, ...inputs } = props as unknown as BackupOutputs & { blob?: string };
  const outs = { ...props, ...(blob === undefined ? {} : { blob: markSecret(blob) }) };
  // A managed object tells its changes itself, through the inputs: only one that is merely named is looked at.
  const isManaged = inputs.version !== undefined;
  const staleness =
    (await fileProblem(file, digest)) ?? (isManaged ? undefined : await changedSince(source, inputs, covered));
  if (staleness !== undefined)
    tell(`the backup of ${source.kind} "${inputs.name}" in ${inputs.vaultUrl} is stale: ${staleness}`);
  return { id, props: outs, inputs: { ...inputs, ...(staleness === undefined ? {} : { stale: staleness }) } };
}

async function changedSince(source: BackupSource, inputs: BackupInputs, covered: Covered): Promise<string | undefined> {
  const now = await ifPresent(source.observe(inputs.vaultUrl, inputs.name));
  // The blob of an object that is gone is the last copy of it: nothing to do, and nothing to take again.
  if (!now) return undefined;
  if (now.version !== covered.version) return `version ${now.version} is newer`;
  return now.updatedOn === covered.updatedOn ? undefined : `it was changed on ${now.updatedOn}`;
}

async function fileProblem(file: string | undefined, digest: string): Promise<string | undefined> {
  if (file === undefined) return undefined;
  try {
    return backupDigest((await readFile(file, "latin1")).trim()) === digest ? undefined : `${file} was changed`;
  } catch {
    return `${file} cannot be read`;
  }
}

/** Writes a blob so that the file is whole or not there, for its owner only. */
export async function writeBlob(folder: string, fileName: string, blob: string): Promise<string> {
  const path = join(folder, fileName);
  const partial = `${resolve(path)}.${randomBytes(6).toString("hex")}.partial`;
  try {
    await mkdir(resolve(folder), { recursive: true, mode: 0o700 });
    await writeFile(partial, blob, { mode: 0o600, flag: "wx" });
    await rename(partial, resolve(path));
  } catch (error) {
    await rm(partial, { force: true });
    const code = error instanceof Error && "code" in error ? String(error.code) : "unknown error";
    throw new KeyVaultError("KV_INVALID_INPUT", `the backup cannot be written to ${path} (${code})`, {
      hint: "check that the folder of `to` can be written",
    });
  }
  return path;
}
