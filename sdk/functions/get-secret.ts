import * as pulumi from "@pulumi/pulumi";
import {
  getSecret as readSecret,
  getSecretMetadata as readSecretMetadata,
} from "../../provider/functions/get-secret.js";
import type { SecretMetadata } from "../../provider/functions/object-facts.js";
import {
  callFunction,
  type FunctionOptions,
  type FunctionOutputOptions,
  functionOutput,
  type InputsOf,
  namedObject,
  type ObjectName,
} from "./function-call.js";

/** The secret, and which of its versions. */
export type GetSecretArgs = ObjectName & {
  /** 32 hex digits. Default: that of the id, else the current one. */
  version?: string;
};
export type GetSecretOutputArgs = InputsOf<GetSecretArgs>;

export type GetSecretMetadataArgs = GetSecretArgs;
export type GetSecretMetadataOutputArgs = InputsOf<GetSecretMetadataArgs>;
export type GetSecretMetadataResult = SecretMetadata;

/** One version of a secret. */
export interface GetSecretResult extends SecretMetadata {
  /** A secret Output: whatever is made of it is secret too, and Pulumi encrypts it wherever the program puts it. */
  value: pulumi.Output<string>;
}

/**
 * Reads a secret, by default its current version: one request, in a preview too. Its value is a secret Output, and is
 * in no state and no log unless the program puts it there. Needs secrets/get.
 *
 * Throws {@link KeyVaultError}: `KV_NOT_FOUND`, `KV_DELETED_RECOVERABLE` for a deleted secret, `KV_FORBIDDEN` (with
 * `innerCode` `SecretDisabled` for a disabled version).
 * @see https://learn.microsoft.com/rest/api/keyvault/secrets/get-secret/get-secret
 */
export async function getSecret(args: GetSecretArgs, options?: FunctionOptions): Promise<GetSecretResult> {
  const read = await readValue(args, options);
  return { ...read, value: pulumi.secret(read.value) };
}

/**
 * As {@link getSecret}, of arguments that are known later. The whole result is secret, as with every provider: use
 * {@link getSecretMetadataOutput} for what is none.
 */
export function getSecretOutput(
  args: GetSecretOutputArgs,
  options?: FunctionOutputOptions,
): pulumi.Output<SecretMetadata & { value: string }> {
  return pulumi.secret(functionOutput(args as pulumi.Input<GetSecretArgs>, options, readValue));
}

function readValue(args: GetSecretArgs, options?: FunctionOptions): Promise<SecretMetadata & { value: string }> {
  return callFunction("getSecret", args, async () => {
    const { asked, vault } = namedObject("secrets", "getSecret", args, options);
    return readSecret(asked, vault);
  });
}

/**
 * Reads all of a secret but its value, by default of its current version, of a disabled one too: one request for each
 * 25 versions, in a preview too. Needs secrets/list alone, as Key Vault Reader has it.
 *
 * Throws {@link KeyVaultError} as {@link getSecret}, and `KV_CONFLICT` where two versions were made within one second:
 * the list, which is in no order, does not say which of them is the current one.
 * @see https://learn.microsoft.com/rest/api/keyvault/secrets/get-secret-versions/get-secret-versions
 */
export function getSecretMetadata(
  args: GetSecretMetadataArgs,
  options?: FunctionOptions,
): Promise<GetSecretMetadataResult> {
  return callFunction("getSecretMetadata", args, async () => {
    const { asked, vault } = namedObject("secrets", "getSecretMetadata", args, options);
    return readSecretMetadata(asked, vault);
  });
}

/** As {@link getSecretMetadata}, of arguments that are known later. */
export function getSecretMetadataOutput(
  args: GetSecretMetadataOutputArgs,
  options?: FunctionOutputOptions,
): pulumi.Output<GetSecretMetadataResult> {
  return functionOutput(args as pulumi.Input<GetSecretMetadataArgs>, options, getSecretMetadata);
}
