import { formatElapsed, tellThrough } from "../../provider/engine/progress.js";
import { ProgressLine } from "../../provider/engine/progress-line.js";
import { inParallel } from "../../provider/engine/worker-pool.js";
import { keyObject } from "../../provider/key/key-object.js";
import { isKeyVaultError, KeyVaultError } from "../../provider/keyvault/errors.js";
import { isManagedHsm } from "../../provider/keyvault/identifier.js";
import { ifPresent, OperationDeadline } from "../../provider/object/operation-deadline.js";
import { keepBlob } from "../../provider/object/pending-material.js";
import { restoreObject } from "../../provider/object/restore-object.js";
import { restoreDigest } from "../../provider/object/restore-source.js";
import type { VaultObject } from "../../provider/object/vault-object.js";
import { secretObject } from "../../provider/secret/secret-object.js";
import { OutageCount, PARALLEL_OBJECTS } from "../../provider/vault/many-objects.js";
import { type FolderBackup, readFolderBackup, readFolderBlob } from "../../provider/vault-backup/blob-store.js";
import { COLLECTIONS, type Collection, itemLabel } from "../../provider/vault-backup/by-kind.js";
import { observe } from "../../provider/vault-backup/selected-objects.js";
import { selection } from "../../provider/vault-backup/selection.js";
import { CliError } from "../failure/cli-error.js";
import { withHint } from "../failure/other-hint.js";
import { tellProblem } from "../failure/report-failure.js";
import { homePath } from "../files/home-path.js";
import { counted } from "../text/counted.js";
import { printable } from "../text/terminal-text.js";
import { type OpenVault, openVault } from "../vault/open-vault.js";
import { INCOMPLETE } from "../vault/unread-object.js";
import type { RestoreOptions } from "./backup-options.js";
import { type SelectedPart, selectedPart } from "./selected-part.js";

/** One object of the backup. */
interface Item {
  collection: Collection;
  name: string;
}

/** What became of it, or would. */
type Outcome = { item: Item; version: string } | { item: Item; code: string; reason: string };

/** Where the blobs are, and what they are. */
interface Source {
  folder: string;
  backup: FolderBackup;
}

const WORD_EVERY_MS = 10_000;

/** Restores what is free in the vault, and tells by name what is not. */
export async function runRestore(options: RestoreOptions): Promise<number> {
  const folder = homePath(options.from);
  const backup = await readFolderBackup(folder);
  if (backup === undefined) {
    throw new CliError(
      "KV_FILE",
      `there is no backup of a vault in ${folder} (no vault-backup.json): name the folder of a \`pulumi-keyvault backup\` or of a VaultBackup with \`to\``,
    );
  }
  const isDryRun = options.dryRun === true;
  const vault = await openVault(options.vault, options.credential, { missing: isDryRun ? "empty" : "make" });
  tellThrough(options.quiet ? () => {} : (line) => tellProblem("restore", line));
  refuseOtherKind(backup, vault);
  const items = itemsOf(backup, selectedPart(options, vault.client.plane), folder);
  const outcomes = await restoreAll(vault, { folder, backup }, items, isDryRun);
  const refused = outcomes.filter((outcome) => "code" in outcome);
  for (const { item, code, reason } of refused) {
    tellProblem("restore", `${itemLabel(item.collection, item.name)} is not restored: ${code}: ${reason}`);
  }
  const done = outcomes.length - refused.length;
  if (!options.quiet || refused.length > 0) {
    for (const outcome of isDryRun ? outcomes : []) {
      if ("version" in outcome)
        print(`would restore ${itemLabel(outcome.item.collection, outcome.item.name)}, version ${outcome.version}`);
    }
    const what = `${done} of ${counted(outcomes.length, "object")} of ${backup.vaultUrl}, as of ${backup.takenOn},`;
    print(`${isDryRun ? "nothing is restored: would restore" : "restored"} ${what} into ${vault.vaultUrl}`);
  }
  if (refused.length === 0) return 0;
  return done > 0 || isDryRun ? INCOMPLETE : 1;
}

function print(line: string): void {
  process.stdout.write(`${printable(line)}\n`);
}

/** What Azure takes back in no case is told before anything is asked of it. */
function refuseOtherKind({ vaultUrl: from }: FolderBackup, { vaultUrl: into, client }: OpenVault): void {
  const isHsm = client.plane === "managedhsm";
  if (!URL.canParse(from) || new URL(from).protocol !== "https:" || isManagedHsm(from) === isHsm) return;
  throw new KeyVaultError(
    "KV_BACKUP_REJECTED",
    `nothing was restored into ${into}: the backup is of ${from}, and ${isHsm ? "a Managed HSM takes only the backup of one" : "only a Managed HSM takes the backup of one"}`,
    { hint: "restore it into a vault of its kind, in the same subscription and geography." },
  );
}

