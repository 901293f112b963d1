import { describeValue } from "../engine/described-value.js";
import { InputCheck, isRecord } from "../engine/input-check.js";
import type { CheckFailure, Properties } from "../engine/lifecycle.js";
import { isUnknown } from "../engine/unknown.js";
import { isManagedHsm } from "../keyvault/identifier.js";
import { checkAdoption, checkDeclaration } from "../object/check-declaration.js";
import { checkEnabled, checkLifetime, checkOptions, checkTags } from "../object/check-options.js";
import { leavesRestToVault } from "../object/object-inputs.js";
import { expectedDigest, isSetOutside, withFindingsAccepted } from "../object/observed-drift.js";
import { checkCredential } from "../vault/check-credential.js";
import { checkObjectName, checkVaultUrl, type ObjectAddress } from "../vault/object-address.js";
import { type CheckedSource, checkKeySource, isUnchangedGenerate } from "./check-key-source.js";
import { checkReleasePolicy, checkRotationPolicy } from "./check-policies.js";
import { isDefaultKeyOps, KEY_SETTINGS } from "./key-inputs.js";
import { keyObject } from "./key-object.js";
import { checkWrapWith, keepExchangeKey } from "./wrapped-import.js";

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
  ...KEY_SETTINGS,
  "timeouts",
  "credential",
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
 *
 * @param isKnownToBeThere of a key that is to be adopted: whether another look has found it.
 */
export async function checkKey(
  olds: Properties,
  news: Properties,
  isKnownToBeThere: (address: ObjectAddress) => Promise<boolean> = async () => false,
): Promise<{ inputs: Properties; failures: CheckFailure[] }> {
  const check = new InputCheck(withFindingsAccepted(news, olds), PROPERTIES);
  const vaultUrl = checkVaultUrl(check, olds);
  const source = await checkKeySource(check, olds);
  const name = checkObjectName(check, olds, "key", source.name);
  checkDeclaration(check, olds, "key", { vaultUrl, name });
  checkWrapping(check, olds, source, { vaultUrl, name });

  const { hardwareProtected, ...settings } = checkKeySettings(check, olds, {
    keyType: source.keyType,
    isSpelled: leavesRestToVault(source.inputs),
    vaultUrl,
  });
  const inputs: Properties = {
    __provider: news.__provider,
    vaultUrl,
    name,
    hardwareProtected,
    ...source.inputs,
    ...settings,
    credential: await checkCredential(check),
  };
  checkCleared(check, olds, inputs, source.isAtHand);
  checkReplaced(check, olds, inputs, source.isAtHand);
  if (inputs.adopt === true && olds.name === undefined && check.failures.length === 0) {
    const address = { vaultUrl, name, credential: inputs.credential };
    if (!(await isKnown(address, isKnownToBeThere))) await checkAdoption(check, keyObject, address);
  }
  return { inputs, failures: check.failures };
}

async function isKnown(
  { vaultUrl, name, credential }: { vaultUrl: unknown; name: unknown; credential: unknown },
  isKnownToBeThere: (address: ObjectAddress) => Promise<boolean>,
): Promise<boolean> {
  if (typeof vaultUrl !== "string" || typeof name !== "string" || isUnknown(vaultUrl) || isUnknown(name)) return false;
  return isKnownToBeThere({ vaultUrl, name, ...(typeof credential === "string" ? { credential } : {}) });
}

/**
 * What a key is beside its source, in normal form.
 *
 * @param isSpelled whether what is left out is the vault's, so that a default which the program spells is recorded.
 */
export function checkKeySettings(
  check: InputCheck,
  olds: Properties,
  { keyType, isSpelled, vaultUrl }: { keyType: string | undefined; isSpelled: boolean; vaultUrl: string | undefined },
): Properties {
  const settings: Properties = {
    enabled: checkEnabled(check, isSpelled),
    notBefore: check.moment("notBefore"),
    expiresOn: check.moment("expiresOn"),
    // What is the default of a vault is less than that of a Managed HSM: there it is told.
    keyOps: checkKeyOps(check, isSpelled ? {} : olds, keyType, isManagedHsm(vaultUrl)),
    tags: checkTags(check, olds, { length: 256, isSpelled }),
    hardwareProtected: onlyTrue(check.boolean("hardwareProtected")),
    exportable: onlyTrue(check.boolean("exportable")),
    releasePolicy: checkReleasePolicy(check),
    rotationPolicy: checkRotationPolicy(check),
    ...checkOptions(check),
  };
  if (settings.exportable === true && check.news.releasePolicy === undefined) {
    check.fail("exportable", "needs a releasePolicy: the service takes no exportable key without one (AKV.SKR.1004)");
  }
  if (settings.releasePolicy !== undefined && settings.exportable === undefined) {
    check.fail("releasePolicy", "needs exportable: true: only an exportable key can have one (AKV.SKR.1005)");
  }
  checkLifetime(check, settings);
  return settings;
}

