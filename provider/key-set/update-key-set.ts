import { isRecord } from "../engine/input-check.js";
import { PartialFailure, type Properties } from "../engine/lifecycle.js";
import { formatElapsed, tell } from "../engine/progress.js";
import { runClock } from "../engine/run-clock.js";
import { keyLifecycle } from "../key/key-lifecycle.js";
import { noteUnrecorded } from "../object/declared-objects.js";
import { objectId } from "../vault/object-address.js";
import { forEachKey, type KeyFailures } from "./each-key.js";
import { failureOf } from "./key-failures.js";
import { addressOf, entryOf, hasNotes, isSameKey, keptEntry, keyInputsOf, withoutNotes } from "./key-set-inputs.js";
import { keyOutputsOf, recordOf, setMembers } from "./key-set-outputs.js";
import { lookAfterWrites } from "./last-look.js";
import { hasOpenEnd, type KeyRecord, type KeyRecords, packRecords, unpackRecords } from "./packed-records.js";
import { laterMembers, readKeySetInputs, readKeySetOutputs } from "./recorded-key-set.js";
import { restOfProgram } from "./rest-of-program.js";
import { SetDeadline } from "./set-deadline.js";

export async function createKeySet(properties: Properties): Promise<{ id: string; outs: Properties }> {
  const id = `${readKeySetInputs(properties).vaultUrl}/keys`;
  return { id, outs: await bringToProgram(id, properties, undefined) };
}

export async function updateKeySet(id: string, olds: Properties, news: Properties): Promise<{ outs: Properties }> {
  return { outs: await bringToProgram(id, news, olds) };
}

/**
 * Brings every key of a set to what the program says, by the life of a Key: makes those that state does not have,
 * updates those that differ, asks nothing for the others, and at the end does to those that left the set what `removed`
 * says.
 *
 * @throws PartialFailure where some keys failed; an ordinary error where none is there at all.
 */
async function bringToProgram(id: string, news: Properties, olds: Properties | undefined): Promise<Properties> {
  const start = runClock.now();
  const inputs = readKeySetInputs(news);
  const before: KeyRecords = olds === undefined ? new Map() : unpackRecords(readKeySetOutputs(olds).records);
  const records: KeyRecords = new Map();
  const set = setMembers(news);
  const deadline = new SetDeadline(inputs.timeouts, olds === undefined ? "create" : "update");
  const toDo: string[] = [];
  for (const [name, entry] of Object.entries(inputs.keys)) {
    const record = before.get(name);
    const isAsSaid =
      olds !== undefined &&
      record !== undefined &&
      !hasOpenEnd(record) &&
      isSameKey(keyOutputsOf(olds, name, record), wantedOf(set, name, entry)) &&
      !lacksPublicKey(set, record);
    if (isAsSaid && record !== undefined) records.set(name, recordOf(set, keyOutputsOf(olds, name, record)));
    else toDo.push(name);
  }
  const kept = records.size;
  const { vaultUrl } = inputs;
  const done = { made: 0, found: 0, changed: 0, removed: 0 };

  const bring = async (name: string): Promise<void> => {
    const entry = inputs.keys[name] ?? {};
    const target = deadline.limited(wantedOf(set, name, entry));
    const record = before.get(name);
    let known = carried(set, olds, name, record);
    try {
      if (olds === undefined || record === undefined) {
        // What an earlier run failed to make stands in the inputs of the set all the same.
        if (olds !== undefined) noteUnrecorded("key", addressOf(set, name));
        const { outs, isFound } = await keyLifecycle.create(target);
        records.set(name, recordOf(set, outs));
        done[isFound ? "found" : "made"]++;
      } else {
        const keyId = objectId("keys", addressOf(set, name));
        const state = deadline.limited(keyOutputsOf(olds, name, record));
        const found = isToRead(set, record) ? await readAnew(keyId, state) : { props: state };
        let [recorded, wanted] = [found?.props, target];
        if (hasNotes(entry)) {
          if (recorded?.foreignVersion) recorded = await taken(keyId, set, name, recorded);
          if (record.unread !== undefined && found?.inputs !== undefined) {
            wanted = deadline.limited(keptInputs(olds, set, name, found.inputs));
          }
        }
        // What was found last is what the next update goes on with, too.
        known = recorded && recordOf(set, recorded);
        if (recorded === undefined) noteUnrecorded("key", addressOf(set, name));
        const { outs } =
          recorded === undefined
            ? await keyLifecycle.create(wanted)
            : await keyLifecycle.update(keyId, recorded, wanted);
        records.set(name, recordOf(set, outs));
        done.changed++;
      }
    } catch (error) {
      const left = error instanceof PartialFailure ? recordOf(set, error.outs) : known;
      if (left !== undefined) records.set(nameOf(error, name), left);
      throw error;
    }
  };
  const keepUntried = ({ untried }: KeyFailures): void => {
    for (const name of untried?.names ?? []) {
      const left = carried(set, olds, name, before.get(name));
      if (left !== undefined) records.set(name, left);
    }
  };
  const brought = await forEachKey(toDo, { doing: `keys of ${vaultUrl}`, vaultUrl }, bring);
  keepUntried(brought);

  const leaving = [...before.keys()].filter((name) => !Object.hasOwn(inputs.keys, name));
  await restOfProgram(leaving.map((name) => addressOf(set, name)));
  const removed = await forEachKey(
    leaving,
    { doing: `keys that left the set, in ${vaultUrl}`, vaultUrl },
    async (name) => {
      const record = before.get(name);
      if (olds === undefined || record === undefined) return;
      try {
        const props = { ...keyOutputsOf(olds, name, record), onDelete: inputs.removed ?? "retain" };
        await keyLifecycle.delete(objectId("keys", addressOf(olds, name)), deadline.limited(props));
        done.removed++;
      } catch (error) {
        const left = carried(set, olds, name, record);
        if (left !== undefined) records.set(name, left);
        throw error;
      }
    },
  );
  keepUntried(removed);

  const lastLook = olds === undefined ? undefined : readKeySetOutputs(olds).lookedOn;
  const lookedOn = lookAfterWrites(lastLook, before, records);
  const later = olds === undefined ? {} : laterMembers(olds);
  const outs = { ...later, ...set, ...(lookedOn === undefined ? {} : { lookedOn }), records: packRecords(records) };
  const { found } = done;
  if (done.made + found + done.changed + done.removed > 0) {
    tell(
      `keys of ${vaultUrl}: ${done.made} made, ${found > 0 ? `${found} recovered or taken over, ` : ""}${done.changed} changed, ${done.removed} left the set, ${kept} as they were (${formatElapsed(runClock.now() - start)})`,
    );
  }
  const isOfAll = records.size === 0 && olds === undefined;
  const failure = failureOf(vaultUrl, [brought, removed], {
    what: (are) => `${are} not as the program says${isOfAll ? "" : ", the others are"}`,
    hint: "the next `pulumi up` goes on with them.",
  });
  if (failure === undefined) return outs;
  if (isOfAll) throw failure;
  throw new PartialFailure(id, outs, failure);
}

