import type { Properties } from "../engine/lifecycle.js";
import { pickDefined } from "../engine/normal-form.js";
import type { SecretBundle } from "../keyvault/secret-bundle.js";
import {
  attributesBefore,
  differingAttributes,
  pickAttributes,
  targetAttributes,
  undeclaredAttributes,
} from "../object/attributes.js";
import { ownerInThisRun } from "../object/declared-objects.js";
import { makeNextVersion } from "../object/make-version.js";
import { leavesRestToVault } from "../object/object-inputs.js";
import { OperationDeadline } from "../object/operation-deadline.js";
import { ownerOf } from "../object/owner-tag.js";
import { patchVersion } from "../object/patch-version.js";
import { vaultClient } from "../vault/vault-access.js";
import { laterMembers, readSecretInputs, readSecretOutputs } from "./recorded-secret.js";
import { SECRET_ATTRIBUTES, sealed, secretOutputs } from "./secret-attributes.js";
import type { SecretAttributes, SecretFacts, SecretInputs, SecretOutputs } from "./secret-inputs.js";
import { SECRET } from "./secret-kind.js";
import { secretObject } from "./secret-object.js";

/** A look and one request for a new value, one for changed attributes, none where only behaviour options changed. */
export async function updateSecret(_id: string, olds: Properties, news: Properties): Promise<{ outs: Properties }> {
  const recorded = readSecretOutputs(olds);
  const inputs = readSecretInputs(news);
  const later = laterMembers(recorded);
  const object = secretObject(
    await vaultClient(inputs.vaultUrl),
    inputs,
    new OperationDeadline(inputs.timeouts?.update),
  );
  const owner = SECRET.owner(inputs, ownerInThisRun("secret", inputs, recorded.ownerToken));
  const declared = pickAttributes<SecretAttributes>(SECRET_ATTRIBUTES, inputs);
  const changed = differingAttributes(
    SECRET_ATTRIBUTES,
    attributesBefore<SecretAttributes>(SECRET_ATTRIBUTES, recorded, declared),
    declared,
  ).filter((attribute) => declared[attribute] !== undefined || !leavesRestToVault(inputs));

  const mustClear = changed.some(
    (attribute) => SECRET_ATTRIBUTES.clearedByVersion.includes(attribute) && declared[attribute] === undefined,
  );
  const hasNewValue = inputs.valueDigest !== undefined && inputs.valueDigest !== recorded.valueDigest;
  if (hasNewValue || mustClear) {
    const bundle = await makeNextVersion(SECRET, object, inputs, {
      // A digest that is lost from state tells nothing: the version that is known may be the one.
      known: recorded.valueDigest === undefined ? undefined : recorded.version,
      owner,
      attributesOver: (current) =>
        targetAttributes(
          SECRET_ATTRIBUTES,
          inputs,
          current === undefined ? recorded.found : SECRET_ATTRIBUTES.observed(current, inputs),
        ),
    });
    return { outs: { ...later, ...written(inputs, bundle, owner?.token) } };
  }
  if (changed.length > 0) {
    const isToMark = owner !== undefined && recorded.ownerToken === undefined && mayMark(recorded, inputs);
    if (isToMark && !changed.includes("tags")) changed.push("tags");
    const mark = isToMark || recorded.ownerToken !== undefined ? owner : undefined;
    const bundle = await patchVersion(SECRET, object, recorded, { changed, target: declared, owner: mark });
    return { outs: { ...later, ...written(inputs, bundle, owner?.token ?? recorded.ownerToken) } };
  }
  return { outs: { ...later, ...unwritten(recorded, inputs) } };
}

/** A PATCH replaces all tags: only where the program says what they are, or there are none of others, may it add our mark. */
function mayMark(recorded: SecretOutputs, inputs: SecretInputs): boolean {
  if (inputs.tags === undefined && leavesRestToVault(inputs)) return false;
  return Object.keys(inputs.tags ?? recorded.tags ?? {}).length < 15;
}

function written(inputs: SecretInputs, bundle: SecretBundle, token: string | undefined): Properties {
  const declared = pickAttributes<SecretAttributes>(SECRET_ATTRIBUTES, inputs);
  const found = leavesRestToVault(inputs)
    ? undeclaredAttributes(SECRET_ATTRIBUTES, SECRET_ATTRIBUTES.observed(bundle), declared)
    : undefined;
  const isOurs = token !== undefined && ownerOf(bundle.tags)?.token === token;
  return secretOutputs(inputs, bundle, { ...(found ? { found } : {}), ...(isOurs ? { ownerToken: token } : {}) });
}

const FACTS = [
  "version",
  "createdOn",
  "updatedOn",
  "recoveryLevel",
  "recoverableDays",
  "ownerToken",
] as const satisfies readonly (keyof SecretFacts)[];

/** Nothing was written: the vault is as it was recorded. */
function unwritten(recorded: SecretOutputs, inputs: SecretInputs): Properties {
  const declared = pickAttributes<SecretAttributes>(SECRET_ATTRIBUTES, inputs);
  const before = { ...recorded.found, ...pickAttributes<SecretAttributes>(SECRET_ATTRIBUTES, recorded) };
  const found = leavesRestToVault(inputs) ? undeclaredAttributes(SECRET_ATTRIBUTES, before, declared) : undefined;
  return sealed({ ...inputs, ...pickDefined(recorded, FACTS), ...(found ? { found } : {}) });
}
