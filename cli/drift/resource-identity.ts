import { objectLabel } from "../../provider/vault/object-address.js";
import type { Properties } from "./property-values.js";

/** A resource as a report names it. */
export interface ResourceIdentity {
  urn: string;
  /** Such as `Key`, the last part of the type. */
  type: string;
  /** The name in the program. */
  name: string;
  /** In a report of several stacks. */
  stack?: string;
  /** What it is in the vault, for the types of this package. */
  object?: { kind: string; name: string; vaultUrl: string };
}

/** Through either door. */
const OURS = /^(?:pulumi-nodejs:dynamic\/keyvault:|keyvault:index:)(\w+)$/;

export function identify(urn: string, inputs: Properties | null | undefined): ResourceIdentity {
  const [qualifiedType = "", ...rest] = urn.split("::").slice(2);
  const fullType = qualifiedType.split("$").at(-1) ?? qualifiedType;
  const type = fullType.split(":").at(-1) ?? fullType;
  const object = OURS.test(fullType) ? objectOf(type, inputs ?? {}) : undefined;
  return { urn, type, name: rest.join("::"), ...(object ? { object } : {}) };
}

/** True for the resource types of this package. */
export function isKeyVaultType({ urn }: { urn: string }): boolean {
  return OURS.test((urn.split("::")[2] ?? "").split("$").at(-1) ?? "");
}

function objectOf(type: string, { vaultUrl, name }: Properties): ResourceIdentity["object"] {
  if (typeof vaultUrl !== "string") return undefined;
  const isOfVault = type === "VaultBackup" || type === "KeySet" || type.endsWith("Inventory");
  const kind = isOfVault ? "vault" : type.startsWith("Secret") ? "secret" : type.startsWith("Key") ? "key" : "vault";
  return { kind, name: typeof name === "string" ? name : "", vaultUrl };
}

/** `Key signing (key "orders" in https://contoso.vault.azure.net)`. */
export function describeResource({ type, name, stack, object }: ResourceIdentity): string {
  const resource = `${stack === undefined ? "" : `${stack}: `}${type} ${name}`;
  return object ? `${resource} (${describeObject(object)})` : resource;
}

export function describeObject({ kind, name, vaultUrl }: NonNullable<ResourceIdentity["object"]>): string {
  return name === "" || kind === "vault" ? vaultUrl : objectLabel(kind, { vaultUrl, name });
}
