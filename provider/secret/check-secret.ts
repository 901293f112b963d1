import { InputCheck } from "../engine/input-check.js";
import type { CheckFailure, Properties } from "../engine/lifecycle.js";
import { isUnknown, UNKNOWN } from "../engine/unknown.js";
import { checkEnabled, checkLifetime, checkOptions } from "../key/check-key.js";
import { isManagedHsm } from "../keyvault/identifier.js";
import { expectedSealed, keepSecretValue } from "../object/pending-material.js";
import { checkRestoreSource, givenSources } from "../object/restore-source.js";
import { secretObject } from "../object/vault-object.js";
import { checkClaim, checkObjectName, checkVaultUrl, objectId } from "../vault/object-address.js";
import { vaultClient } from "../vault/vault-access.js";
import { secretOfCertificate } from "./create-secret.js";
import { sealed } from "./secret-attributes.js";
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
  const vaultUrl = checkVaultUrl(check);
  if (isManagedHsm(vaultUrl)) check.fail("vaultUrl", "is a Managed HSM, and a Managed HSM holds no secrets");
  const restored = checkRestoreSource(check, olds, "secret");
  if (restored.name !== undefined && news.name === undefined) check.news.autoName = restored.name;
  const name = checkObjectName(check, olds, "secret");
  checkClaim(check, "secret", { ...(vaultUrl && { vaultUrl }), ...(name && { name }) });
  const inputs = {
    __provider: news.__provider,
    vaultUrl,
    name,
    ...restored.inputs,
    adopt: news.adopt === true ? true : undefined,
    valueDigest: await checkValue(check, olds, vaultUrl, name),
    contentType: check.text("contentType", { pattern: /^[\s\S]{1,255}$/, what: "text of 1 to 255 characters" }),
    enabled: checkEnabled(check),
    notBefore: check.moment("notBefore"),
    expiresOn: check.moment("expiresOn"),
    tags: check.tags({ count: 15, length: 512 }),
    ...checkOptions(check),
  };
  checkLifetime(check, inputs);
  if (inputs.adopt === true && olds.name === undefined && check.failures.length === 0) {
    await checkAdoption(check, vaultUrl, name);
  }
  return { inputs: sealed(inputs), failures: check.failures };
}

/** A secret that is to be adopted has to be there, and not a certificate's: told in the preview, at the price of a request. */
async function checkAdoption(check: InputCheck, vaultUrl: string | undefined, name: string | undefined): Promise<void> {
  if (vaultUrl === undefined || name === undefined || isUnknown(vaultUrl) || isUnknown(name)) return;
  const secret = secretObject(await vaultClient(vaultUrl), { vaultUrl, name });
  const bundle = await secret.current();
  if (bundle?.managed) check.failUnnamed(secretOfCertificate({ name, vaultUrl }).message);
  if (bundle || (await secret.deleted())) return;
  check.failUnnamed(`KV_NOT_FOUND: there is no secret "${name}" to adopt in ${vaultUrl}, and no deleted one either`);
}

/** A pipeline without the value: the secret is to have the one that it has. */
function sealedDigest(
  check: InputCheck,
  olds: Properties,
  recorded: string,
  { vaultUrl, name }: { vaultUrl: string | undefined; name: string | undefined },
): string {
  const address = { vaultUrl: String(olds.vaultUrl), name: String(olds.name) };
  if (vaultUrl !== address.vaultUrl || name !== address.name) {
    check.failUnnamed(
      `the secret would be replaced, since its vault or name changes, and its value is not at hand: run where the program has it`,
    );
  }
  return expectedSealed(objectId("secrets", address)) ?? recorded;
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
