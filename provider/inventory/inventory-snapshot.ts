import { createHash } from "node:crypto";
import { brotliCompressSync, brotliDecompressSync, constants } from "node:zlib";
import { KeyVaultError } from "../keyvault/errors.js";

/** How the program expects a key: by its name, or as a Key resource of its own. */
export type Expectation = "name" | "resource";

/** A key or secret as the last update found it. */
export interface RollEntry {
  name: string;
  expected?: Expectation | undefined;
  /** `leaving`: there, but no longer expected, so that the same update may delete it a moment later. */
  state: "enabled" | "disabled" | "missing" | "leaving";
  /** It was told as expiring. */
  expiring?: boolean | undefined;
  /** Seconds since the epoch: when the current version was made. Left out where a resource watches the version. */
  created?: number | undefined;
  /** Digest of its rotation policy, where the inventory looks at policies. */
  rotation?: string | undefined;
}

/** An entry read back. A large roll keeps no names. */
export interface RecordedObject extends Omit<RollEntry, "name"> {
  name?: string;
  isVersionOf(created: number): boolean;
}

export interface Roll {
  /** By {@link Roll.idOf}. */
  readonly keys: ReadonlyMap<string | number, RecordedObject>;
  idOf(name: string): string | number;
}

/** Characters of a roll that keeps its names. Beyond, it keeps 6 bytes a key, so that 10,000 keys fit into a state entry. */
const MOST_WITH_NAMES = 66_000;
const MOST_BYTES = 64 * 1024 * 1024;

const NAMED = "names:";
const HASHED = "hashes:";

/**
 * The record of an inventory: what the last update found and accepted, as compressed text. Drift is what differs from
 * it. Names are in it up to some 60 KB; a larger roll holds a hash for each, from which a key that appears or changes
 * is told by name all the same, and one that vanishes as long as it can be recovered.
 */
export function writeRoll(entries: readonly RollEntry[]): string {
  const lines = entries
    .map(({ name, created, rotation, ...entry }) => {
      const columns = [name, bitsOf(entry).toString(36), created?.toString(36) ?? ""];
      return [...columns, ...(rotation === undefined ? [] : [rotation])].join("\t");
    })
    .sort();
  const named = `${NAMED}${compress(Buffer.from(lines.join("\n")))}`;
  return named.length <= MOST_WITH_NAMES ? named : `${HASHED}${compress(hashed(entries))}`;
}

/** @throws KeyVaultError `KV_INVALID_INPUT` where the text is no roll. */
export function readRoll(text: string): Roll {
  try {
    if (text.startsWith(NAMED)) return namedRoll(decompress(text.slice(NAMED.length)).toString());
    if (text.startsWith(HASHED)) return hashedRoll(decompress(text.slice(HASHED.length)));
  } catch (cause) {
    throw unreadable(cause);
  }
  throw unreadable();
}

function unreadable(cause?: unknown): KeyVaultError {
  return new KeyVaultError("KV_INVALID_INPUT", "The record of an inventory in state cannot be read", {
    hint: "take the inventory anew: pulumi up --replace with its URN.",
    cause,
  });
}

function namedRoll(text: string): Roll {
  const idOf = (name: string): string => name.toLowerCase();
  const keys = new Map<string, RecordedObject>();
  for (const line of text === "" ? [] : text.split("\n")) {
    const [name = "", bits = "0", made = "", rotation] = line.split("\t");
    const created = made === "" ? undefined : Number.parseInt(made, 36);
    keys.set(idOf(name), {
      ...marksOf(Number.parseInt(bits, 36)),
      name,
      created,
      rotation,
      isVersionOf: (now) => created === now,
    });
  }
  return { keys, idOf };
}

/** Sorted by hash and written column by column: the leading bytes of sorted hashes compress to almost nothing. */
function hashed(entries: readonly RollEntry[]): Buffer {
  const rows = entries
    .map((entry) => ({ hash: hashOf(entry.name), meta: (bitsOf(entry) << 11) | versionHash(entry.created) }))
    .sort((a, b) => a.hash - b.hash);
  const columns = Buffer.alloc(rows.length * 6);
  for (const [index, { hash, meta }] of rows.entries()) {
    for (let byte = 0; byte < 4; byte++) columns[byte * rows.length + index] = (hash >>> (24 - 8 * byte)) & 0xff;
    columns[4 * rows.length + index] = meta >>> 8;
    columns[5 * rows.length + index] = meta & 0xff;
  }
  return columns;
}

function hashedRoll(columns: Buffer): Roll {
  const count = columns.length / 6;
  const at = (column: number, index: number): number => columns[column * count + index] ?? 0;
  const keys = new Map<number, RecordedObject>();
  for (let index = 0; index < count; index++) {
    const hash = [0, 1, 2, 3].reduce((sum, column) => sum * 256 + at(column, index), 0);
    const meta = at(4, index) * 256 + at(5, index);
    const made = meta & 0x7ff;
    keys.set(hash, { ...marksOf(meta >>> 11), isVersionOf: (now) => versionHash(now) === made });
  }
  return { keys, idOf: hashOf };
}

function hashOf(name: string): number {
  return createHash("sha256").update(name.toLowerCase()).digest().readUInt32BE();
}

function versionHash(created: number | undefined): number {
  return created === undefined ? 0 : Math.imul(created, 0x9e3779b1) >>> 21;
}

const EXPECTATIONS = [undefined, "name", "resource"] as const;
const STATES = ["enabled", "disabled", "missing", "leaving"] as const;

type Marks = Pick<RollEntry, "expected" | "state" | "expiring">;

/** 5 bits: which expectation, which state, whether expiring. */
function bitsOf({ expected, state, expiring }: Marks): number {
  return (EXPECTATIONS.indexOf(expected) << 3) | (STATES.indexOf(state) << 1) | (expiring ? 1 : 0);
}

function marksOf(bits: number): Marks {
  return {
    expected: EXPECTATIONS[bits >>> 3],
    state: STATES[(bits >>> 1) & 3] ?? "enabled",
    expiring: (bits & 1) === 1,
  };
}

function compress(bytes: Buffer): string {
  return brotliCompressSync(bytes, { params: { [constants.BROTLI_PARAM_QUALITY]: 9 } }).toString("base64url");
}

function decompress(text: string): Buffer {
  return brotliDecompressSync(Buffer.from(text, "base64url"), { maxOutputLength: MOST_BYTES });
}
