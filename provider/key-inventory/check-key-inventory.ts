import { describeValue, shownName } from "../engine/described-value.js";
import { InputCheck, isRecord } from "../engine/input-check.js";
import type { CheckFailure, Properties } from "../engine/lifecycle.js";
import { containsUnknown, isUnknown, UNKNOWN } from "../engine/unknown.js";
import { isValidObjectName } from "../keyvault/identifier.js";
import { checkCredential } from "../vault/check-credential.js";
import { parseGlob } from "../vault/name-glob.js";
import { checkVaultUrl } from "../vault/object-address.js";
import { isSameVault } from "../vault/vault-identity.js";
import { namesOf, type RecordedNames, recordNames } from "./expected-names.js";
import { parsePeriod } from "./period.js";

const PROPERTIES = [
  "vaultUrl",
  "credential",
  "expect",
  "expectResources",
  "ignore",
  "onUnmanaged",
  "expiresWithin",
  "rotation",
  "includeKeys",
  "drift",
];

/** Turns a program's inputs of a KeyInventory into their normal form. Asks the vault nothing. */
export async function checkKeyInventory(
  olds: Properties,
  news: Properties,
): Promise<{ inputs: Properties; failures: CheckFailure[] }> {
  const check = new InputCheck(news, PROPERTIES);
  const vaultUrl = checkVaultUrl(check, olds);
  const onUnmanaged = check.text("onUnmanaged", { oneOf: ["report", "fail"], what: "report or fail" });
  const inputs: Properties = {
    __provider: news.__provider,
    vaultUrl,
    credential: await checkCredential(check),
    expect: checkExpected(check),
    expectResources: checkResources(check, vaultUrl),
    ignore: checkGlobs(check),
    onUnmanaged: onUnmanaged === "report" ? undefined : onUnmanaged,
    expiresWithin: checkPeriod(check),
    rotation: check.boolean("rotation") || undefined,
    includeKeys: check.boolean("includeKeys") || undefined,
    drift: {},
  };
  return { inputs, failures: check.failures };
}

function checkExpected(check: InputCheck): RecordedNames | undefined {
  const { expect } = check.news;
  if (expect === undefined || expect === null) return undefined;
  if (containsUnknown(expect)) return UNKNOWN;
  // With ignoreChanges the engine puts in what state holds, which of a long list is its digest.
  if (typeof expect === "string" && namesOf(expect)) return expect;
  if (!Array.isArray(expect)) {
    check.fail("expect", "must be a list of names and Key resources");
    return undefined;
  }
  return recordNames(expect.filter((name) => isName(check, name)));
}

function isName(check: InputCheck, name: unknown): name is string {
  if (typeof name === "string" && isValidObjectName(name)) return true;
  check.fail("expect", `an item is no key name (1 to 127 letters, digits or hyphens), but ${describeValue(name)}`);
  return false;
}

/** A Key resource of another vault would be missing here for ever. */
function checkResources(check: InputCheck, vaultUrl: string | undefined): RecordedNames | undefined {
  const { expectResources } = check.news;
  if (expectResources === undefined || expectResources === null) return undefined;
  if (containsUnknown(expectResources)) return UNKNOWN;
  if (typeof expectResources === "string" && namesOf(expectResources)) return expectResources;
  if (!Array.isArray(expectResources)) {
    check.fail("expectResources", "must be a list of Key resources");
    return undefined;
  }
  const names: string[] = [];
  for (const resource of expectResources) {
    const key: Properties = isRecord(resource) ? resource : { name: resource };
    if (
      typeof key.vaultUrl === "string" &&
      vaultUrl !== undefined &&
      !isUnknown(vaultUrl) &&
      !isSameVault(key.vaultUrl, vaultUrl)
    ) {
      check.fail(
        "expect",
        `key ${typeof key.name === "string" ? shownName(key.name) : "without a name"} is in another vault, and this inventory is of ${vaultUrl}`,
      );
    } else if (isName(check, key.name)) {
      names.push(key.name);
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
