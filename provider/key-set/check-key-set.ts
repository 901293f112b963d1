import { setImmediate } from "node:timers/promises";
import { describeValue, shownName } from "../engine/described-value.js";
import { InputCheck, isRecord } from "../engine/input-check.js";
import type { CheckFailure, Properties } from "../engine/lifecycle.js";
import { canonicalJson } from "../engine/normal-form.js";
import { containsUnknown, isUnknown, UNKNOWN } from "../engine/unknown.js";
import { checkKey, checkKeySettings } from "../key/check-key.js";
import { KEY_SETTINGS, normalGenerate } from "../key/key-inputs.js";
import { isValidObjectName } from "../keyvault/identifier.js";
import { noteUnproven } from "../object/declared-objects.js";
import { ON_DELETE } from "../object/object-inputs.js";
import { expectedValue } from "../object/observed-drift.js";
import { givenSources } from "../object/restore-source.js";
import { checkCredential } from "../vault/check-credential.js";
import { checkVaultUrl } from "../vault/object-address.js";
import { AdoptedNames } from "./adopted-names.js";
import { entryOf, hasNotes, keptEntry, keyInputsOf, namesWithoutCase, withoutNotes } from "./key-set-inputs.js";
import { findSetSources, type SetSources } from "./set-sources.js";

const OF_KEY = ["import", "generate", "restore", "restoreFrom", "adopt", ...KEY_SETTINGS];
const PROPERTIES = [
  "vaultUrl",
  "credential",
  "import",
  "generate",
  "adopt",
  "entries",
  "keys",
  ...KEY_SETTINGS,
  "timeouts",
  "removed",
  "publicKeys",
  "claimant",
  "owner",
];

/** Keys are checked in turns of this many, between which the engine's other calls are served. */
const TURN = 50;
/** As many as a person reads. */
const MOST_TOLD = 20;
const MOST_NAMED = 5;

/**
 * Turns a program's inputs of a KeySet into their normal form: what all keys have in common once, and for each its
 * source and what differs. Each key is checked as a Key of its own is.
 */
export async function checkKeySet(
  olds: Properties,
  news: Properties,
): Promise<{ inputs: Properties; failures: CheckFailure[] }> {
  const check = new InputCheck(news, PROPERTIES);
  const vaultUrl = checkVaultUrl(check, olds);
  const removed = check.text("removed", { oneOf: ON_DELETE, what: "one of retain, disable, delete, purge" });
  const adopt = check.boolean("adopt") || undefined;
  const settings = checkKeySettings(check, {}, { keyType: undefined, isSpelled: adopt === true, vaultUrl });
  const set: Properties = {
    __provider: news.__provider,
    vaultUrl,
    credential: await checkCredential(check),
    generate: setGenerate(news.generate),
    adopt,
    ...settings,
    removed: removed === "retain" ? undefined : removed,
    publicKeys: check.boolean("publicKeys") || undefined,
  };
  const keys = await new EntriesCheck(check, olds, set).checked();
  return { inputs: { ...set, keys }, failures: check.failures };
}

/** Each key checks it; here only that another spelling of the same is no change. */
function setGenerate(given: unknown): unknown {
  if (!isRecord(given) || typeof given.keyType !== "string" || containsUnknown(given)) return given ?? undefined;
  return normalGenerate({ ...given, keyType: given.keyType });
}

class EntriesCheck {
  readonly #check: InputCheck;
  readonly #olds: Properties;
  readonly #set: Properties;
  /** What the set says for all, as the program says it. */
  readonly #given: Properties;
  readonly #oldEntries: Properties;
  readonly #oldNames: Map<string, string>;
  #adopted = new AdoptedNames(0);
  /** Keys of which a preview knows nothing but the name. */
  readonly #unknown = new Set<string>();
  /** By what is wrong: the keys of which it is. */
  readonly #problems = new Map<string, string[]>();

  constructor(check: InputCheck, olds: Properties, set: Properties) {
    this.#check = check;
    this.#olds = olds;
    this.#set = set;
    this.#given = Object.fromEntries([...KEY_SETTINGS, "timeouts"].map((name) => [name, check.news[name]]));
    this.#oldEntries = isRecord(olds.keys) ? olds.keys : {};
    this.#oldNames = namesWithoutCase(Object.keys(this.#oldEntries));
  }

