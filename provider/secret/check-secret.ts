import { InputCheck } from "../engine/input-check.js";
import type { CheckFailure, Properties } from "../engine/lifecycle.js";
import { isManagedHsm } from "../keyvault/identifier.js";
import { checkAdoption, checkDeclaration } from "../object/check-declaration.js";
import { checkEnabled, checkLifetime, checkOptions, checkTags } from "../object/check-options.js";
import { leavesRestToVault } from "../object/object-inputs.js";
import { withFindingsAccepted } from "../object/observed-drift.js";
import { checkRestoreSource } from "../object/restore-source.js";
import { checkCredential } from "../vault/check-credential.js";
import { checkObjectName, checkVaultUrl } from "../vault/object-address.js";
import { checkSecretSource } from "./check-secret-source.js";
import { sealed } from "./secret-attributes.js";
import { secretObject } from "./secret-object.js";

const PROPERTIES = [
  "vaultUrl",
  "name",
  "autoName",
  "claimant",
  "owner",
  "value",
  "valueDigest",
  "generate",
  "valueDrift",
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
  "previousVersions",
  "timeouts",
  "credential",
];

/** Turns a program's inputs of a Secret into their normal form, the value left out, and reports all problems at once. */
export async function checkSecret(
  olds: Properties,
  news: Properties,
): Promise<{ inputs: Properties; failures: CheckFailure[] }> {
  const check = new InputCheck(withFindingsAccepted(news, olds), PROPERTIES);
  const vaultUrl = checkVaultUrl(check, olds);
  if (isManagedHsm(vaultUrl)) check.fail("vaultUrl", "is a Managed HSM, and a Managed HSM holds no secrets");
  const restored = checkRestoreSource(check, olds, "secret");
  const name = checkObjectName(check, olds, "secret", restored.name);
  checkDeclaration(check, olds, "secret", { vaultUrl, name });
  const adopt = check.boolean("adopt") === true ? true : undefined;
  const isSpelled = leavesRestToVault({ ...restored.inputs, adopt });
  const inputs = {
    __provider: news.__provider,
    vaultUrl,
    name,
    ...restored.inputs,
    adopt,
    valueDrift: checkValueDrift(check),
    ...(await checkSecretSource(check, olds, { vaultUrl, name })),
    contentType: check.text("contentType", { pattern: /^[\s\S]{1,255}$/, what: "text of 1 to 255 characters" }),
    enabled: checkEnabled(check, isSpelled),
    notBefore: check.moment("notBefore"),
    expiresOn: check.moment("expiresOn"),
    tags: checkTags(check, olds, { length: 512, isSpelled }),
    ...checkOptions(check),
    credential: await checkCredential(check),
  };
  checkLifetime(check, inputs);
  if (inputs.adopt === true && olds.name === undefined && check.failures.length === 0) {
    await checkAdoption(check, secretObject, { vaultUrl, name, credential: inputs.credential });
  }
  return { inputs: sealed(inputs), failures: check.failures };
}

function checkValueDrift(check: InputCheck): false | string | undefined {
  const valueDrift = check.boolean("valueDrift");
  return valueDrift === true ? undefined : (valueDrift as false | string | undefined);
}
