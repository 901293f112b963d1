import { KeyVaultError } from "../provider/keyvault/errors.js";

/**
 * A mistake that only a constructor can see. Thrown by it, Pulumi prints the message alone: the stack of a program's
 * error says nothing that the resource's name does not.
 */
export function refusal(resource: string, reason: string, hint: string): KeyVaultError {
  const error = new KeyVaultError("KV_INVALID_INPUT", `KV_INVALID_INPUT: ${resource} is refused: ${reason}`, { hint });
  return Object.assign(error, { __pulumiRunError: true });
}
