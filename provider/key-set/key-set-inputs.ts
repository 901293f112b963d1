import type { Properties } from "../engine/lifecycle.js";
import { canonicalJson } from "../engine/normal-form.js";
import { KEY_SETTINGS } from "../key/key-inputs.js";
import { leavesRestToVault } from "../object/object-inputs.js";
import { withFindingsAccepted } from "../object/observed-drift.js";
import type { ObjectAddress } from "../vault/object-address.js";

type Setting = (typeof KEY_SETTINGS)[number];

/** What a key of a set is made of, as state holds it. A set may say the last two for all. */
const SOURCES = ["thumbprint", "restore", "generate", "adopt"] as const;

/** The name of every set's member that holds what all keys have in common. */
export const SET_MEMBERS = [
  "vaultUrl",
  "credential",
  "generate",
  "adopt",
  ...KEY_SETTINGS,
  "timeouts",
  "removed",
  "publicKeys",
] as const;

/** How an entry says that its key is without what the set says: the default, or a word where there is none to spell. */
const WITHOUT: Partial<Record<Setting, unknown>> = {
  enabled: true,
  onDelete: "delete",
  ifSoftDeleted: "recover",
  previousVersions: "keep",
};
const NONE = "none";

/** The inputs of one key of a set, as a Key of its own would have them. */
export function keyInputsOf(set: Properties, name: string, entry: Properties): Properties {
  const { vaultUrl, credential, timeouts } = set;
  const inputs: Properties = { ...entry, vaultUrl, name };
  if (credential !== undefined) inputs.credential = credential;
  if (timeouts !== undefined) inputs.timeouts = timeouts;
  const isWithoutSource = SOURCES.every((source) => entry[source] === undefined);
  if (isWithoutSource && set.generate !== undefined) inputs.generate = set.generate;
  const canBeAdopted = inputs.generate === undefined && entry.restore === undefined;
  if (set.adopt === true && canBeAdopted) inputs.adopt = true;
  const isLeft = leavesRestToVault(inputs);
  for (const setting of KEY_SETTINGS) {
    const own = entry[setting];
    if (own === undefined) {
      if (set[setting] !== undefined) inputs[setting] = set[setting];
    } else if (isWithout(setting, own, isLeft)) delete inputs[setting];
  }
  return inputs;
}

function isWithout(setting: Setting, own: unknown, isLeft: boolean): boolean {
  if (setting === "enabled" && isLeft) return false;
  if (setting === "tags" && !isLeft) return canonicalJson(own) === "{}";
  return own === NONE || (WITHOUT[setting] !== undefined && own === WITHOUT[setting]);
}

/** What state holds of one key of a set: its source, and what differs from what the set says for all. */
export function entryOf(set: Properties, inputs: Properties): Properties {
  const { vaultUrl: _vault, name: _name, credential: _credential, timeouts: _timeouts, __provider, ...entry } = inputs;
  for (const setting of KEY_SETTINGS) {
    const [all, own] = [set[setting], entry[setting]];
    if (own === undefined || own === null) {
      delete entry[setting];
      if (all !== undefined) entry[setting] = setting === "tags" ? {} : (WITHOUT[setting] ?? NONE);
    } else if (isSame(all, own)) delete entry[setting];
  }
  if (isSame(set.generate, entry.generate)) delete entry.generate;
  if (set.adopt === true) delete entry.adopt;
  return Object.fromEntries(Object.entries(entry).filter(([, value]) => value !== undefined));
}

function isSame(a: unknown, b: unknown): boolean {
  return canonicalJson(a) === canonicalJson(b);
}

const INPUT_NAMES: ReadonlySet<string> = new Set([...KEY_SETTINGS, ...SOURCES]);

/** Whether a member of a key's state is one of its inputs. */
export function isKeyInput(member: string): boolean {
  return INPUT_NAMES.has(member);
}

/** Whether two keys are to be the same: what the program says and what state has of it. */
export function isSameKey(a: Properties, b: Properties): boolean {
  return [...INPUT_NAMES].every((member) => isSame(a[member] ?? undefined, b[member] ?? undefined));
}

export function addressOf({ vaultUrl, credential }: Properties, name: string): ObjectAddress {
  return {
    vaultUrl: String(vaultUrl),
    name,
    ...(typeof credential === "string" ? { credential } : {}),
  };
}

/** What a refresh writes into an entry that no program does: a version that somebody else made, a key that could not be read. */
const NOTES = ["version", "unread"] as const;

export function unreadEntry(entry: Properties): Properties {
  return { ...entry, unread: true };
}

export function hasUnread({ unread }: Properties): boolean {
  return unread === true;
}

export function withoutUnread({ unread: _note, ...entry }: Properties): Properties {
  return entry;
}

const isNote = (member: string): boolean => NOTES.some((note) => note === member);

export function withoutNotes(entry: Properties): Properties {
  return Object.fromEntries(Object.entries(entry).filter(([member]) => !isNote(member)));
}

/** Whether `ignoreChanges` has the engine hand on an entry as state has it: what is in the vault then is what is to be there. */
export function hasNotes(entry: Properties): boolean {
  return Object.keys(entry).some(isNote);
}

/** An entry that `ignoreChanges` keeps: what a refresh has found becomes what the program says, and its notes stay. */
export function keptEntry(entry: Properties): Properties {
  const notes = Object.fromEntries(Object.entries(entry).filter(([member]) => isNote(member)));
  return { ...withFindingsAccepted(entry, entry), ...notes };
}

/** Under which name a map has an entry: the vault's names are without case. */
export function namesWithoutCase(names: Iterable<string>): Map<string, string> {
  return new Map([...names].map((name) => [name.toLowerCase(), name]));
}
