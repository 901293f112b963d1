import { KeyVaultError } from "../keyvault/errors.js";

/** The refusal of an update whose secret would have to lose what only a new version of the same value is without. */
export function cannotRepeat(label: string, why: string): KeyVaultError {
  return new KeyVaultError(
    "KV_INVALID_INPUT",
    `an attribute of ${label} cannot be removed: only a new version is without it, and the generated value that it would repeat ${why}`,
    { hint: "change generate.keepers, which makes a new value, or keep the attribute" },
  );
}
