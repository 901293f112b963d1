import { brotliCompressSync, brotliDecompressSync, constants } from "node:zlib";
import { isRecord } from "../engine/input-check.js";
import type { Properties } from "../engine/lifecycle.js";
import { canonicalJson } from "../engine/normal-form.js";
import { KeyVaultError } from "../keyvault/errors.js";

/** What state holds of one key of a set. */
export interface KeyRecord {
  /** As in the set's inputs: the source, and what differs from the set's settings. */
  entry: Properties;
  /** What the vault says of it, as the state of a Key has it. */
  facts: Properties;
  /** Why the last refresh could not read the key, which an update then does before anything else. */
  unread?: string;
}

export type KeyRecords = Map<string, KeyRecord>;

/** Facts that the keys of a set have mostly in common. Each record holds only where it differs. */
const COMMON = ["keyType", "publicKey", "recoveryLevel", "recoverableDays", "ownerToken"] as const;
const MOST_BYTES = 256 * 1024 * 1024;
const PREFIX = "keys:";

/** Marks of a key that only its own read can tell again, and its update has to look at, though the program says what state says. */
export const OPEN_ENDS = [
  "foreignVersion",
  "awaitsVersion",
  "awaitsRecovery",
  "expectedThumbprint",
  "formerToken",
  "superseded",
  "setOutside",
  "uncertainPolicy",
] as const;

/** Whether anything of a key is left for a read or an update of its own to look at. */
export function hasOpenEnd({ facts, unread }: KeyRecord): boolean {
  return unread !== undefined || OPEN_ENDS.some((mark) => (facts[mark] ?? null) !== null);
}

/** Version, thumbprint, and the second of the last change; then whatever else there is, which of most keys is nothing. */
type Packed = [version: string, thumbprint: string, updatedOn: number | string, rest?: PackedRest];

interface PackedRest {
  entry?: Properties;
  facts?: Properties;
  unread?: string;
}

/**
 * The keys of a set as one text, since the engine writes state with a line and its indentation for each member: some 75
 * bytes a key, nearly all of them its version and thumbprint, which no compression makes shorter.
 */
export function packRecords(records: KeyRecords): string {
  const [first] = records.values();
  const common = Object.fromEntries(
    COMMON.filter((name) => first?.facts[name] !== undefined).map((name) => [name, first?.facts[name]]),
  );
  const keys = Object.fromEntries(
    [...records]
      .sort(([a], [b]) => (a < b ? -1 : 1))
      .map(([name, record]): [string, Packed] => [name, packed(record, common)]),
  );
  const bytes = brotliCompressSync(JSON.stringify({ common, keys }), {
    params: { [constants.BROTLI_PARAM_QUALITY]: 6 },
  });
  return `${PREFIX}${bytes.toString("base64url")}`;
}

function packed({ entry, facts, unread }: KeyRecord, common: Properties): Packed {
  const { thumbprint, ...ownEntry } = entry;
  const { version, updatedOn, createdOn, publicThumbprint, ...others } = facts;
  const rest: Properties = {};
  for (const [name, value] of Object.entries(others)) {
    if (!isSame(value, common[name])) rest[name] = value;
  }
  for (const name of Object.keys(common)) if (others[name] === undefined) rest[name] = null;
  if (publicThumbprint !== thumbprint) rest.publicThumbprint = publicThumbprint ?? null;
  if (createdOn !== updatedOn) rest.createdOn = createdOn ?? null;
  const tail: PackedRest = {
    ...(Object.keys(ownEntry).length > 0 ? { entry: ownEntry } : {}),
    ...(Object.keys(rest).length > 0 ? { facts: rest } : {}),
    ...(unread === undefined ? {} : { unread }),
  };
  const head: [string, string, number | string] = [text(version), text(thumbprint), seconds(updatedOn)];
  return Object.keys(tail).length > 0 ? [...head, tail] : head;
}

/** @throws KeyVaultError `KV_INVALID_INPUT` where the text is no record of a set. */
export function unpackRecords(text: unknown): KeyRecords {
  try {
    if (typeof text !== "string" || !text.startsWith(PREFIX)) throw new Error("no record of a set");
    const bytes = brotliDecompressSync(Buffer.from(text.slice(PREFIX.length), "base64url"), {
      maxOutputLength: MOST_BYTES,
    });
    const found: unknown = JSON.parse(bytes.toString());
    const { common, keys } = isRecord(found) ? found : {};
    if (!isRecord(common) || !isRecord(keys)) throw new Error("no record of a set");
    return new Map(Object.entries(keys).map(([name, record]) => [name, unpacked(record, common)]));
  } catch (cause) {
    throw new KeyVaultError("KV_INVALID_INPUT", "the record of a KeySet in state cannot be read", {
      hint: "the keys in the vault are untouched: restore the state from its history, or remove the resource with `pulumi state delete` and declare it with adopt: true",
      cause,
    });
  }
}

function unpacked(record: unknown, common: Properties): KeyRecord {
  const [version, thumbprint, updated, tail]: unknown[] = Array.isArray(record) ? record : [];
  const rest = isRecord(tail) ? tail : {};
  const updatedOn = moment(updated);
  const entry = { ...(thumbprint === "" ? {} : { thumbprint }), ...members(rest.entry) };
  const facts = {
    ...common,
    version,
    ...(thumbprint === "" ? {} : { publicThumbprint: thumbprint }),
    ...(updatedOn === undefined ? {} : { updatedOn, createdOn: updatedOn }),
    ...members(rest.facts),
  };
  return {
    entry,
    facts: Object.fromEntries(Object.entries(facts).filter(([, value]) => value !== null)),
    ...(typeof rest.unread === "string" ? { unread: rest.unread } : {}),
  };
}

function isSame(a: unknown, b: unknown): boolean {
  return a === b || (a !== undefined && b !== undefined && canonicalJson(a) === canonicalJson(b));
}

function text(value: unknown): string {
  return typeof value === "string" ? value : "";
}

/** A whole second as a number, and as its text where it is none. */
function seconds(value: unknown): number | string {
  if (typeof value !== "string") return "";
  const found = Date.parse(value) / 1000;
  return Number.isSafeInteger(found) && moment(found) === value ? found : value;
}

function moment(value: unknown): string | undefined {
  if (typeof value !== "number") return typeof value === "string" && value !== "" ? value : undefined;
  return new Date(value * 1000).toISOString().replace(".000Z", "Z");
}

function members(value: unknown): Properties {
  return isRecord(value) ? value : {};
}
