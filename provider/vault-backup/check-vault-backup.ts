import { createHash } from "node:crypto";
import { MANIFEST } from "../backup/backup-file.js";
import { checkBackupFolder } from "../backup/check-backup-folder.js";
import { rotationDigest } from "../backup/object-backup.js";
import { describeValue, shownName } from "../engine/described-value.js";
import { InputCheck, isRecord } from "../engine/input-check.js";
import type { CheckFailure, Properties } from "../engine/lifecycle.js";
import { containsUnknown, isUnknown, UNKNOWN } from "../engine/unknown.js";
import { isManagedHsm } from "../keyvault/identifier.js";
import { checkCredential } from "../vault/check-credential.js";
import { checkVaultUrl } from "../vault/object-address.js";
import { isSameVault } from "../vault/vault-identity.js";
import { COLLECTIONS, type Collection, kindOf } from "./by-kind.js";
import { isExclusion, isPattern } from "./selection.js";

const ON_FAILURE = ["fail", "report"] as const;
const PROPERTIES = ["vaultUrl", "credential", "keys", "secrets", "to", "onFailure", "allowEmpty", "claimant", "owner"];

/** A resource of the same program, as the SDK passes it on. */
interface Managed {
  name: unknown;
  version: unknown;
  updatedOn: unknown;
  rotationPolicy?: unknown;
  vaultUrl: unknown;
}

/** Turns the inputs of a VaultBackup into their normal form: sorted names and globs, and a digest per resource. */
export async function checkVaultBackup(
  olds: Properties,
  news: Properties,
): Promise<{ inputs: Properties; failures: CheckFailure[] }> {
  const managedVault = COLLECTIONS.flatMap((collection) => managedOf(news[collection]))[0]?.vaultUrl;
  const check = new InputCheck({ ...news, vaultUrl: news.vaultUrl ?? managedVault }, PROPERTIES);
  const vaultUrl = checkVaultUrl(check, olds);
  const keys = checkSelection(check, "keys", vaultUrl);
  const secrets = checkSelection(check, "secrets", vaultUrl);
  if (keys === undefined && secrets === undefined && check.failures.length === 0) {
    check.failUnnamed('nothing to back up: set keys, secrets or both, such as keys: "*"');
  }
  if (secrets !== undefined && isManagedHsm(vaultUrl)) {
    check.failUnnamed("secrets: a Managed HSM holds keys only");
  }
  const onFailure = check.text("onFailure", { oneOf: ON_FAILURE, what: "fail or report" });
  const revisions = { ...checkRevisions("keys", keys, news), ...checkRevisions("secrets", secrets, news) };
  const inputs = {
    __provider: news.__provider,
    vaultUrl,
    credential: await checkCredential(check),
    keys,
    secrets,
    revisions: Object.keys(revisions).length > 0 ? revisions : undefined,
    to: checkBackupFolder(check, MANIFEST),
    onFailure: onFailure === "fail" ? undefined : onFailure,
    allowEmpty: check.boolean("allowEmpty") || undefined,
  };
  return { inputs, failures: check.failures };
}

function checkSelection(check: InputCheck, collection: Collection, vaultUrl: string | undefined): unknown {
  const given = check.news[collection];
  if (given === undefined || given === null) return undefined;
  if (isUnknown(given)) return given;
  const expected = `must be "*", a ${kindOf(collection)} name, a glob, or a list of names, globs and resources`;
  const patterns: string[] = [];
  for (const [index, item] of listOf(given).entries()) {
    if (isUnknown(item)) {
      patterns.push(UNKNOWN);
    } else if (typeof item === "string" && isPattern(item)) {
      patterns.push(item);
    } else if (isManaged(item)) {
      patterns.push(isUnknown(item.name) ? UNKNOWN : String(item.name));
      const isKnown = !isUnknown(item.vaultUrl) && !isUnknown(vaultUrl) && vaultUrl !== undefined;
      if (isKnown && !isSameVault(item.vaultUrl, vaultUrl)) {
        check.failUnnamed(
          `${collection}: the ${kindOf(collection)} ${shownName(String(item.name))} is in another vault, and this backup is of ${vaultUrl}: a VaultBackup is of one vault`,
        );
      }
    } else {
      check.failUnnamed(`${collection}: ${expected}, and item ${index + 1} (${describeValue(item)}) is none of them`);
      return undefined;
    }
  }
  if (patterns.length > 0 && patterns.every(isExclusion)) {
    check.failUnnamed(`${collection} only says what to leave out: add "*" to back up the others`);
  }
  const hasAll = patterns.includes("*");
  // Where all are covered the names say nothing more.
  const needed = patterns.filter((pattern) => !hasAll || pattern === "*" || isExclusion(pattern));
  return needed.length > 0 ? [...new Set(needed)].sort() : undefined;
}

/** A change of any of the resources changes its digest, and state keeps 11 characters of each. */
function checkRevisions(collection: Collection, selected: unknown, news: Properties): Properties {
  const managed = managedOf(news[collection]);
  if (selected === undefined || managed.length === 0) return {};
  if (managed.some(({ name }) => isUnknown(name))) return { [collection]: UNKNOWN };
  const revisions = managed.map((resource) => [String(resource.name), revisionOf(resource)]);
  return { [collection]: Object.fromEntries(revisions.sort(([a = ""], [b = ""]) => (a < b ? -1 : 1))) };
}

function revisionOf({ version, updatedOn, rotationPolicy }: Managed): string {
  if (containsUnknown([version, updatedOn, rotationPolicy])) return UNKNOWN;
  const facts = [version, updatedOn, rotationDigest(rotationPolicy)].filter((fact) => fact !== undefined);
  return createHash("sha256").update(facts.join(" ")).digest("base64url").slice(0, 11);
}

function managedOf(given: unknown): Managed[] {
  return listOf(given).filter(isManaged);
}

/** An output that is a list of names arrives as a list within the list. */
function listOf(given: unknown): unknown[] {
  return (Array.isArray(given) ? given : [given]).flat();
}

function isManaged(item: unknown): item is Managed & Record<string, unknown> {
  return isRecord(item) && typeof item.name === "string";
}
