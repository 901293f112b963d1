import { KeyVaultError } from "../keyvault/errors.js";

/** What `.get` names is not there: the program counts on it, so it is an error where a refresh tells drift. */
export function missingObject({ label }: { label: string }): KeyVaultError {
  return new KeyVaultError("KV_NOT_FOUND", `${label} is not there to be read`, {
    hint: "check the vault and the name in the id; a deleted one has to be recovered first",
  });
}
