import { KeyVaultError } from "../keyvault/errors.js";
import { objectLabel } from "../vault/object-address.js";
import type { KeyInputs } from "./key-inputs.js";

/** The refusal of an update or a takeover whose key would have to lose what the service can move and not clear. */
export function cannotBeRemoved(inputs: KeyInputs, refused: readonly string[]): KeyVaultError {
  return new KeyVaultError(
    "KV_INVALID_INPUT",
    `${refused.join(" and ")} of ${objectLabel("key", inputs)} cannot be removed: the service can only move it, and only a new version is without it`,
    {
      hint:
        inputs.generate === undefined
          ? "run with the key material at hand, which makes a new version from it, or set a later moment"
          : "change generate.keepers, which makes a version of new material, or set a later moment",
    },
  );
}
