import type { CoveredVersion } from "../backup/covered-version.js";
import { PartialFailure, type Properties } from "../engine/lifecycle.js";
import { formatMoment } from "../engine/moment.js";
import { formatElapsed, tell } from "../engine/progress.js";
import { markSecret } from "../engine/pulumi-secret.js";
import { membersBeyond } from "../engine/recorded-state.js";
import type { KeyVaultClient } from "../keyvault/client.js";
import { isKeyVaultError, KeyVaultError } from "../keyvault/errors.js";
import { vaultClient } from "../vault/vault-access.js";
import { type BackupShelf, FolderShelf, folderProblems, StateShelf, stateProblems } from "./blob-store.js";
import { type ByKind, byKind, COLLECTIONS, type Collection, countOf, itemLabel, recorded } from "./by-kind.js";
import { type FoundObjects, nothingMatches, throwIfNothing, unmatchedGlobs } from "./empty-backup.js";
import { type VaultBackupInputs, type VaultBackupOutputs, vaultBackupOutputs } from "./recorded-vault-backup.js";
import { lookAt, type SelectedObject, type SelectedObjects, whyMissing } from "./selected-objects.js";
import { type Selection, selection } from "./selection.js";
import { type BackupJob, describeFailures, takeBackups } from "./take-backups.js";

/**
 * Brings a backup up to date with the vault: takes what is new or changed, keeps the rest, and keeps earlier blobs
 * of what fails and of what the vault no longer has.
 *
 * @throws PartialFailure where some objects failed; an ordinary error where nothing at all could be taken.
 */
export async function updateVaultBackup(
  id: string,
  inputs: VaultBackupInputs,
  earlier?: VaultBackupOutputs,
): Promise<Properties> {
  const start = performance.now();
  const client = await vaultClient(inputs);
  const shelves = await openShelves(inputs, earlier);
  const found = await findObjects(client, inputs, earlier);
  const plan = await planUpdate(client, shelves, found, inputs, earlier);
  const { covered, failed } = plan;
  const taken = await takeBackups(client, shelves.next, plan.jobs);
  for (const collection of COLLECTIONS) {
    Object.assign(covered[collection], taken.covered[collection]);
    Object.assign(failed[collection], taken.failed[collection]);
  }
  for (const { collection, name } of taken.vanished) {
    const isNamed = found.some((each) => each.collection === collection && namesIt(each.selected, name));
    if (isNamed) noteMissing(plan, collection, name, "it was there, and when its backup was asked for it was not");
    else tell(`deleted meanwhile, and not in the backup of ${inputs.vaultUrl}: ${itemLabel(collection, name)}`);
  }
  if (countOf(covered) === 0) {
    if (taken.firstFailure !== undefined) throw taken.firstFailure;
    if (inputs.onFailure !== "report") throwIfNothing(inputs, failed, taken.vanished.length);
  }

  const takenOn = taken.count > 0 || !earlier ? formatMoment(new Date()) : earlier.takenOn;
  const { blobs, digest } = await shelves.next.close(takenOn);
  const later = earlier === undefined ? {} : membersBeyond(vaultBackupOutputs, earlier);
  const recordedOuts = vaultBackupOutputs.encode({ ...later, ...inputs, covered, blobs, failed, takenOn, digest });
  const outs: Properties = { ...recordedOuts, blobs: markSecret(recordedOuts.blobs) };
  const elapsed = formatElapsed(performance.now() - start);
  const total = plan.jobs.length + plan.kept;
  tell(`backed up ${taken.count} of ${total} objects of ${inputs.vaultUrl} (${elapsed}), ${plan.kept} kept`);
  reportFailures(id, inputs, failed, outs, taken.firstFailure);
  return outs;
}

/** What an update is to do, and what it has of earlier ones. */
interface Plan {
  covered: ByKind<CoveredVersion>;
  failed: ByKind<string>;
  jobs: BackupJob[];
  kept: number;
  /** Whether the program has changed an object since its backup was taken: what is kept of it is not its last version. */
  isChanged: (collection: Collection, name: string) => boolean;
}