/** Whether state is to have the public key from now on. */
function lacksPublicKey(set: Properties, { facts }: KeyRecord): boolean {
  if (set.publicKeys !== true || facts.publicThumbprint === undefined) return false;
  const { publicKey } = facts;
  return !isRecord(publicKey) || (publicKey.n === undefined && publicKey.x === undefined);
}

/** What a refresh could not read may be anything by now. */
function isToRead(set: Properties, record: KeyRecord): boolean {
  return record.unread !== undefined || lacksPublicKey(set, record);
}

/** Undefined where the key is gone. */
async function readAnew(
  id: string,
  recorded: Properties,
): Promise<{ props: Properties; inputs?: Properties } | undefined> {
  const found = await keyLifecycle.read(id, recorded);
  return found.id === "" ? undefined : found;
}

function wantedOf(set: Properties, name: string, entry: Properties): Properties {
  return keyInputsOf(set, name, withoutNotes(entry));
}

/** What is to become of a key that `ignoreChanges` leaves as it is found, under settings of the set that are others by now. */
function keptInputs(olds: Properties, set: Properties, name: string, found: Properties): Properties {
  return wantedOf(set, name, keptEntry(entryOf(setMembers(olds), found)));
}

/** State of a key whose version somebody else has made, and `ignoreChanges` takes for the key's own. */
async function taken(id: string, set: Properties, name: string, recorded: Properties): Promise<Properties> {
  const { foreignVersion: _mark, publicThumbprint: _ofItsOwn, ...rest } = recorded;
  const { props } = await keyLifecycle.read(id, { ...addressOf(set, name) });
  return { ...rest, keyType: props.keyType, publicKey: props.publicKey, version: props.version };
}

/** What state has of a key that was not reached: under settings of the set that are others by now. */
function carried(
  set: Properties,
  olds: Properties | undefined,
  name: string,
  record: KeyRecord | undefined,
): KeyRecord | undefined {
  if (olds === undefined || record === undefined) return undefined;
  const { unread } = record;
  return { ...recordOf(set, keyOutputsOf(olds, name, record)), ...(unread === undefined ? {} : { unread }) };
}

/** A restored key keeps its own name. */
function nameOf(error: unknown, name: string): string {
  const actual = error instanceof PartialFailure ? error.outs.name : undefined;
  return typeof actual === "string" ? actual : name;
}
