import { shownName } from "../engine/described-value.js";
import { LONGEST_TIMEOUT, parseTimeout } from "../engine/duration.js";
import { type InputCheck, isRecord } from "../engine/input-check.js";
import type { Properties } from "../engine/lifecycle.js";
import { isUnknown } from "../engine/unknown.js";
import { vaultSettings } from "../engine/vault-settings.js";
import { IF_SOFT_DELETED, ON_DELETE } from "./object-inputs.js";
import { MOST_TAGS, OWNER_TAG } from "./owner-tag.js";
import { PREVIOUS_VERSIONS } from "./previous-versions.js";

/** `onDelete`, `ifSoftDeleted`, `previousVersions` and `timeouts`, with defaults left out. Shared by every resource that owns an object. */
export function checkOptions(check: InputCheck): Properties {
  const onDelete = check.text("onDelete", { oneOf: ON_DELETE, what: "one of retain, disable, delete, purge" });
  const ifSoftDeleted = check.text("ifSoftDeleted", { oneOf: IF_SOFT_DELETED, what: "recover or fail" });
  const previousVersions = check.text("previousVersions", { oneOf: PREVIOUS_VERSIONS, what: "keep or disable" });
  return {
    onDelete: onDelete === "delete" ? undefined : onDelete,
    ifSoftDeleted: ifSoftDeleted === "recover" ? undefined : ifSoftDeleted,
    previousVersions: previousVersions === "keep" ? undefined : previousVersions,
    timeouts: checkTimeouts(check),
  };
}

function checkTimeouts(check: InputCheck): Properties | string | undefined {
  const timeouts = check.record("timeouts", 'a map such as { create: "10m" }');
  if (!isRecord(timeouts)) return timeouts;
  for (const [operation, limit] of Object.entries(timeouts)) {
    if (!["create", "read", "update", "delete"].includes(operation)) {
      check.fail("timeouts", `${shownName(operation)} is not one of create, read, update, delete`);
    } else if (!isUnknown(limit)) {
      const duration = typeof limit === "string" ? parseTimeout(limit) : undefined;
      if (duration === undefined || duration > LONGEST_TIMEOUT) {
        check.fail("timeouts", `${operation} must be a duration such as "90s", "10m" or "1h30m", of at most 480h`);
      }
    }
  }
  return Object.keys(timeouts).length > 0 ? timeouts : undefined;
}

/**
 * @param isSpelled whether a default that the program spells is to be recorded: what it leaves out is the vault's then,
 * and not the service's default.
 */
export function checkEnabled(check: InputCheck, isSpelled: boolean): boolean | string | undefined {
  const enabled = check.boolean("enabled");
  return enabled === true && !isSpelled ? undefined : enabled;
}

/** The two moments of an object, of which either may be past or missing. */
export function checkLifetime(check: InputCheck, { notBefore, expiresOn }: Properties): void {
  if (typeof notBefore !== "string" || typeof expiresOn !== "string" || isUnknown(notBefore) || isUnknown(expiresOn))
    return;
  if (Date.parse(notBefore) > Date.parse(expiresOn)) {
    check.fail("notBefore", "must not be after expiresOn: there would be no time at which it could be used");
  }
}

/** What a vault takes on one object. */

/**
 * The program's tags. One of the 15 that an object can have says who owns it, and is no tag of the program's; an object
 * that had all of them before owner tags came keeps them, and goes without the mark.
 *
 * @param isSpelled as with {@link checkEnabled}: whether a program that wants no tags is told from one that says nothing.
 */
export function checkTags(
  check: InputCheck,
  olds: Properties,
  { length, isSpelled }: { length: number; isSpelled: boolean },
): Record<string, string> | string | undefined {
  const given = check.news.tags;
  if (isRecord(given) && Object.hasOwn(given, OWNER_TAG)) {
    check.failUnnamed(
      `tags: "${OWNER_TAG}" is the tag by which an object says who owns it, and is not the program's to set`,
    );
  }
  const before = isRecord(olds.tags) ? Object.keys(olds.tags).length : 0;
  const isFull = before >= MOST_TAGS || !vaultSettings().ownerTag;
  const count = isFull ? MOST_TAGS : MOST_TAGS - 1;
  if (isRecord(given) && Object.keys(given).length === MOST_TAGS && count < MOST_TAGS) {
    check.failUnnamed(
      `tags: ${MOST_TAGS} tags, and at most ${count} are the program's: one says who owns the object (\`keyvault:ownerTag: "false"\` turns that off)`,
    );
    return undefined;
  }
  const isEmpty = isRecord(given) && Object.keys(given).length === 0;
  return isEmpty && isSpelled ? {} : check.tags({ count, length });
}
