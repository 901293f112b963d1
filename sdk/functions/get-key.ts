import type * as pulumi from "@pulumi/pulumi";
import { getKey as readKey } from "../../provider/functions/get-key.js";
import type { GetKeyResult } from "../../provider/functions/object-facts.js";
import { withoutVersion } from "../../provider/functions/object-reference.js";
import { KeyVaultError } from "../../provider/keyvault/errors.js";
import {
  callFunction,
  type FunctionOptions,
  type FunctionOutputOptions,
  functionOutput,
  type InputsOf,
  namedObject,
  type ObjectName,
} from "./function-call.js";

export type { GetKeyResult } from "../../provider/functions/object-facts.js";

export type GetKeyArgs = ObjectName;
export type GetKeyOutputArgs = InputsOf<GetKeyArgs>;

/** The versioned id, or its parts. */
export type GetKeyVersionArgs = (Extract<ObjectName, { name: string }> & { version: string }) | VersionedId;
export type GetKeyVersionOutputArgs = InputsOf<GetKeyVersionArgs>;

interface VersionedId {
  /** Such as `key.versionId`, or `key.id` with a `version` beside it. */
  id: string;
  version?: string;
  vaultUrl?: undefined;
  name?: undefined;
}

/**
 * Reads the public half and the attributes of a key's current version: one request, in a preview too. Disabled and
 * expired keys are read like any other. Needs keys/get.
 *
 * Throws {@link KeyVaultError}: `KV_NOT_FOUND`, `KV_DELETED_RECOVERABLE` for a deleted key, `KV_FORBIDDEN`,
 * `KV_INVALID_INPUT` also for a versioned id, which {@link getKeyVersion} reads.
 * @see https://learn.microsoft.com/rest/api/keyvault/keys/get-key/get-key
 */
export function getKey(args: GetKeyArgs, options?: FunctionOptions): Promise<GetKeyResult> {
  return callFunction("getKey", args, async () => {
    const { asked, vault } = namedObject("keys", "getKey", args, options);
    return readKey(withoutVersion("keys", asked), vault);
  });
}

/** As {@link getKey}, of arguments that are known later. */
export function getKeyOutput(args: GetKeyOutputArgs, options?: FunctionOutputOptions): pulumi.Output<GetKeyResult> {
  return functionOutput(args as pulumi.Input<GetKeyArgs>, options, getKey);
}

/**
 * Reads one version of a key, current or not: one request, in a preview too. Needs keys/get. Errors as {@link getKey}.
 *
 * @see https://learn.microsoft.com/rest/api/keyvault/keys/get-key/get-key
 */
export function getKeyVersion(args: GetKeyVersionArgs, options?: FunctionOptions): Promise<GetKeyResult> {
  return callFunction("getKeyVersion", args, async () => {
    const { asked, vault } = namedObject("keys", "getKeyVersion", args, options);
    if (asked.version === undefined)
      throw new KeyVaultError("KV_INVALID_INPUT", "getKeyVersion is refused: no version is named", {
        hint: "give version, or a versioned id; getKey reads the current one.",
      });
    return readKey(asked, vault);
  });
}

/** As {@link getKeyVersion}, of arguments that are known later. */
export function getKeyVersionOutput(
  args: GetKeyVersionOutputArgs,
  options?: FunctionOutputOptions,
): pulumi.Output<GetKeyResult> {
  return functionOutput(args as pulumi.Input<GetKeyVersionArgs>, options, getKeyVersion);
}