async function findObjects(
  client: KeyVaultClient,
  inputs: VaultBackupInputs,
  earlier: VaultBackupOutputs | undefined,
): Promise<FoundObjects[]> {
  return Promise.all(
    COLLECTIONS.map(async (collection) => {
      const selected = selectionOf(inputs, collection);
      const contents = await lookAt(client, collection, selected);
      return { collection, selected, contents, names: earlierNames(collection, earlier, selected, contents) };
    }),
  );
}

/** A resource that is given beside a glob which covers it is named too, though the glob says all of it. */
function selectionOf(inputs: VaultBackupInputs, collection: Collection): Selection {
  const selected = selection(inputs[collection] ?? []);
  const resources = Object.keys(inputs.revisions?.[collection] ?? {});
  const unnamed = resources.filter((name) => selected.matches(name) && !namesIt(selected, name));
  return { ...selected, names: [...selected.names, ...unnamed] };
}

/** Carries over what stays, before anything is asked of the vault: should that fail, the earlier blobs are there. */
async function planUpdate(
  client: KeyVaultClient,
  shelves: Shelves,
  found: readonly FoundObjects[],
  inputs: VaultBackupInputs,
  earlier: VaultBackupOutputs | undefined,
): Promise<Plan> {
  const isChanged = (collection: Collection, name: string) => isChangedSince(collection, name, inputs, earlier);
  const plan: Plan = { covered: byKind(), failed: byKind(), jobs: [], kept: 0, isChanged };
  const unmatched = inputs.allowEmpty ? [] : unmatchedGlobs(found);
  if (unmatched.length > 0 && inputs.onFailure !== "report") throw nothingMatches(inputs, unmatched);
  for (const { collection, pattern, reason } of unmatched) plan.failed[collection][pattern] = reason;

  for (const { collection, contents, names } of found) {
    tellManaged(inputs, collection, contents);
    const toTake = new Map(contents.objects.map((object) => [object.name, object]));
    for (const name of names) {
      const object = toTake.get(name);
      const carried = await carryOver(shelves, collection, name, earlier, plan.covered);
      if (!object && carried === "lost") {
        tell(`the backup of ${itemLabel(collection, name)} is lost, and the vault no longer has it`);
      } else if (
        !object ||
        (carried === "unchanged" && isCovered(collection, object, earlier) && !isChanged(collection, name))
      ) {
        toTake.delete(name);
        plan.kept++;
      }
    }
    for (const object of toTake.values()) plan.jobs.push({ collection, object });
    for (const name of contents.missing)
      noteMissing(plan, collection, name, await whyMissing(client, collection, name));
  }
  return plan;
}

/** What the program names and the vault does not have is a failure, unless an earlier blob of it is the last copy. */
function noteMissing({ covered, failed, isChanged }: Plan, collection: Collection, name: string, reason: string): void {
  const isKept = Object.keys(covered[collection]).some((each) => each.toLowerCase() === name.toLowerCase());
  if (!isKept || isChanged(collection, name)) failed[collection][name] = reason;
}

function isChangedSince(
  collection: Collection,
  name: string,
  inputs: VaultBackupInputs,
  earlier: VaultBackupOutputs | undefined,
): boolean {
  if (entryOf(earlier?.failed[collection], name) !== undefined) return true;
  const before = entryOf(earlier?.revisions?.[collection], name);
  return before !== undefined && before !== entryOf(inputs.revisions?.[collection], name);
}

function namesIt({ names }: Selection, name: string): boolean {
  return names.some((each) => each.toLowerCase() === name.toLowerCase());
}

interface Shelves {
  earlier: BackupShelf | undefined;
  next: BackupShelf;
}

async function openShelves(
  { to, vaultUrl }: VaultBackupInputs,
  earlier: VaultBackupOutputs | undefined,
): Promise<Shelves> {
  const before = earlier && (await openShelf(earlier, earlier));
  // The same shelf where it stays the same: it then has nothing to write for what did not change.
  const isSame = earlier?.to?.folder === to?.folder;
  const next = before && isSame ? before : await openShelf({ vaultUrl, ...(to && { to }) }, undefined);
  await next.refuseForeignFolder();
  return { earlier: before, next };
}

