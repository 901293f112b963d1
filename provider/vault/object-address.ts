import { describeText, describeValue } from "../engine/described-value.js";
import type { InputCheck } from "../engine/input-check.js";
import type { Properties } from "../engine/lifecycle.js";
import { isUnknown } from "../engine/unknown.js";
import { settingsProblems, vaultSettings } from "../engine/vault-settings.js";
import { KeyVaultError } from "../keyvault/errors.js";
import { isValidObjectName, parseVaultUrl } from "../keyvault/identifier.js";
import { EMBEDDED, isEmbedded, isHomePath, isSameVault } from "./vault-identity.js";

/** Where an object lives: the vault's URL in normal form, and the name in it. */
export interface ObjectAddress {
  vaultUrl: string;
  name: string;
  /** The resource's own way to sign in, where it has one. */
  credential?: string | undefined;
}

/** `key "orders" in https://v.vault.azure.net`, the subject of messages and reports. */
export function objectLabel(kind: string, { vaultUrl, name }: ObjectAddress): string {
  return `${kind} "${name}" in ${vaultUrl}`;
}

/**
 * The vault of a resource: its own `vaultUrl`, else the stack's `keyvault:vaultUrl`, else `AZURE_KEYVAULT_URL`.
 * Reports a missing or malformed one and returns undefined.
 */
export function checkVaultUrl(check: InputCheck, olds: Properties = {}): string | undefined {
  for (const problem of settingsProblems()) check.failUnnamed(`KV_INVALID_INPUT: ${problem}`);
  const given = check.news.vaultUrl ?? vaultSettings().vaultUrl;
  if (given === "") {
    check.failUnnamed("vaultUrl is empty: name the vault, or leave vaultUrl out to take the stack's keyvault:vaultUrl");
    return undefined;
  }
  if (given === undefined || given === null) {
    check.failUnnamed(
      "no vault URL: set vaultUrl on the resource, or `pulumi config set keyvault:vaultUrl https://NAME.vault.azure.net`, or AZURE_KEYVAULT_URL",
    );
    return undefined;
  }
  if (isUnknown(given)) return given as string;
  // A state of before may have one.
  if (typeof given === "string" && given !== olds.vaultUrl && isHomePath(given)) {
    check.failUnnamed("vaultUrl: a shell reads ~, a program does not: give the path of the embedded vault without it");
    return undefined;
  }
  const vaultUrl = readVaultUrl(check, given);
  // Another spelling of the same vault is no change: the recorded one stays.
  return typeof olds.vaultUrl === "string" && isSameVault(olds.vaultUrl, vaultUrl) ? olds.vaultUrl : vaultUrl;
}

/** In normal form; undefined, and told, where it is none. */
function readVaultUrl(check: InputCheck, given: unknown): string | undefined {
  if (typeof given !== "string") {
    check.fail("vaultUrl", `must be the URL of a vault, and is ${describeValue(given)}`);
    return undefined;
  }
  if (isEmbedded(given)) {
    const path = given.slice(EMBEDDED.length);
    if (path.length > 4096 || /\p{C}/u.test(path)) {
      check.failUnnamed(`vaultUrl: what follows "embedded:" is no path of a file (${describeText(path)})`);
      return undefined;
    }
    if (path !== "") return given;
    check.failUnnamed('vaultUrl: "embedded:" needs a file, such as "embedded:./dev.vault", or "embedded:memory"');
    return undefined;
  }
  try {
    return parseVaultUrl(given);
  } catch (error) {
    check.fail("vaultUrl", error instanceof Error ? error.message : "must be the URL of a vault");
    return undefined;
  }
}

/**
 * The name of a resource's object: the program's, else the one in state, else that of the backup to restore, else the
 * automatic one. A name that
 * differs from the one in state only in case is the same object, and keeps its case.
 */
export function checkObjectName(
  check: InputCheck,
  olds: Properties,
  what: "key" | "secret",
  ofBackup?: string,
): string | undefined {
  const recorded = typeof olds.name === "string" ? olds.name : undefined;
  const given = check.news.name ?? recorded ?? ofBackup ?? check.news.autoName;
  if (isUnknown(given)) return given as string;
  if (given === undefined || given === null) {
    check.failUnnamed(`name is needed: which ${what} it is`);
    return undefined;
  }
  if (typeof given !== "string" || !isValidObjectName(given)) {
    check.fail("name", `must be a ${what} name: 1 to 127 letters, digits or hyphens`);
    return undefined;
  }
  return recorded !== undefined && recorded.toLowerCase() === given.toLowerCase() ? recorded : given;
}

/** Pulumi's id of an object: its versionless URL. */
export function objectId(collection: "keys" | "secrets", address: ObjectAddress): string {
  return `${address.vaultUrl}/${collection}/${address.name}`;
}

/** An address, and the version where an id names one. */
export interface NamedVersion extends ObjectAddress {
  version?: string;
}

const idOf = (collection: string) =>
  new RegExp(
    `^(?<vaultUrl>https?://[^/\\s]+|embedded:[^\\r\\n]+)/${collection}/(?<name>[0-9a-zA-Z-]{1,127})(?:/(?<version>[0-9a-zA-Z]{1,64}))?/?$`,
    "i",
  );
const ID = { keys: idOf("keys"), secrets: idOf("secrets") };

/**
 * What an id names: `https://v.vault.azure.net/keys/orders`, with or without a version behind it.
 *
 * @throws KeyVaultError `KV_INVALID_INPUT`; of text that is no id it repeats nothing, which may be a secret in the wrong place
 */
export function parseObjectId(collection: "keys" | "secrets", id: string): NamedVersion {
  const { vaultUrl, name, version } = ID[collection].exec(id)?.groups ?? {};
  if (vaultUrl === undefined || name === undefined) {
    const other = collection === "keys" ? "secrets" : "keys";
    const why = ID[other].test(id)
      ? `The id is that of one of a vault's ${other}, not of its ${collection}`
      : `This is not the id of one of a vault's ${collection}: ${describeText(id)}`;
    throw new KeyVaultError("KV_INVALID_INPUT", why, { hint: `use the form https://<vault>/${collection}/<name>` });
  }
  return {
    vaultUrl: isEmbedded(vaultUrl) ? vaultUrl : parseVaultUrl(vaultUrl),
    name,
    ...(version === undefined ? {} : { version }),
  };
}

/**
 * The address in the id of a resource, which is versionless: a resource is the object with all its versions.
 *
 * @throws KeyVaultError `KV_INVALID_INPUT`, for a versioned id too: what would be read is the current version, not that one
 */
export function addressOfId(collection: "keys" | "secrets", id: string): ObjectAddress {
  const { version, ...address } = parseObjectId(collection, id);
  if (version !== undefined) throw versionedId(collection, objectId(collection, address));
  return address;
}

/** @param id the versionless one */
export function versionedId(collection: "keys" | "secrets", id: string): KeyVaultError {
  const reader = collection === "keys" ? "getKeyVersion" : "getSecret";
  return new KeyVaultError(
    "KV_INVALID_INPUT",
    "The id names a version, and a resource is the object with all its versions",
    {
      hint: `give ${id}, or read that version with ${reader}`,
    },
  );
}

export function sameObject(a: Properties, b: Properties): boolean {
  return isSameVault(a.vaultUrl, b.vaultUrl) && nameKey(a.name) === nameKey(b.name);
}

/** Names are without case. What state holds in the place of one may be anything, and then is only the same as itself. */
function nameKey(name: unknown): unknown {
  return typeof name === "string" ? name.toLowerCase() : name;
}
