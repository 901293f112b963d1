import * as pulumi from "@pulumi/pulumi";
import { type AskedVault, type ObjectReference, readReference } from "../../provider/functions/object-reference.js";
import { isKeyVaultError } from "../../provider/keyvault/errors.js";
import type { NamedVersion } from "../../provider/vault/object-address.js";
import { type ListOptions, listedVault } from "../list-options.js";

/** A key or a secret: its name in a vault, or its id. */
export type ObjectName =
  | {
      /** Default: the stack's `keyvault:vaultUrl`, else `AZURE_KEYVAULT_URL`. */
      vaultUrl?: string;
      name: string;
      id?: undefined;
    }
  | {
      /** In place of vault and name: `key.id`, `secret.id`. */
      id: string;
      vaultUrl?: undefined;
      name?: undefined;
    };

/** Its members as Outputs. */
export type InputsOf<T> = T extends unknown ? { [K in keyof T]: pulumi.Input<T[K]> } : never;

export interface FunctionOptions extends ListOptions {}

export interface FunctionOutputOptions extends FunctionOptions {
  /** Resources that have to be there before the vault is asked, beside those that the arguments come from. */
  dependsOn?: pulumi.Resource | pulumi.Resource[];
}

/** Finds the vault and the object that the arguments name. */
export function namedObject(
  collection: "keys" | "secrets",
  functionName: string,
  args: ObjectReference | undefined,
  options: FunctionOptions | undefined,
): { asked: NamedVersion; vault: AskedVault } {
  const { vaultUrl, ...object } = readReference(collection, functionName, args ?? {});
  const vault = listedVault(vaultUrl, options);
  const url = vault.vaultUrl ?? "";
  return { asked: { ...object, vaultUrl: url }, vault: { ...vault, vaultUrl: url } };
}

/**
 * Runs a function, so that Pulumi prints its refusal with the code and without a stack, which says nothing that the
 * message does not. In a unit test with Pulumi's mocks, the mock's `call` answers in the vault's place.
 */
export async function callFunction<R>(name: string, args: unknown, run: () => Promise<R>): Promise<R> {
  if (isMocked()) return (await pulumi.runtime.invoke(`keyvault:index:${name}`, { ...(args as object) })) as R;
  try {
    return await run();
  } catch (error) {
    if (isKeyVaultError(error) && !error.message.startsWith(error.code)) {
      error.message = `${error.code}: ${error.message}`;
      // Of an error of an Output, Pulumi prints the stack.
      Object.assign(error, { __pulumiRunError: true, stack: error.message });
    }
    throw error;
  }
}

/** Pulumi exports no way to ask. Its monitor in a unit test holds the mocks. */
function isMocked(): boolean {
  if (!pulumi.runtime.hasMonitor()) return false;
  const monitor: unknown = pulumi.runtime.getMonitor();
  return typeof monitor === "object" && monitor !== null && "mocks" in monitor;
}

/**
 * The form of a function that takes Outputs. In a preview it asks only what can be told: as long as an argument is
 * unknown, or a resource that one comes from (or in `dependsOn`) is still to be made, the result is unknown.
 */
export function functionOutput<A, R>(
  args: pulumi.Input<A>,
  { dependsOn, ...options }: FunctionOutputOptions = {},
  run: (args: A, options: FunctionOptions) => Promise<R>,
): pulumi.Output<R> {
  const given = pulumi.output(args) as pulumi.Output<A>;
  const waited = dependsOn === undefined ? [] : [dependsOn].flat();
  return pulumi.all([given, idsOf(given, waited)]).apply(([known]) => run(known as A, options)) as pulumi.Output<R>;
}

/** The ids of the resources that a value comes from: in a preview, the id of one that is still to be made is unknown. */
function idsOf(given: pulumi.Output<unknown>, waited: readonly pulumi.Resource[]): pulumi.Output<unknown> {
  const sources = (given as unknown as { allResources?: () => Promise<Set<pulumi.Resource>> }).allResources?.();
  return pulumi.output(
    Promise.resolve(sources).then((resources) =>
      [...(resources ?? []), ...waited].map((resource) =>
        pulumi.CustomResource.isInstance(resource) ? resource.id : resource.urn,
      ),
    ),
  );
}
