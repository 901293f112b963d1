import type { Properties } from "../engine/lifecycle.js";
import { formatMoment } from "../engine/moment.js";
import { runClock } from "../engine/run-clock.js";
import { ADOPTED, type AdoptedObject, plain } from "../object/sayable-inputs.js";
import { entryOf } from "./key-set-inputs.js";
import { recordOf, setMembers } from "./key-set-outputs.js";
import { type KeyRecords, packRecords } from "./packed-records.js";

/** Keys that exist, as a program adopts them in one set: nothing happens to any until somebody decides otherwise. */
export function adoptKeySet(keys: readonly AdoptedObject[], hidden: Properties): AdoptedObject {
  const set: Properties = { ...hidden, ...ADOPTED };
  const args: Properties = {};
  const entries: Properties = {};
  const records: KeyRecords = new Map();
  for (const key of keys) {
    const name = String(key.inputs.name);
    const { name: _name, adopt: _adopt, onDelete: _onDelete, ...own } = key.args;
    args[name] = own;
    entries[name] = entryOf(set, key.inputs);
    records.set(name, recordOf(set, key.outputs));
  }
  const lookedOn = formatMoment(new Date(runClock.now()));
  return {
    id: `${String(hidden.vaultUrl)}/keys`,
    args: { ...ADOPTED, keys: args },
    inputs: plain({ ...set, keys: entries }),
    outputs: plain({ ...setMembers(set), lookedOn, records: packRecords(records) }),
  };
}
