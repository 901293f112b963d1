import { isKeyVaultError, KeyVaultError } from "../../provider/keyvault/errors.js";

type Collection = "keys" | "secrets";

/**
 * Adds to the refusal of a list how the command does without it, for an identity that may see the other one alone. Any
 * other error is given back as it is.
 *
 * @param alone the options with which the command is about one collection
 */
export function withWayAround(error: unknown, alone: Record<Collection, string>): unknown {
  if (!isKeyVaultError(error, "KV_FORBIDDEN")) return error;
  const [, kind] = /^get(?:Deleted)?(Key|Secret)s$/.exec(error.operation ?? "") ?? [];
  if (kind === undefined) return error;
  const [refused, other]: Collection[] = kind === "Key" ? ["keys", "secrets"] : ["secrets", "keys"];
  if (refused === undefined || other === undefined) return error;
  return new KeyVaultError(error.code, `${error.message} Without ${refused}: ${alone[other]}.`);
}