function onlyTrue(value: boolean | string | undefined): true | string | undefined {
  return value === false ? undefined : (value as true | string | undefined);
}

/** What is made of the key in this run is wrapped with the key that the program names, if it names one. */
function checkWrapping(
  check: InputCheck,
  olds: Properties,
  { wrapWith, inputs: { thumbprint } }: CheckedSource,
  address: { vaultUrl: unknown; name: unknown },
): void {
  const { vaultUrl, name } = address;
  const isThere = olds.vaultUrl === vaultUrl && olds.name === name && !isOtherThumbprint(olds.thumbprint, thumbprint);
  if (wrapWith !== undefined) {
    checkWrapWith(check, wrapWith, { vaultUrl, isNeeded: !isThere || olds.hardwareProtected !== true });
  }
  if (typeof vaultUrl !== "string" || typeof name !== "string" || isUnknown(vaultUrl) || isUnknown(name)) return;
  keepExchangeKey({ vaultUrl, name }, wrapWith);
}

/** What the program states is sent, the service's default too; a key of 0.1 that had the default goes on without. */
function checkKeyOps(
  check: InputCheck,
  olds: Properties,
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
  const sorted = [...new Set(keyOps.filter((op) => typeof op === "string"))].sort();
  const hadDefault = olds.name !== undefined && olds.keyOps === undefined;
  const isDefault = keyType !== undefined && !isOfManagedHsm && isDefaultKeyOps(keyType, sorted);
  return hadDefault && isDefault ? undefined : sorted;
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

/** Another vault or name is another key, which has to be made from the material. What a preview does not know is no other. */
function checkReplaced(check: InputCheck, olds: Properties, inputs: Properties, materialIsAtHand: boolean): void {
  if (materialIsAtHand || inputs.thumbprint === undefined || olds.name === undefined) return;
  if (isUnknown(inputs.vaultUrl) || isUnknown(inputs.name)) return;
  if (olds.vaultUrl === inputs.vaultUrl && olds.name === inputs.name) return;
  check.failUnnamed(
    "KV_INVALID_KEY_MATERIAL: the key would be replaced, since its vault or name changes, and its material is not at hand: run where it is",
  );
}

/**
 * The service can move `expiresOn` and `notBefore` but not clear them; only a new version is without. A program that
 * takes them out is refused at once. What somebody has set outside is drift, to be told with all other drift: the
 * update of that one key says that it cannot be undone.
 */
function checkCleared(check: InputCheck, olds: Properties, inputs: Properties, materialIsAtHand: boolean): void {
  if (leavesRestToVault(inputs)) return;
  for (const property of ["expiresOn", "notBefore"] as const) {
    if (olds[property] === undefined || inputs[property] !== undefined || check.news[property] !== undefined) continue;
    if (isSetOutside(olds[property])) continue;
    if (property === "expiresOn" && isRecord(inputs.rotationPolicy) && inputs.rotationPolicy.expireAfter) continue;
    if (isOtherThumbprint(olds.thumbprint, inputs.thumbprint) || (materialIsAtHand && inputs.thumbprint !== undefined))
      continue;
    if (isRecord(inputs.generate) && !isUnchangedGenerate(olds.generate, inputs.generate)) continue;
    check.failUnnamed(
      `KV_INVALID_INPUT: ${property} cannot be removed from a key: the service can only move it, and only a new version is without it. ${
        inputs.generate === undefined
          ? "Run with the key material at hand, which makes a new version from it, or set a later moment"
          : "Change generate.keepers, which makes a version of new material, or set a later moment"
      }`,
    );
  }
}

function isOtherThumbprint(recorded: unknown, given: unknown): boolean {
  return (typeof recorded === "string" ? expectedDigest(recorded) : undefined) !== given;
}
