import { isRecord } from "../engine/input-check.js";
import type { Properties } from "../engine/lifecycle.js";
import { recordedThumbprint } from "../key/key-outputs.js";
import { entryOf, isKeyInput, keyInputsOf, SET_MEMBERS } from "./key-set-inputs.js";
import type { KeyRecord } from "./packed-records.js";

/** What state holds of a set beside its keys. */
export function setMembers(properties: Properties): Properties {
  return Object.fromEntries(
    SET_MEMBERS.map((name) => [name, properties[name]]).filter(([, value]) => value !== undefined && value !== null),
  );
}

/** The state of one key of a set, as a Key of its own would have it. */
export function keyOutputsOf(set: Properties, name: string, { entry, facts }: KeyRecord): Properties {
  return { ...keyInputsOf(set, name, entry), publicKey: {}, ...facts };
}

/** What a set records of a key whose state as a Key is this: public keys only where the program asks for them. */
export function recordOf(set: Properties, outs: Properties): KeyRecord {
  const inputs: Properties = {};
  const facts: Properties = {};
  for (const [member, value] of Object.entries(outs)) {
    if (value === undefined || value === null || NOT_RECORDED.has(member)) continue;
    if (isKeyInput(member)) inputs[member] = value;
    else facts[member] = value;
  }
  const publicThumbprint = recordedThumbprint(outs);
  if (publicThumbprint !== undefined) facts.publicThumbprint = publicThumbprint;
  const publicKey = recordedPublicKey(outs.publicKey, set.publicKeys === true);
  if (publicKey === undefined) delete facts.publicKey;
  else facts.publicKey = publicKey;
  return { entry: entryOf(set, inputs), facts };
}

const NOT_RECORDED: ReadonlySet<string> = new Set(["vaultUrl", "name", "credential", "timeouts", "__provider"]);

function recordedPublicKey(publicKey: unknown, isWhole: boolean): Properties | undefined {
  if (!isRecord(publicKey)) return undefined;
  const { curve, keyOps } = publicKey;
  const kept = isWhole ? publicKey : { ...(curve ? { curve } : {}), ...(keyOps ? { keyOps } : {}) };
  return Object.keys(kept).length > 0 ? kept : undefined;
}
