import { describeValue, shownName } from "../engine/described-value.js";
import { InputCheck, isRecord } from "../engine/input-check.js";
import type { CheckFailure, Properties } from "../engine/lifecycle.js";
import { containsUnknown, isUnknown, UNKNOWN } from "../engine/unknown.js";
import { isManagedHsm, isValidObjectName } from "../keyvault/identifier.js";
import { checkCredential } from "../vault/check-credential.js";
import { parseGlob } from "../vault/name-glob.js";
import { checkVaultUrl } from "../vault/object-address.js";
import { isSameVault } from "../vault/vault-identity.js";
import { namesOf, type RecordedNames, recordNames } from "./expected-names.js";
import type { InventoryKind } from "./inventory-kind.js";
import { parsePeriod } from "./period.js";

const PROPERTIES = [
  "vaultUrl",
  "credential",
  "expect",
  "expectResources",
  "ignore",
  "onUnmanaged",
  "expiresWithin",
  "drift",
];

/** Turns a program's inputs of an inventory into their normal form. Asks the vault nothing. */
export async function checkInventory(
  kind: InventoryKind,
  olds: Properties,
  news: Properties,
): Promise<{ inputs: Properties; failures: CheckFailure[] }> {
  const { noun, include, hasPolicies } = kind;
  const check = new InputCheck(news, [...PROPERTIES, include, ...(hasPolicies ? ["rotation"] : [])]);
  const vaultUrl = checkVaultUrl(check, olds);
  if (noun === "secret" && isManagedHsm(vaultUrl)) {
    check.fail("vaultUrl", "is a Managed HSM, and a Managed HSM holds no secrets");
  }
  const onUnmanaged = check.text("onUnmanaged", { oneOf: ["report", "fail"], what: "report or fail" });
  const inputs: Properties = {
    __provider: news.__provider,
    vaultUrl,
    credential: await checkCredential(check),
    expect: checkExpected(check, kind),
    expectResources: checkResources(check, kind, vaultUrl),
    ignore: checkGlobs(check),
    onUnmanaged: onUnmanaged === "report" ? undefined : onUnmanaged,
    expiresWithin: checkPeriod(check),
    ...(hasPolicies ? { rotation: check.boolean("rotation") || undefined } : {}),
    [include]: check.boolean(include) || undefined,
    drift: {},
  };
  return { inputs, failures: check.failures };
}

function checkExpected(check: InputCheck, { noun }: InventoryKind): RecordedNames | undefined {
  const { expect } = check.news;
  if (expect === undefined || expect === null) return undefined;
  if (containsUnknown(expect)) return UNKNOWN;
  // With ignoreChanges the engine puts in what state holds, which of a long list is its digest.
  if (typeof expect === "string" && namesOf(expect)) return expect;
  if (!Array.isArray(expect)) {
    check.fail("expect", `must be a list of names and ${classOf(noun)} resources`);
    return undefined;
  }
  return recordNames(expect.filter((name) => isName(check, noun, name)));
}

function classOf(noun: InventoryKind["noun"]): string {
  return noun === "key" ? "Key" : "Secret";
}

function isName(check: InputCheck, noun: InventoryKind["noun"], name: unknown): name is string {
  if (typeof name === "string" && isValidObjectName(name)) return true;
  check.fail("expect", `an item is no ${noun} name (1 to 127 letters, digits or hyphens), but ${describeValue(name)}`);
  return false;
}

/** A resource of another vault would be missing here for ever. */
function checkResources(
  check: InputCheck,
  { noun }: InventoryKind,
  vaultUrl: string | undefined,
): RecordedNames | undefined {
  const { expectResources } = check.news;
  if (expectResources === undefined || expectResources === null) return undefined;
  if (containsUnknown(expectResources)) return UNKNOWN;
  if (typeof expectResources === "string" && namesOf(expectResources)) return expectResources;
  if (!Array.isArray(expectResources)) {
    check.fail("expectResources", `must be a list of ${classOf(noun)} resources`);
    return undefined;
  }
  const names: string[] = [];
  // A set of keys arrives as a list within the list.
  for (const resource of expectResources.flat()) {
    const object: Properties = isRecord(resource) ? resource : { name: resource };
    if (
      typeof object.vaultUrl === "string" &&
      vaultUrl !== undefined &&
      !isUnknown(vaultUrl) &&
      !isSameVault(object.vaultUrl, vaultUrl)
    ) {
      check.fail(
        "expect",
        `${noun} ${typeof object.name === "string" ? shownName(object.name) : "without a name"} is in another vault, and this inventory is of ${vaultUrl}`,
      );
    } else if (isName(check, noun, object.name)) {
      names.push(object.name);
    }
  }
  return recordNames(names);
}

function checkGlobs(check: InputCheck): string[] | string | undefined {
  const { ignore } = check.news;
  if (ignore === undefined || ignore === null) return undefined;
  if (containsUnknown(ignore)) return UNKNOWN;
  if (!Array.isArray(ignore) || ignore.some((glob) => typeof glob !== "string" || parseGlob(glob) === undefined)) {
    check.fail("ignore", 'must be a list of names and globs, such as "temp-*"');
    return undefined;
  }
  return ignore.length > 0 ? [...new Set(ignore.map(String))].sort() : undefined;
}

function checkPeriod(check: InputCheck): string | undefined {
  const period = check.text("expiresWithin", { what: 'a time such as "30d" or "P30D"' });
  if (period === undefined || isUnknown(period) || parsePeriod(period) !== undefined) return period;
  check.fail("expiresWithin", 'must be a time such as "30d" or "P30D"');
  return undefined;
}
