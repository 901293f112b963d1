import { InputCheck } from "../engine/input-check.js";
import type { CheckFailure, Properties } from "../engine/lifecycle.js";
import { isUnknown, UNKNOWN } from "../engine/unknown.js";
import { isManagedHsm } from "../keyvault/identifier.js";
import { checkAdoption, checkDeclaration } from "../object/check-declaration.js";
import { checkEnabled, checkLifetime, checkOptions, checkTags } from "../object/check-options.js";
import { leavesRestToVault } from "../object/object-inputs.js";
import { expectedDigest } from "../object/observed-drift.js";
import { keepSecretValue } from "../object/pending-material.js";
import { checkRestoreSource, givenSources } from "../object/restore-source.js";
import { checkObjectName, checkVaultUrl } from "../vault/object-address.js";
import { sealed } from "./secret-attributes.js";
import { secretObject } from "./secret-object.js";
import { valueDigest } from "./value-digest.js";

const PROPERTIES = [
  "vaultUrl",
  "name",
  "autoName",
  "claimant",
  "owner",
  "value",
  "valueDigest",
  "restore",
  "restoreFrom",
  "adopt",
  "contentType",
  "enabled",
  "notBefore",
  "expiresOn",
  "tags",
  "onDelete",
  "ifSoftDeleted",
  "timeouts",
];

const MAX_VALUE_BYTES = 25_600;
const SOURCES = ["value", "restore", "adopt"] as const;

/** Turns a program's inputs of a Secret into their normal form, the value left out, and reports all problems at once. */
export async function checkSecret(
  olds: Properties,
  news: Properties,
): Promise<{ inputs: Properties; failures: CheckFailure[] }> {
  const check = new InputCheck(news, PROPERTIES);
  const vaultUrl = checkVaultUrl(check, olds);
  if (isManagedHsm(vaultUrl)) check.fail("vaultUrl", "is a Managed HSM, and a Managed HSM holds no secrets");
  const restored = checkRestoreSource(check, olds, "secret");
  const name = checkObjectName(check, olds, "secret", restored.name);
  checkDeclaration(check, "secret", { vaultUrl, name });
  const adopt = news.adopt === true ? true : undefined;
  const isSpelled = leavesRestToVault({ ...restored.inputs, adopt });
  const inputs = {
    __provider: news.__provider,
    vaultUrl,
    name,
    ...restored.inputs,
    adopt,
    valueDigest: await checkValue(check, olds, vaultUrl, name),
    contentType: check.text("contentType", { pattern: /^[\s\S]{1,255}$/, what: "text of 1 to 255 characters" }),
    enabled: checkEnabled(check, isSpelled),
    notBefore: check.moment("notBefore"),
    expiresOn: check.moment("expiresOn"),
    tags: checkTags(check, olds, { length: 512, isSpelled }),
    ...checkOptions(check),
  };
  checkLifetime(check, inputs);
  if (inputs.adopt === true && olds.name === undefined && check.failures.length === 0) {
    await checkAdoption(check, secretObject, { vaultUrl, name });
  }
  return { inputs: sealed(inputs), failures: check.failures };
}

/** A pipeline without the value: the secret is to have the one that it has. */
function sealedDigest(
  check: InputCheck,
  olds: Properties,
  recorded: string,
  { vaultUrl, name }: { vaultUrl: string | undefined; name: string | undefined },
): string {
  const isOther = (now: string | undefined, before: unknown): boolean => !isUnknown(now) && now !== before;
  if (isOther(vaultUrl, olds.vaultUrl) || isOther(name, olds.name)) {
    check.failUnnamed(
      `the secret would be replaced, since its vault or name changes, and its value is not at hand: run where the program has it`,
    );
  }
  return expectedDigest(recorded);
}

async function checkValue(
  check: InputCheck,
  olds: Properties,
  vaultUrl: string | undefined,
  name: string | undefined,
): Promise<string | undefined> {
  const { value, valueDigest: pinned } = check.news;
  const given = givenSources(check.news, SOURCES);
  if (value === undefined && typeof pinned === "string") return pinned;
  if (given.length === 0 && typeof olds.valueDigest === "string") {
    return sealedDigest(check, olds, olds.valueDigest, { vaultUrl, name });
  }
  if (given.length === 0) {
    check.failUnnamed("a secret needs one source: value, restore or adopt (a value that is undefined is none)");
  }
  if (given.length > 1 && !(given.length === 2 && given.includes("value") && given.includes("adopt"))) {
    check.failUnnamed(`a secret takes one source, and this one has ${given.join(" and ")} (adopt may go with value)`);
  }
  if (value === undefined || value === null) return undefined;
  if (isUnknown(value)) return UNKNOWN;
  if (typeof value !== "string") {
    check.failUnnamed("value must be text");
    return undefined;
  }
  const size = Buffer.byteLength(value, "utf8");
  if (size > MAX_VALUE_BYTES) {
    check.failUnnamed(`value has ${size} bytes; a vault takes at most ${MAX_VALUE_BYTES} (25 KB)`);
    return undefined;
  }
  if (vaultUrl === undefined || name === undefined) return undefined;
  if (isUnknown(vaultUrl) || isUnknown(name)) return UNKNOWN;
  const digest = await valueDigest(vaultUrl, name, value);
  keepSecretValue(digest, value);
  return typeof pinned === "string" ? pinned : digest;
}