  async checked(): Promise<Properties | string | undefined> {
    const { entries, keys: recorded, import: imported } = this.#check.news;
    const given = entries ?? (imported === undefined && this.#isRecorded(recorded) ? recorded : undefined);
    const sources = findSetSources(this.#check);
    if (sources.status === "unknown" || isUnknown(given)) return UNKNOWN;
    if (given !== undefined && given !== null && !isRecord(given)) {
      this.#check.fail("keys", `must be a map of names to keys, and is ${describeValue(given)}`);
      return undefined;
    }
    const own = this.#ownEntries(given ?? {});
    const wanted = this.#wanted(sources, own);
    if (wanted === undefined || this.#check.failures.length > 0) return undefined;
    if (wanted.size === 0) {
      this.#check.failUnnamed("there is no key in this set: give import, keys or both");
      return undefined;
    }
    const keys: Properties = {};
    let count = 0;
    this.#adopted = new AdoptedNames(wanted.size);
    const inOrder = [...wanted].sort(([a], [b]) => (a < b ? -1 : 1));
    for (const [name, entry] of inOrder) {
      const checked = await this.#checkedKey(name, entry);
      keys[name] = this.#unknown.has(name) ? UNKNOWN : checked;
      if (++count % TURN === 0) await setImmediate();
    }
    this.#tellProblems();
    return this.#pinned(keys);
  }

  /** An import into state hands on what state is to hold, and asks whether it holds. */
  #isRecorded(keys: unknown): boolean {
    return Object.keys(this.#oldEntries).length === 0 || canonicalJson(keys) === canonicalJson(this.#oldEntries);
  }

  /** The program's `keys`, under the names that state has for them. */
  #ownEntries(given: Properties): Map<string, Properties> {
    const entries = new Map<string, Properties>();
    const seen = new Set<string>();
    for (const [name, entry] of Object.entries(given)) {
      if (!isValidObjectName(name)) {
        this.#check.fail("keys", `${shownName(name)} is no name of a key: 1 to 127 letters, digits or hyphens`);
      } else if (seen.has(name.toLowerCase())) {
        this.#check.fail("keys", `there are two of the name "${name}", and vaults tell no case`);
      } else if (isRecord(entry) || entry === undefined || entry === null || isUnknown(entry)) {
        entries.set(this.#recordedName(name), isRecord(entry) ? entry : {});
        if (isUnknown(entry)) this.#unknown.add(this.#recordedName(name));
      } else {
        this.#check.fail("keys", `"${name}" must be { import?, generate?, … }, and is ${describeValue(entry)}`);
      }
      seen.add(name.toLowerCase());
    }
    return entries;
  }

  #recordedName(name: string): string {
    return this.#oldNames.get(name.toLowerCase()) ?? name;
  }

  /** Every key of the set, as the arguments of a Key. Undefined, and told, where that cannot be said. */
  #wanted(sources: SetSources, own: Map<string, Properties>): Map<string, Properties> | undefined {
    if (sources.status === "refused") return undefined;
    const wanted = new Map<string, Properties>();
    const ownNames = namesWithoutCase(own.keys());
    if (sources.status === "given") {
      for (const [name, source] of sources.sources) {
        const entry = own.get(ownNames.get(name.toLowerCase()) ?? name);
        const isOfItsOwn = entry !== undefined && ownSources(entry).length > 0;
        if (isOfItsOwn) this.#tellTwoSources(name, entry);
        wanted.set(this.#recordedName(name), isOfItsOwn ? entry : { ...entry, import: source });
      }
    }
    if (sources.status === "absent" && !this.#addRecorded(wanted, own, sources.reason)) return undefined;
    const there = namesWithoutCase(wanted.keys());
    for (const [name, entry] of own) {
      if (!there.has(name.toLowerCase())) wanted.set(name, this.#unknown.has(name) ? { import: UNKNOWN } : entry);
    }
    return wanted;
  }

  #tellTwoSources(name: string, entry: Properties): void {
    if (ownSources(entry).every((source) => source === "adopt")) return;
    this.#check.failUnnamed(
      `keys: "${name}" has a source of its own, and the import of the set names one too: leave one of them out`,
    );
  }

  /**
   * A pipeline without the material: the keys that state has stay as they are. False, and told, where there are none to
   * stay.
   */
  #addRecorded(wanted: Map<string, Properties>, own: Map<string, Properties>, reason: string): boolean {
    const imported = Object.entries(this.#oldEntries).filter(
      ([name, entry]) =>
        isRecord(entry) && typeof entry.thumbprint === "string" && ownSources(own.get(name) ?? {}).length === 0,
    );
    if (imported.length === 0) {
      this.#check.failUnnamed(`KV_INVALID_KEY_MATERIAL: import: the key material is not at hand: ${reason}`);
      return false;
    }
    for (const [name, entry] of imported) {
      const { thumbprint } = isRecord(entry) ? entry : { thumbprint: undefined };
      wanted.set(name, { ...own.get(name), thumbprint: expectedValue("thumbprint", thumbprint) });
    }
    return true;
  }

  async #checkedKey(name: string, given: Properties): Promise<unknown> {
    const oldEntry = this.#oldEntries[name];
    // Through the plugin, `ignoreChanges` has the engine put what state holds in the place of what the program says.
    const isKept = isRecord(oldEntry) && hasNotes(oldEntry) && canonicalJson(given) === canonicalJson(oldEntry);
    const entry = isKept ? withoutNotes(given) : given;
    const strangers = Object.keys(entry).filter((member) => !OF_KEY.includes(member) && member !== "thumbprint");
    for (const stranger of strangers) {
      this.#note(name, `KV_INVALID_INPUT: ${shownName(stranger)} is not a property of a key of a set`);
    }
    const members = Object.fromEntries(
      Object.entries(entry).filter(([member, value]) => !strangers.includes(member) && value !== undefined),
    );
    const { claimant, owner, generate, adopt } = this.#check.news;
    const isWithoutSource = members.thumbprint === undefined && ownSources(members).length === 0;
    const hasNoOther =
      members.generate === undefined && members.restore === undefined && members.restoreFrom === undefined;
    const olds = isRecord(oldEntry) ? keyInputsOf(this.#olds, name, oldEntry) : {};
    const news = {
      ...this.#given,
      ...(isWithoutSource && generate !== undefined ? { generate } : {}),
      ...(adopt === true && hasNoOther && !(isWithoutSource && generate !== undefined) ? { adopt } : {}),
      ...members,
      vaultUrl: this.#set.vaultUrl,
      credential: this.#set.credential,
      name,
      // Each key is an object of its own, of this one resource.
      ...(typeof claimant === "string" ? { claimant: `${claimant} ${name.toLowerCase()}` } : {}),
      owner,
    };
    const { inputs, failures } = await checkKey(olds, news, (address) => this.#adopted.has(address));
    const { vaultUrl } = this.#set;
    if (isRecord(oldEntry) && typeof vaultUrl === "string") noteUnproven("key", { vaultUrl, name });
    for (const { reason } of failures) this.#note(name, reason);
    return isKept ? keptEntry(given) : entryOf(this.#set, inputs);
  }

  #note(name: string, reason: string): void {
    const names = this.#problems.get(reason) ?? [];
    names.push(name);
    this.#problems.set(reason, names);
  }

  /** What is wrong with a hundred keys alike is told once. */
  #tellProblems(): void {
    const told = new Set(this.#check.failures.map(({ reason }) => reason));
    const problems = [...this.#problems].filter(([reason]) => !told.has(reason));
    for (const [reason, names] of problems.slice(0, MOST_TOLD)) {
      const [, code = "KV_INVALID_INPUT", text = reason] = /^(KV_[A-Z_]+): ([\s\S]*)$/.exec(reason) ?? [];
      const more = names.length > MOST_NAMED ? ` and ${names.length - MOST_NAMED} more` : "";
      const shown = names.slice(0, MOST_NAMED).map((name) => `"${name}"`);
      this.#check.failUnnamed(`${code}: ${names.length === 1 ? "key" : "keys"} ${shown.join(", ")}${more}: ${text}`);
    }
    if (problems.length <= MOST_TOLD) return;
    this.#check.failUnnamed(`${problems.length - MOST_TOLD} more of this kind, of other keys`);
  }

  /**
   * With `ignoreChanges`, the engine puts in what state holds: of all keys, of some, or some members of one. What a
   * refresh has found there becomes what the program says, as of a Key.
   */
  #pinned(keys: Properties): Properties {
    const { keys: pinned } = this.#check.news;
    if (!isRecord(pinned)) return keys;
    const isWhole = (name: string) =>
      Object.hasOwn(pinned, name) && canonicalJson(pinned[name]) === canonicalJson(this.#oldEntries[name]);
    const result = Object.keys(this.#oldEntries).every(isWhole) ? {} : { ...keys };
    for (const [name, entry] of Object.entries(pinned)) {
      if (!isRecord(entry)) continue;
      // State never holds material: whatever else hands some on here, it stays out.
      const { import: _material, restoreFrom: _file, ...held } = entry;
      const accepted = keptEntry(held);
      const own = keys[name];
      if (isWhole(name)) result[name] = accepted;
      else if (isRecord(own)) result[name] = { ...own, ...accepted };
    }
    return result;
  }
}

function ownSources(entry: Properties): string[] {
  return givenSources(entry, ["import", "generate", "restore", "adopt"]);
}