async function openShelf(
  { to, vaultUrl }: Pick<VaultBackupInputs, "to" | "vaultUrl">,
  earlier: VaultBackupOutputs | undefined,
): Promise<BackupShelf> {
  return to ? FolderShelf.open(to.folder, vaultUrl, earlier?.digest) : new StateShelf(earlier?.blobs, earlier?.digest);
}

/** What an earlier update took and the program still selects. A name in another case is another file, taken anew. */
function earlierNames(
  collection: Collection,
  earlier: VaultBackupOutputs | undefined,
  { matches }: Selection,
  { objects }: SelectedObjects,
): string[] {
  const names = new Map(objects.map(({ name }) => [name.toLowerCase(), name]));
  return Object.keys(earlier?.covered[collection] ?? {}).filter(
    (name) => matches(name) && (names.get(name.toLowerCase()) ?? name) === name,
  );
}

/** Puts an earlier blob on the new shelf, and tells whether it is the one that was taken. */
async function carryOver(
  shelves: Shelves,
  collection: Collection,
  name: string,
  earlier: VaultBackupOutputs | undefined,
  covered: ByKind<CoveredVersion>,
): Promise<"unchanged" | "changed" | "lost"> {
  const shelved = await shelves.earlier?.read(collection, name);
  const wasCovered = earlier && recorded(earlier.covered[collection], name);
  if (!shelved || wasCovered === undefined) return "lost";
  await shelves.next.put(collection, name, shelved.blob, wasCovered);
  covered[collection][name] = wasCovered;
  return shelved.isUnchanged ? "unchanged" : "changed";
}

/** Whether an object is as it was when its backup was taken, as far as the vault tells. */
function isCovered(
  collection: Collection,
  { name, updatedOn, version }: SelectedObject,
  earlier: VaultBackupOutputs | undefined,
): boolean {
  const covered = earlier && recorded(earlier.covered[collection], name);
  return covered?.updatedOn === updatedOn && (version === undefined || version === covered?.version);
}

/** Under the name that the program gives the resource, which the vault may write in another case. */
function entryOf(entries: Record<string, string> = {}, name: string): string | undefined {
  const written = Object.keys(entries).find((each) => each.toLowerCase() === name.toLowerCase());
  return recorded(entries, written ?? name);
}

/** What changed in the vault or on the shelf since the backup was taken, by name. */
export async function staleness(outs: VaultBackupOutputs): Promise<string[]> {
  const problems = outs.to
    ? await folderProblems(outs.to.folder, outs.digest)
    : stateProblems(outs.covered, outs.blobs, outs.digest);
  const client = await vaultClient(outs);
  for (const collection of COLLECTIONS) {
    const contents = await lookAt(client, collection, selection(outs[collection] ?? []));
    for (const object of contents.objects) {
      const label = itemLabel(collection, object.name);
      const covered = recorded(outs.covered[collection], object.name);
      if (covered === undefined) problems.push(`${label} is new`);
      else if (!isCovered(collection, object, outs)) problems.push(`${label} ${whatChanged(object)}`);
    }
  }
  return problems;
}

function whatChanged({ updatedOn }: SelectedObject): string {
  return updatedOn === undefined ? "cannot be read" : `was changed on ${updatedOn}`;
}

function tellManaged({ vaultUrl }: VaultBackupInputs, collection: Collection, { managed }: SelectedObjects): void {
  if (managed.length === 0) return;
  tell(
    `${collection} of certificates are not in the backup of ${vaultUrl} (${managed.length}): a backup of the certificate brings them`,
  );
}

function reportFailures(
  id: string,
  inputs: VaultBackupInputs,
  failed: ByKind<string>,
  outs: Properties,
  firstFailure: unknown,
): void {
  const count = countOf(failed);
  if (count === 0) return;
  const text = `the backup of ${inputs.vaultUrl} is incomplete; ${count} failed, the others are kept:${describeFailures(failed)}`;
  if (inputs.onFailure === "report") {
    tell(text);
    return;
  }
  throw new PartialFailure(
    id,
    outs,
    new KeyVaultError(isKeyVaultError(firstFailure) ? firstFailure.code : "KV_NOT_FOUND", text, {
      hint: 'The next up tries them again; leave one out with "!name", or set onFailure: "report" to go on without them.',
    }),
  );
}
