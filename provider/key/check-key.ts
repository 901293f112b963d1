import { describeValue, shownName } from "../engine/described-value.js";
import { LONGEST_TIMEOUT, parseTimeout } from "../engine/duration.js";
import { InputCheck, isRecord } from "../engine/input-check.js";
import type { CheckFailure, Properties } from "../engine/lifecycle.js";
import { isUnknown } from "../engine/unknown.js";
import { isManagedHsm } from "../keyvault/identifier.js";
import { ifPresent } from "../object/operation-deadline.js";
import { checkClaim, checkObjectName, checkVaultUrl } from "../vault/object-address.js";
import { vaultClient } from "../vault/vault-access.js";
import { checkKeySource } from "./check-key-source.js";
import { checkReleasePolicy, checkRotationPolicy } from "./check-policies.js";
import { IF_SOFT_DELETED, isDefaultKeyOps, ON_DELETE } from "./key-inputs.js";
import { managedByCertificate } from "./takeover.js";

const PROPERTIES = [
  "vaultUrl",
  "name",
  "autoName",
  "claimant",
  "owner",
  "import",
  "thumbprint",
  "generate",
  "restore",
  "restoreFrom",
  "adopt",
  "enabled",
  "notBefore",
  "expiresOn",
  "keyOps",
  "tags",
  "hardwareProtected",
  "exportable",
  "releasePolicy",
  "rotationPolicy",
  "onDelete",
  "ifSoftDeleted",
  "timeouts",
] as const;

const KEY_OPS = ["encrypt", "decrypt", "sign", "verify", "wrapKey", "unwrapKey", "import", "export", "deriveKey"];

const OPS_OF_TYPE: Record<string, readonly string[]> = {
  RSA: ["encrypt", "decrypt", "sign", "verify", "wrapKey", "unwrapKey", "import", "export"],
  EC: ["sign", "verify", "deriveKey", "export"],
  oct: ["encrypt", "decrypt", "sign", "verify", "wrapKey", "unwrapKey", "deriveKey", "export"],
};

/**
 * Turns a program's inputs of a Key into their normal form, private material left out, and reports all that is
 * wrong with them at once. Runs in every preview; asks the vault nothing, but for a key that is to be adopted.
 */
export async function checkKey(
  olds: Properties,
  news: Properties,
): Promise<{ inputs: Properties; failures: CheckFailure[] }> {
  const check = new InputCheck(news, PROPERTIES);
  const vaultUrl = checkVaultUrl(check);
  const source = await checkKeySource(check, olds);
  const name = checkObjectName(source.name === undefined ? check : named(check, source.name), olds, "key");
  checkClaim(check, "key", { ...(vaultUrl && { vaultUrl }), ...(name && { name }) });

  const inputs: Properties = {
    __provider: news.__provider,
    vaultUrl,
    name,
    ...source.inputs,
    enabled: checkEnabled(check),
    notBefore: check.moment("notBefore"),
    expiresOn: check.moment("expiresOn"),
    // What is the default of a vault is less than that of a Managed HSM: there it is told.
    keyOps: checkKeyOps(check, source.keyType, isManagedHsm(vaultUrl)),
    tags: check.tags({ count: 15, length: 256 }),
    hardwareProtected: onlyTrue(check.boolean("hardwareProtected")),
    exportable: onlyTrue(check.boolean("exportable")),
    releasePolicy: checkReleasePolicy(check),
    rotationPolicy: checkRotationPolicy(check),
    ...checkOptions(check),
  };
  if (inputs.exportable === true && news.releasePolicy === undefined) {
    check.fail("exportable", "needs a releasePolicy: the service takes no exportable key without one (AKV.SKR.1004)");
  }
  if (inputs.releasePolicy !== undefined && inputs.exportable === undefined) {
    check.fail("releasePolicy", "needs exportable: true: only an exportable key can have one (AKV.SKR.1005)");
  }
  checkLifetime(check, inputs);
  checkCleared(check, olds, inputs, source.isAtHand);
  checkReplaced(check, olds, inputs, source.isAtHand);
  if (inputs.adopt === true && olds.name === undefined && check.failures.length === 0) {
    await checkAdoption(check, vaultUrl, name);
  }
  return { inputs, failures: check.failures };
}

/** A key that is to be adopted has to be there, and not a certificate's: told in the preview, at the price of a request. */
async function checkAdoption(check: InputCheck, vaultUrl: string | undefined, name: string | undefined): Promise<void> {
  if (vaultUrl === undefined || name === undefined || isUnknown(vaultUrl) || isUnknown(name)) return;
  const client = await vaultClient(vaultUrl);
  const bundle = await ifPresent(client.getKey(name));
  if (bundle?.managed) check.failUnnamed(managedByCertificate({ name, vaultUrl }).message);
  if (bundle || (await ifPresent(client.getDeletedKey(name)))) return;
  check.failUnnamed(`KV_NOT_FOUND: there is no key "${name}" to adopt in ${vaultUrl}, and no deleted one either`);
}

