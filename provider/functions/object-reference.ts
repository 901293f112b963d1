import { describeValue } from "../engine/described-value.js";
import { KeyVaultError } from "../keyvault/errors.js";
import { isValidObjectName } from "../keyvault/identifier.js";
import type { ListedVault } from "../vault/listed-vault.js";
import { type NamedVersion, objectId, parseObjectId, versionedId } from "../vault/object-address.js";

/** Which vault is asked, and by whom. */
export type AskedVault = ListedVault & { vaultUrl: string };

/** How a caller names a key or a secret. What a program says is not what its types say, so everything may be anything. */
export interface ObjectReference {
  vaultUrl?: unknown;
  name?: unknown;
  version?: unknown;
  /** In place of the others: a URL, with or without a version. */
  id?: unknown;
}

/** An object that is named; without a vault, the stack's. */
export type ReferredObject = Omit<NamedVersion, "vaultUrl"> & { vaultUrl?: string };

/**
 * Which object a function is about.
 *
 * @throws KeyVaultError `KV_INVALID_INPUT`
 */
export function readReference(
  collection: "keys" | "secrets",
  functionName: string,
  { vaultUrl, name, version, id }: ObjectReference,
): ReferredObject {
  const kind = collection === "keys" ? "key" : "secret";
  const refuse = (why: string, hint: string) =>
    new KeyVaultError("KV_INVALID_INPUT", `${functionName} is refused: ${why}`, { hint });
  if (isGiven(id)) {
    if (isGiven(name) || isGiven(vaultUrl)) {
      throw refuse("an id names vault and object, and another name stands beside it", "give the one or the other.");
    }
    if (typeof id !== "string") throw refuse(`the id is ${describeValue(id)}`, OUTPUT_HINT);
    const { version: ofId, ...address } = parseObjectId(collection, id);
    const named = readVersion(refuse, version);
    if (ofId !== undefined && named !== undefined && ofId !== named) {
      throw refuse("the id names one version, and version another", "leave one of them out.");
    }
    const chosen = named ?? ofId;
    return { ...address, ...(chosen === undefined ? {} : { version: chosen }) };
  }
  if (!isGiven(name)) throw refuse(`no ${kind} is named`, "give its name, or its id.");
  if (typeof name !== "string") throw refuse(`the name is ${describeValue(name)}`, OUTPUT_HINT);
  if (!isValidObjectName(name)) {
    throw refuse(
      `that is no name of a ${kind}: ${describeValue(name)}`,
      "names are 1 to 127 letters, digits and hyphens.",
    );
  }
  if (isGiven(vaultUrl) && typeof vaultUrl !== "string") {
    throw refuse(`the vault's URL is ${describeValue(vaultUrl)}`, OUTPUT_HINT);
  }
  const named = readVersion(refuse, version);
  return {
    ...(typeof vaultUrl === "string" && vaultUrl !== "" ? { vaultUrl } : {}),
    name,
    ...(named === undefined ? {} : { version: named }),
  };
}

/** Of what reads the current version alone. @throws KeyVaultError `KV_INVALID_INPUT` where a version is named. */
export function withoutVersion(collection: "keys" | "secrets", { version, ...address }: NamedVersion): NamedVersion {
  if (version !== undefined) throw versionedId(collection, objectId(collection, address));
  return address;
}

export const OUTPUT_HINT = "an Output is known only later: use the function whose name ends in Output.";

function readVersion(refuse: (why: string, hint: string) => KeyVaultError, version: unknown): string | undefined {
  if (!isGiven(version)) return undefined;
  if (typeof version !== "string") throw refuse(`the version is ${describeValue(version)}`, OUTPUT_HINT);
  if (!/^[0-9a-zA-Z]{1,64}$/.test(version)) {
    throw refuse(`that is no version: ${describeValue(version)}`, "a version is 32 hex digits.");
  }
  return version;
}

const isGiven = (value: unknown) => value !== undefined && value !== null && value !== "";
