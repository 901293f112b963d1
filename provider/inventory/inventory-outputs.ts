import { createHash } from "node:crypto";
import type { Properties } from "../engine/lifecycle.js";
import { pickDefined } from "../engine/normal-form.js";
import { INPUTS, type NameList } from "./inventory-inputs.js";
import type { InventoryKind } from "./inventory-kind.js";
import type { RollEntry } from "./inventory-snapshot.js";
import type { InventoryContents, SeenObject } from "./look-at-vault.js";

/** Characters of all lists of names together, unless the program asks for the keys themselves. */
const MOST_LISTED = 16_000;

export interface Findings {
  contents: InventoryContents;
  missing: readonly string[];
  /** Where not all that are missing can be named. */
  missingCount?: number;
  unmanaged: readonly string[];
  /** Those whose resources leave the program with this update, which deletes them at its end: they no longer count. */
  leaving?: ReadonlySet<SeenObject>;
  roll: string;
}

/** What state holds of an inventory, beside the roll: counts, names as far as they fit, and a digest. */
export function inventoryOutputs(kind: InventoryKind, inputs: Properties, findings: Findings): Properties {
  const { contents, missing, missingCount = missing.length, unmanaged, roll, leaving = new Set() } = findings;
  const leavingNames = new Set([...leaving].map(({ name }) => name));
  const seen = [...contents.seen.entries()].filter(([, key]) => !leaving.has(key));
  const lists: Record<NameList, readonly string[]> = {
    missing,
    unmanaged,
    expiring: seen.filter(([, { expiring }]) => expiring).map(([, { name }]) => name),
    softDeleted: [...contents.deleted.values()].map(({ name }) => name),
    withoutRotation: contents.withoutRotation.filter((name) => !leavingNames.has(name)),
    managedByCertificates: contents.managedByCertificates,
  };
  const isCut = contents.objects === undefined;
  const counts = Object.fromEntries(kind.lists.map((list) => [list, lists[list].length]));
  const outputs: Properties = {
    count: contents.count - leaving.size,
    counts: { ...counts, missing: missingCount },
    ...(isCut ? shortened(kind, lists) : sorted(kind, lists)),
    unread: contents.unread,
    digest: inventoryDigest(seen),
    roll,
    ...(contents.objects && {
      [kind.collection]: contents.objects
        .filter(({ name }) => !leavingNames.has(name))
        .sort((a, b) => byName(a.name, b.name)),
    }),
  };
  return { ...recordedInputs(inputs), ...outputs };
}

/** Of inputs or outputs what a program said. */
export function recordedInputs(properties: Properties): Properties {
  return pickDefined(properties, INPUTS);
}

/** What the roll holds of a key or secret. A resource tells itself when its object is disabled or has another version. */
export function rollEntry(key: SeenObject, isLeaving = false): RollEntry {
  const { name, expected, enabled, created, expiring, rotation } = key;
  if (expected === "resource") return { name, expected, state: "enabled", expiring, rotation };
  const state = isLeaving ? "leaving" : enabled ? "enabled" : "disabled";
  return { name, expected, state, expiring, created, rotation };
}

/** SHA-256 over what is watched: names, and of those without a resource whether enabled and when made. */
function inventoryDigest(seen: readonly [id: string, key: SeenObject][]): string {
  const lines = seen
    .map(([id, { expected, enabled, created }]) => (expected === "resource" ? id : `${id} ${enabled} ${created}`))
    .sort();
  return `sha256:${createHash("sha256").update(lines.join("\n")).digest("base64url")}`;
}

type Lists = Record<NameList, readonly string[]>;

function sorted(kind: InventoryKind, lists: Lists): Partial<Record<NameList, string[]>> {
  return Object.fromEntries(kind.lists.map((list) => [list, [...lists[list]].sort(byName)]));
}

function shortened(kind: InventoryKind, lists: Lists): Partial<Record<NameList, string[]>> {
  const whole = sorted(kind, lists);
  let left = MOST_LISTED;
  for (const list of kind.lists) {
    whole[list] = (whole[list] ?? []).filter((name) => {
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
