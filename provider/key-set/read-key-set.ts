import { isRecord } from "../engine/input-check.js";
import { PartialFailure, type Properties } from "../engine/lifecycle.js";
import { formatMoment } from "../engine/moment.js";
import { tell } from "../engine/progress.js";
import { runCancellation } from "../engine/run-cancellation.js";
import { runClock } from "../engine/run-clock.js";
import { keyLifecycle } from "../key/key-lifecycle.js";
import { isKeyVaultError } from "../keyvault/errors.js";
import type { KeyItem } from "../keyvault/key-bundle.js";
import { noteProven } from "../object/declared-objects.js";
import { ownerOf } from "../object/owner-tag.js";
import { objectId } from "../vault/object-address.js";
import { vaultClient } from "../vault/vault-access.js";
import { forEachKey } from "./each-key.js";
import { failureOf, reasonsByName } from "./key-failures.js";
import { addressOf, entryOf, keyInputsOf, namesWithoutCase, unreadEntry } from "./key-set-inputs.js";
import { keyOutputsOf, recordOf, setMembers } from "./key-set-outputs.js";
import { isSettled } from "./last-look.js";
import { hasOpenEnd, type KeyRecord, type KeyRecords, packRecords, unpackRecords } from "./packed-records.js";
import { laterMembers, readKeySetOutputs } from "./recorded-key-set.js";
import { SetDeadline } from "./set-deadline.js";

/** A page of the list holds so many. */
const PAGE = 25;

/**
 * Reads a set by the vault's list, 25 keys a request, and then each key whose line is not the one that state knows, by
 * the read of a Key: drift is told per key and property.
 *
 * What the list does not tell, a change of a key always shows in it as another moment: type, material and operations
 * cannot change without.
 *
 * @throws PartialFailure where some keys could not be read: they stay as they were recorded, and are marked; an ordinary
 * error where none could, or the run was cancelled.
 */
export async function readKeySet(
  id: string,
  props: Properties,
): Promise<{ id: string; props: Properties; inputs?: Properties }> {
  const recorded = readKeySetOutputs(props);
  const { vaultUrl, timeouts } = recorded;
  const set = setMembers(props);
  const before = unpackRecords(recorded.records);
  const lookedOn = formatMoment(new Date(runClock.now()));
  const seen = await unchangedByList(recorded, set, before);
  const records: KeyRecords = new Map();
  const keys: Properties = {};
  for (const [name, record] of before) {
    if (!seen.has(name)) continue;
    records.set(name, record);
    noteProven("key", addressOf(set, name));
    keys[name] = inputEntry(set, name, record);
  }

  const deadline = new SetDeadline(timeouts, "read");
  const toRead = [...before.keys()].filter((name) => !seen.has(name));
  const outcome = await forEachKey(toRead, { doing: `reading keys of ${vaultUrl}`, vaultUrl }, async (name) => {
    const record = before.get(name);
    if (record === undefined) return;
    const outs = deadline.limited(keyOutputsOf(set, name, record));
    const found = await keyLifecycle.read(objectId("keys", addressOf(set, name)), outs);
    if (found.id === "") return;
    noteProven("key", addressOf(set, name));
    records.set(name, recordOf(set, found.props));
    keys[name] = entryOf(set, found.inputs ?? {});
  });
  const unread = reasonsByName(outcome);
  const isForNothing = (seen.size === 0 && unread.size === toRead.length) || runCancellation().aborted;
  const failure = failureOf(vaultUrl, [outcome], {
    what: () => "could not be read",
    hint: isForNothing
      ? "run it again once the vault answers."
      : "state keeps what it has of them, and the next `pulumi up` or refresh looks again.",
  });
  if (failure !== undefined && isForNothing) throw failure;
  // What could not be read is not gone, and a refresh that took it for unchanged would tell a clean preview.
  for (const [name, reason] of unread) {
    const record = before.get(name);
    if (record === undefined) continue;
    records.set(name, { ...record, unread: reason });
    keys[name] = unreadEntry(inputEntry(set, name, record));
  }
  const ordered = Object.fromEntries(
    [...before.keys()].filter((name) => Object.hasOwn(keys, name)).map((name) => [name, keys[name]]),
  );
  const found = { ...laterMembers(props), ...set, lookedOn, records: packRecords(records) };
  const inputs = { ...set, keys: ordered };
  if (failure !== undefined) throw new PartialFailure(id, found, failure, inputs);
  return { id, props: found, inputs };
}

/** What a key that was left as it is tells of an earlier refresh, too: a version that somebody else made stays drift. */
function inputEntry(set: Properties, name: string, record: KeyRecord): Properties {
  return entryOf(set, keyInputsOf(set, name, record.entry));
}

/** The names of keys whose line in the vault's list is the one that state knows. */
async function unchangedByList(
  recorded: { vaultUrl: string; credential?: string | undefined; lookedOn?: string | undefined },
  set: Properties,
  before: KeyRecords,
): Promise<ReadonlySet<string>> {
  const unchanged = new Set<string>();
  const names = namesWithoutCase(before.keys());
  const { lookedOn } = recorded;
  if (before.size === 0 || lookedOn === undefined) return unchanged;
  const client = await vaultClient(recorded);
  let lines = 0;
  try {
    for await (const item of client.getKeys({ onOddLine: () => {} })) {
      lines++;
      const name = names.get(item.name.toLowerCase());
      const record = name === undefined ? undefined : before.get(name);
      if (name !== undefined && record !== undefined) {
        names.delete(item.name.toLowerCase());
        if (isAsRecorded(item, record, keyOutputsOf(set, name, record), lookedOn)) unchanged.add(name);
      }
      // A few keys of a large vault are asked for by their names.
      if (names.size === 0 || runCancellation().aborted || lines > PAGE * (before.size + 1)) break;
    }
  } catch (error) {
    if (!isKeyVaultError(error, "KV_FORBIDDEN")) throw error;
    tell(
      `the keys of ${recorded.vaultUrl} may not be listed: each key of the set is read by itself (${error.message})`,
    );
  }
  return unchanged;
}

/** What the program says or, where it leaves that to the vault, what an earlier look has found. */
function isEnabled({ enabled, found }: Properties): boolean {
  return (enabled ?? (isRecord(found) ? found.enabled : undefined)) !== false;
}

function isAsRecorded(item: KeyItem, record: KeyRecord, outs: Properties, lookedOn: string): boolean {
  const { createdOn, updatedOn, ownerToken } = record.facts;
  if (item.updatedOn === undefined || item.createdOn === undefined) return false;
  if (formatMoment(item.updatedOn) !== updatedOn || formatMoment(item.createdOn) !== createdOn) return false;
  if (!isSettled(updatedOn, lookedOn) || item.managed) return false;
  // A policy changes without the key, and what an earlier refresh has found is told until an update ends it.
  if (outs.rotationPolicy !== undefined || hasOpenEnd(record)) return false;
  return item.enabled === isEnabled(outs) && (ownerToken === undefined || ownerOf(item.tags)?.token === ownerToken);
}
