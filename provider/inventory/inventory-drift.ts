import { formatMoment } from "../engine/moment.js";
import { explainsVersion, observedRotationPolicy } from "../key/rotation-policy.js";
import type { KeyVaultClient } from "../keyvault/client.js";
import { isKeyVaultError } from "../keyvault/errors.js";
import type { InventoryKind } from "./inventory-kind.js";
import type { RecordedObject, Roll } from "./inventory-snapshot.js";
import type { DeletedObject, InventoryContents, SeenObject } from "./look-at-vault.js";
import { isUnreadPolicy } from "./rotation-policies.js";

/** Entries that a drifted state holds: enough to act upon, whatever happened to the vault. */
const MOST_TOLD = 100;

const NAMELESS = "(others)";

/** By name, what became of each key or secret since the roll was written. Empty where all is as it was. */
export async function driftSince(
  kind: InventoryKind,
  client: KeyVaultClient,
  roll: Roll,
  contents: InventoryContents,
): Promise<Record<string, string>> {
  const told: [name: string, what: string][] = [];
  const found = new Set<string | number>();
  for (const key of contents.seen.values()) {
    const id = roll.idOf(key.name);
    found.add(id);
    // Only a key has a policy that may explain its version.
    const mayAsk = kind.hasPolicies && told.length < MOST_TOLD;
    const what = await changeOf(client, roll.keys.get(id), key, mayAsk);
    if (what) told.push([key.name, what]);
  }
  const deleted = new Map([...contents.deleted.values()].map((key) => [roll.idOf(key.name), key]));
  let nameless = 0;
  for (const [id, recorded] of roll.keys) {
    if (found.has(id) || recorded.state === "missing" || recorded.state === "leaving") continue;
    const gone = deleted.get(id);
    const name = gone?.name ?? recorded.name;
    if (name === undefined) nameless++;
    else told.push([name, gone ? deletion(gone) : absence(kind, contents)]);
  }
  return limited(kind, told, nameless);
}

async function changeOf(
  client: KeyVaultClient,
  recorded: RecordedObject | undefined,
  key: SeenObject,
  mayAsk: boolean,
): Promise<string | undefined> {
  const made = (): string => formatMoment(new Date(key.created * 1000));
  if (recorded === undefined) return `appeared: its version was made on ${made()}`;
  if (recorded.state === "missing") return "is there: it was missing";
  if (recorded.state === "leaving") return "is still there: it is no longer expected";
  const changes: string[] = [];
  if (key.expected !== "resource") {
    if (key.enabled !== (recorded.state === "enabled")) changes.push(key.enabled ? "enabled" : "disabled");
    const isSame = key.ofCertificate || recorded.isVersionOf(key.created);
    const isRotated = !isSame && mayAsk && (await isRotation(client, recorded, key));
    if (!isSame && isRotated !== true) {
      const unread = isRotated === "unread" ? ", and its rotation policy could not be read" : "";
      changes.push(`has a new version, made on ${made()}${unread}`);
    }
  }
  if (hasOtherPolicy(recorded, key) && key.expected !== "resource") changes.push("has another rotation policy");
  if (key.expiring && !recorded.expiring && key.expiresOn) {
    changes.push(`${key.expiresOn.getTime() <= Date.now() ? "expired" : "expires"} on ${formatMoment(key.expiresOn)}`);
  }
  return changes.length > 0 ? changes.join("; ") : undefined;
}

function hasOtherPolicy(recorded: RecordedObject | undefined, key: SeenObject): boolean {
  return recorded?.rotation !== undefined && key.rotation !== undefined && recorded.rotation !== key.rotation;
}

/**
 * Keys of resources whose rotation policy is not the recorded one. It may be the program's own change, of which an
 * inventory learns nothing: so it is told, and is no drift.
 */
export function otherPolicies(roll: Roll, { seen }: InventoryContents): string[] {
  return [...seen.values()]
    .filter((key) => key.expected === "resource" && hasOtherPolicy(roll.keys.get(roll.idOf(key.name)), key))
    .map(({ name }) => name);
}

/** A version that the key's own rotation policy made is none that somebody made. One request, for a key that has a new version. */
async function isRotation(
  client: KeyVaultClient,
  recorded: RecordedObject,
  key: SeenObject,
): Promise<boolean | "unread"> {
  try {
    const policy = observedRotationPolicy(await client.getKeyRotationPolicy(key.name), {});
    if (!policy || !(policy.rotateAfter || policy.rotateBeforeExpiry)) return false;
    // A roll of hashes does not tell when the former version was made, and so not when the policy was due.
    if (recorded.created === undefined) return true;
    const createdOn = formatMoment(new Date(recorded.created * 1000));
    return explainsVersion(policy, { createdOn }, { createdOn: new Date(key.created * 1000) });
  } catch (error) {
    // A reader without the permission for policies, or a server without them, cannot explain the version.
    if (isKeyVaultError(error) && ["KV_FORBIDDEN", "KV_NOT_FOUND", "KV_INVALID_INPUT"].includes(error.code)) {
      return false;
    }
    // One odd answer to what is optional ends no inventory.
    if (isUnreadPolicy(error)) return "unread";
    throw error;
  }
}

function absence({ collection }: InventoryKind, { unread }: InventoryContents): string {
  return unread.includes("softDeleted")
    ? `gone: not there, and the deleted ${collection} could not be read`
    : `gone: neither there nor among the deleted ${collection}`;
}

function deletion({ deletedOn, scheduledPurgeDate }: DeletedObject): string {
  const when = deletedOn ? ` on ${formatMoment(deletedOn)}` : "";
  const until = scheduledPurgeDate ? ` until ${formatMoment(scheduledPurgeDate)}` : "";
  return `soft-deleted${when}: it can be recovered${until}`;
}

function limited({ collection }: InventoryKind, told: [string, string][], nameless: number): Record<string, string> {
  const drift = Object.fromEntries(told.slice(0, MOST_TOLD));
  const others = told.length - MOST_TOLD;
  const lines = [
    ...(others > 0 ? [`${others} more ${collection} drifted`] : []),
    ...(nameless > 0
      ? [
          `${nameless} ${collection} are gone whose names the state is too small to hold, and that are not among the deleted ${collection}`,
        ]
      : []),
  ];
  return lines.length > 0 ? { ...drift, [NAMELESS]: lines.join("; ") } : drift;
}
