import { tell } from "../engine/progress.js";
import { KeyVaultError } from "../keyvault/errors.js";
import { isProvenByState, wasGone, wasReleased, wasSeenUnmarked } from "./declared-objects.js";
import { describeOwner, hasOwnerTag, isOfSameResource, type Owner, ownerOf } from "./owner-tag.js";
import type { VaultObject, VersionBundle } from "./vault-object.js";

/** Who is about to create an object: under which name, and with which mark. */
export interface Claim {
  object: Pick<VaultObject, "kind" | "address" | "label">;
  owner: Owner | undefined;
}

/** How an object stands to the resource that is to be created. */
export type Standing =
  /** This very resource made it, in a run that was cut off, or let it stay. */
  | "own"
  /** Another resource of this stack made it: one that was renamed, moved or swapped. */
  | "same-stack"
  /** This stack had it until this run let it go, or has it under this very resource. */
  | "released"
  /** Nobody has marked it, and this stack's state has it. */
  | "recorded"
  | "foreign";

export function standingOf({ object, owner }: Claim, tags: Record<string, string>): Standing {
  if (wasReleased(object.kind, object.address, tags) || wasGone(object.kind, object.address, tags)) return "released";
  // Without a mark it is whose state has it, and that is this resource, which the engine replaces.
  if (!hasOwnerTag(tags) && isProvenByState(object.kind, object.address)) return "released";
  if (!hasOwnerTag(tags) && wasSeenUnmarked(object.kind, object.address)) return "recorded";
  const found = ownerOf(tags);
  if (owner === undefined || found === undefined || found.stack !== owner.stack) return "foreign";
  return isOfSameResource(found, owner) ? "own" : "same-stack";
}

/** Whether an object carries the mark of this very resource. */
export function isOurs({ owner }: Pick<Claim, "owner">, tags: Record<string, string>): boolean {
  return owner !== undefined && ownerOf(tags)?.token === owner.token;
}

/** Whether an object carries the mark of somebody from whom this resource takes nothing. */
export function isAnothers(claim: Claim, tags: Record<string, string> | undefined): boolean {
  return hasOwnerTag(tags) && claim.owner !== undefined && standingOf(claim, tags ?? {}) === "foreign";
}

export function tellTakenOver({ object }: Claim, standing: Standing): void {
  if (standing === "own") tell(`${object.label} is of an earlier run of this resource, and is taken over`);
  if (standing === "same-stack") tell(`${object.label} belonged to another resource of this stack, and is taken over`);
  if (standing === "recorded") tell(`${object.label} has no mark, and state records it: it is taken over`);
}

/** A deleted object that another stack owns may still be in that stack's state: it is not this one's to bring back. */
export function refuseOthersDeleted(claim: Claim, tags: Record<string, string> | undefined): void {
  const { object } = claim;
  if (!isAnothers(claim, tags)) return;
  throw new KeyVaultError(
    "KV_DELETED_RECOVERABLE",
    `create ${object.label} was refused: a soft-deleted ${object.kind} holds the name, and ${describeOwner(tags)} owns it`,
    { hint: "set adopt: true to recover and take it over, purge it, or choose another name" },
  );
}

/** The refusal of a create, with who has the name and the ways on that fit. */
export function alreadyExists(
  { object, owner }: Claim,
  { tags, enabled }: Pick<VersionBundle, "tags" | "enabled">,
  standing: Standing,
  isIncomparable = false,
): KeyVaultError {
  const { label, kind } = object;
  const refused = `create ${label} was refused: the vault already holds a ${enabled ? "" : "disabled "}${kind} of that name`;
  if (standing !== "foreign" && isIncomparable && !enabled) {
    return new KeyVaultError(
      "KV_ALREADY_EXISTS",
      `${refused}, which this stack made, and a disabled ${kind} does not show whether it is what the program says`,
      {
        hint: `enable it by hand and run again; set adopt: true to manage the ${kind} as it is; or choose another name`,
      },
    );
  }
  if (standing !== "foreign") {
    const why = isIncomparable
      ? "and whose material or value cannot be compared with the program's"
      : "for another source";
    return new KeyVaultError("KV_ALREADY_EXISTS", `${refused}, which this stack made ${why}`, {
      hint: `if the resource was renamed or moved, give it an alias and change the source in a run of its own; set adopt: true to manage the ${kind} as it is; or choose another name`,
    });
  }
  if (hasOwnerTag(tags)) {
    const off = owner === undefined ? "; owner tags are off (keyvault:ownerTag)" : "";
    return new KeyVaultError("KV_ALREADY_EXISTS", `${refused}, and ${describeOwner(tags)} owns it`, {
      hint: `set adopt: true to take it over from there, or choose another name; if that is this stack's own former name, give the resource an alias${off}`,
    });
  }
  return new KeyVaultError("KV_ALREADY_EXISTS", `${refused}, and no owner tag says that it is this stack's`, {
    hint: `if the resource was renamed or moved, give it an alias, or run pulumi up --refresh, as for --replace; set adopt: true to manage the ${kind} that is there; or choose another name`,
  });
}

export function ownedByCertificate({ label }: { label: string }): KeyVaultError {
  return new KeyVaultError(
    "KV_INVALID_INPUT",
    `${label} belongs to the certificate of the same name: only the certificate can change or delete it`,
    { hint: "manage the certificate instead, or choose another name" },
  );
}