/** `onDelete`, `ifSoftDeleted` and `timeouts`, with defaults left out. Shared by every resource that owns an object. */
export function checkOptions(check: InputCheck): Properties {
  const onDelete = check.text("onDelete", { oneOf: ON_DELETE, what: "one of retain, disable, delete, purge" });
  const ifSoftDeleted = check.text("ifSoftDeleted", { oneOf: IF_SOFT_DELETED, what: "recover or fail" });
  return {
    onDelete: onDelete === "delete" ? undefined : onDelete,
    ifSoftDeleted: ifSoftDeleted === "recover" ? undefined : ifSoftDeleted,
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

/** The two moments of an object, of which either may be past or missing. */
export function checkLifetime(check: InputCheck, { notBefore, expiresOn }: Properties): void {
  if (typeof notBefore !== "string" || typeof expiresOn !== "string" || isUnknown(notBefore) || isUnknown(expiresOn))
    return;
  if (Date.parse(notBefore) > Date.parse(expiresOn)) {
    check.fail("notBefore", "must not be after expiresOn: there would be no time at which it could be used");
  }
}

export function checkEnabled(check: InputCheck): false | string | undefined {
  const enabled = check.boolean("enabled");
  return enabled === true ? undefined : (enabled as false | string | undefined);
}

function onlyTrue(value: boolean | string | undefined): true | string | undefined {
  return value === false ? undefined : (value as true | string | undefined);
}

function checkKeyOps(
  check: InputCheck,
  keyType: string | undefined,
  isOfManagedHsm: boolean,
): string[] | string | undefined {
  const keyOps = check.news.keyOps;
  if (keyOps === undefined || keyOps === null) return undefined;
  if (isUnknown(keyOps)) return keyOps as string;
  if (!Array.isArray(keyOps)) {
    check.fail("keyOps", `must be a list of ${KEY_OPS.join(", ")}, and is ${describeValue(keyOps)}`);
    return undefined;
  }
  for (const [index, op] of keyOps.entries()) {
    if (isUnknown(op) || KEY_OPS.includes(op)) continue;
    check.fail("keyOps", `item ${index + 1} (${describeValue(op)}) is not one of ${KEY_OPS.join(", ")}`);
  }
  checkOpsOfType(check, keyOps, keyType);
  const sorted = [...new Set(keyOps.map(String))].sort();
  return keyType !== undefined && !isOfManagedHsm && isDefaultKeyOps(keyType, sorted) ? undefined : sorted;
}

/** What the service refuses of operations that it knows: those of another type of key, and "import" beside others. */
function checkOpsOfType(check: InputCheck, keyOps: readonly unknown[], keyType: string | undefined): void {
  const allowed = keyType === undefined ? undefined : OPS_OF_TYPE[keyType.replace(/-HSM$/, "")];
  const foreign = allowed && KEY_OPS.filter((op) => keyOps.includes(op) && !allowed.includes(op));
  if (foreign !== undefined && foreign.length > 0) {
    check.fail("keyOps", `a key of type ${keyType} has no ${foreign.join(", ")}: it takes ${allowed?.join(", ")}`);
  }
  if (keyOps.includes("import") && new Set(keyOps).size > 1) {
    check.fail("keyOps", "import goes with no other operation: a key exchange key does nothing else");
  }
}

/** A backup brings the name of its key: the default, where the program gives none. */
function named(check: InputCheck, name: string): InputCheck {
  if (check.news.name === undefined) check.news.autoName = name;
  return check;
}

/** Another vault or name is another key, which has to be made from the material. */
function checkReplaced(check: InputCheck, olds: Properties, inputs: Properties, materialIsAtHand: boolean): void {
  if (materialIsAtHand || inputs.thumbprint === undefined || olds.name === undefined) return;
  if (olds.vaultUrl === inputs.vaultUrl && olds.name === inputs.name) return;
  check.failUnnamed(
    "KV_INVALID_KEY_MATERIAL: the key would be replaced, since its vault or name changes, and its material is not at hand: run where it is",
  );
}

/** The service can move `expiresOn` and `notBefore` but not clear them; only a new version is without. */
function checkCleared(check: InputCheck, olds: Properties, inputs: Properties, materialIsAtHand: boolean): void {
  for (const property of ["expiresOn", "notBefore"] as const) {
    if (olds[property] === undefined || inputs[property] !== undefined || check.news[property] !== undefined) continue;
    if (property === "expiresOn" && inputs.rotationPolicy !== undefined) continue;
    if (olds.thumbprint !== inputs.thumbprint || materialIsAtHand) continue;
    if (inputs.generate !== undefined && JSON.stringify(olds.generate) !== JSON.stringify(inputs.generate)) continue;
    check.failUnnamed(
      `KV_INVALID_INPUT: ${property} cannot be removed from a key: the service can only move it, and only a new version is without it. ${
        inputs.generate === undefined
          ? "Run with the key material at hand, which makes a new version from it, or set a later moment"
          : "Change generate.keepers, which makes a new version, or set a later moment"
      }`,
    );
  }
}