function itemsOf({ covered }: FolderBackup, part: SelectedPart, folder: string): Item[] {
  const items: Item[] = [];
  const unmatched: string[] = [];
  for (const collection of COLLECTIONS) {
    const patterns = part[collection] ?? [];
    const { matches, names, globs } = selection(patterns);
    const found = Object.keys(covered[collection]).filter(matches);
    items.push(...found.map((name) => ({ collection, name })));
    const missing = names.filter((name) => !found.some((each) => each.toLowerCase() === name.toLowerCase()));
    const empty = globs.filter(({ pattern, covers }) => pattern !== "*" && !found.some(covers));
    unmatched.push(...[...missing, ...empty.map(({ pattern }) => pattern)].map((each) => `${collection} "${each}"`));
  }
  if (items.length > 0 && unmatched.length === 0) return items;
  const what = unmatched.length > 0 ? unmatched.join(", ") : "what was asked for";
  throw new KeyVaultError("KV_NOT_FOUND", `nothing was restored: ${what} is not in the backup in ${folder}`, {
    hint: "look into its vault-backup.json, which lists all that it has.",
  });
}

async function restoreAll(
  vault: OpenVault,
  source: Source,
  items: readonly Item[],
  isDryRun: boolean,
): Promise<Outcome[]> {
  const progress = new ProgressLine(items.length, {
    everyMs: WORD_EVERY_MS,
    now: () => performance.now(),
    line: (done, elapsed) => `restoring into ${vault.vaultUrl}: ${done} of ${items.length} (${formatElapsed(elapsed)})`,
  });
  const outages = new OutageCount();
  let isOut = false;
  return await inParallel(items, PARALLEL_OBJECTS, async (item): Promise<Outcome> => {
    if (isOut) return { item, code: "KV_UNAVAILABLE", reason: "not tried, after too many failures in a row" };
    try {
      const outcome = await restoreOne(vault, source, item, isDryRun);
      outages.succeeded();
      return outcome;
    } catch (error) {
      if (!isKeyVaultError(error)) throw error;
      isOut ||= outages.failed(error);
      return { item, code: error.code, reason: reasonOf(error) };
    } finally {
      progress.step();
    }
  });
}

/** Looks, and restores by what a resource restores by: sent once, looked for where its answer is lost. */
async function restoreOne(
  { client, vaultUrl }: OpenVault,
  { folder, backup }: Source,
  item: Item,
  isDryRun: boolean,
): Promise<Outcome> {
  const { collection, name } = item;
  const blob = await readFolderBlob(folder, backup, collection, name);
  const address = { vaultUrl, name };
  const object: VaultObject =
    collection === "keys"
      ? keyObject(client, address, new OperationDeadline(undefined))
      : secretObject(client, address, new OperationDeadline(undefined));
  // Of a secret the list of versions, which tells no value.
  const present = await ifPresent(observe(client, collection, name));
  if (present) return taken(item, `the vault has it, in version ${present.version}: nothing is overwritten`);
  const deleted = await object.deleted();
  if (deleted) return deletedOne(item);
  if (isDryRun) return { item, version: backup.covered[collection][name]?.version ?? "" };
  const digest = restoreDigest(blob, backup.covered[collection][name]?.version);
  keepBlob(digest, { blob });
  const outcome = await restoreObject(object, digest);
  if ("deletedBefore" in outcome) return deletedOne(item);
  if ("existing" in outcome) return taken(item, "the vault has it by now: nothing is overwritten");
  const { restored } = outcome;
  if (restored.name.toLowerCase() === name.toLowerCase()) return { item, version: restored.version };
  return {
    item,
    code: "KV_INVALID_INPUT",
    reason: `its file is the backup of "${restored.name}", which is restored under that name`,
  };
}

function taken(item: Item, reason: string): Outcome {
  return { item, code: "KV_ALREADY_EXISTS", reason };
}

function deletedOne(item: Item): Outcome {
  const kind = item.collection.slice(0, -1);
  return {
    item,
    code: "KV_DELETED_RECOVERABLE",
    reason: `a deleted ${kind} holds the name: recover it, or purge it and restore again`,
  };
}

/** What a program would do about it is no help here. */
function reasonOf(error: KeyVaultError): string {
  switch (error.code) {
    case "KV_ALREADY_EXISTS":
    case "KV_UNCERTAIN":
      return withHint(error, "run the same restore again: what is there by then is refused");
    case "KV_DELETED_RECOVERABLE":
      return withHint(error, "recover it, or purge it and restore again");
    default:
      return error.message;
  }
}
