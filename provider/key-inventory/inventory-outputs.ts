import { createHash } from "node:crypto";
import type { Properties } from "../engine/lifecycle.js";
import { INPUTS, type InventoryOutputs, NAME_LISTS, type NameList } from "./inventory-inputs.js";
import type { RollEntry } from "./inventory-snapshot.js";
import type { SeenKey, VaultContents } from "./look-at-vault.js";

/** Characters of all lists of names together, unless the program asks for the keys themselves. */
const MOST_LISTED = 16_000;

export interface Findings {
  contents: VaultContents;
  missing: readonly string[];
  /** Where not all that are missing can be named. */
  missingCount?: number;
  unmanaged: readonly string[];
  roll: string;
}

/** What state holds of an inventory, beside the roll: counts, names as far as they fit, and a digest. */
export function inventoryOutputs(inputs: Properties, findings: Findings): Properties {
  const { contents, missing, missingCount = missing.length, unmanaged, roll } = findings;
  const lists: Record<NameList, readonly string[]> = {
    missing,
    unmanaged,
    expiring: [...contents.seen.values()].filter(({ expiring }) => expiring).map(({ name }) => name),
    softDeleted: [...contents.deleted.values()].map(({ name }) => name),
    withoutRotation: contents.withoutRotation,
    managedByCertificates: contents.managedByCertificates,
  };
  const isCut = contents.keys === undefined;
  const counts = Object.fromEntries(NAME_LISTS.map((list) => [list, lists[list].length])) as Record<NameList, number>;
  const outputs: Omit<InventoryOutputs, "vaultUrl"> = {
    count: contents.count,
    counts: { ...counts, missing: missingCount },
    ...(isCut ? shortened(lists) : sorted(lists)),
    unread: contents.unread,
    digest: inventoryDigest(contents),
    roll,
    ...(contents.keys ? { keys: contents.keys.sort((a, b) => byName(a.name, b.name)) } : {}),
  };
  return { ...recordedInputs(inputs), ...outputs };
}

/** Of inputs or outputs what a program said. */
export function recordedInputs(properties: Properties): Properties {
  return Object.fromEntries(
    INPUTS.filter((name) => properties[name] !== undefined).map((name) => [name, properties[name]]),
  );
}

/** What the roll holds of a key. A Key resource tells itself when its key is disabled or has another version. */
export function rollEntry(key: SeenKey, isLeaving = false): RollEntry {
  const { name, expected, enabled, created, expiring } = key;
  if (expected === "resource") return { name, expected, state: "enabled", expiring };
  return { name, expected, state: isLeaving ? "leaving" : enabled ? "enabled" : "disabled", expiring, created };
}

/** SHA-256 over the watched keys: names, and of those without a resource whether enabled and when made. */
function inventoryDigest({ seen }: VaultContents): string {
  const lines = [...seen.entries()]
    .map(([id, { expected, enabled, created }]) => (expected === "resource" ? id : `${id} ${enabled} ${created}`))
    .sort();
  return `sha256:${createHash("sha256").update(lines.join("\n")).digest("base64url")}`;
}

function sorted(lists: Record<NameList, readonly string[]>): Record<NameList, string[]> {
  return Object.fromEntries(NAME_LISTS.map((list) => [list, [...lists[list]].sort(byName)])) as Record<
    NameList,
    string[]
  >;
}

function shortened(lists: Record<NameList, readonly string[]>): Record<NameList, string[]> {
  const whole = sorted(lists);
  let left = MOST_LISTED;
  for (const list of NAME_LISTS) {
    whole[list] = whole[list].filter((name) => {
      left -= name.length + 3;
      return left >= 0;
    });
  }
  return whole;
}

function byName(a: string, b: string): number {
  const [x, y] = [a.toLowerCase(), b.toLowerCase()];
  return x < y ? -1 : x > y ? 1 : 0;
}
