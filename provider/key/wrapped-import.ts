import { describeValue } from "../engine/described-value.js";
import { type InputCheck, isRecord } from "../engine/input-check.js";
import { runClock } from "../engine/run-clock.js";
import { isUnknown } from "../engine/unknown.js";
import { isKeyVaultError, KeyVaultError } from "../keyvault/errors.js";
import type { KeyBundle } from "../keyvault/key-bundle.js";
import { type ExchangeKeyFacts, exchangeKeyProblem } from "../material/exchange-key.js";
import type { ExchangeKey } from "../material/transfer-blob.js";
import type { VaultObject } from "../object/vault-object.js";
import { type NamedVersion, type ObjectAddress, objectLabel, parseObjectId } from "../vault/object-address.js";
import { isSameVault, vaultIdentity } from "../vault/vault-identity.js";

/** The key exchange key that an import names, as far as the program knows it. */
export interface WrapWith {
  /** Undefined in a preview that is still to make it. */
  key?: NamedVersion;
  facts: ExchangeKeyFacts;
}

/** Waits between `check` and the import, by what is imported, as its material does. Ids alone. */
const exchangeKeys = new Map<string, WrapWith>();

const place = ({ vaultUrl, name }: ObjectAddress) => `${vaultIdentity(vaultUrl)} ${name.toLowerCase()}`;

/** Remembers with which key the next version of a key is wrapped; undefined: with none. */
export function keepExchangeKey(address: ObjectAddress, wrapWith: WrapWith | undefined): void {
  if (wrapWith === undefined) exchangeKeys.delete(place(address));
  else exchangeKeys.set(place(address), wrapWith);
}

export function exchangeKeyFor(address: ObjectAddress): WrapWith | undefined {
  return exchangeKeys.get(place(address));
}

/** Reads `import.wrapWith`: the id of a key, or what the SDK makes of a Key. Undefined, and told, where it is neither. */
export function readWrapWith(check: InputCheck, given: unknown): WrapWith | undefined {
  const { id, version, ...facts } = isRecord(given) ? given : { id: given, version: undefined };
  if (isUnknown(id)) return { facts };
  if (typeof id !== "string" || id === "") {
    const is = id === "" ? "empty: what should name it has no value" : describeValue(given);
    check.failUnnamed(`KV_INVALID_INPUT: import: wrapWith must be a Key or the id of a key, and is ${is}`);
    return undefined;
  }
  try {
    const key = parseObjectId("keys", id);
    return { key: typeof version === "string" && !isUnknown(version) ? { ...key, version } : key, facts };
  } catch (error) {
    check.failUnnamed(
      `KV_INVALID_INPUT: import: wrapWith: ${error instanceof Error ? error.message : "is no id of a key"}`,
    );
    return undefined;
  }
}

/**
 * Refuses an exchange key that cannot do it, as far as it is known before anything is asked.
 *
 * @param isNeeded whether this run makes a version: an exchange key lives for 48 hours, and the key that it brought on.
 */
export function checkWrapWith(
  check: InputCheck,
  { key, facts }: WrapWith,
  { vaultUrl, isNeeded }: { vaultUrl: unknown; isNeeded: boolean },
): void {
  if (check.news.hardwareProtected === false) {
    check.fail(
      "hardwareProtected",
      "is false, and what is wrapped for a vault can only be kept in its HSM: leave it out",
    );
  }
  if (!isNeeded) return;
  if (
    key !== undefined &&
    typeof vaultUrl === "string" &&
    !isUnknown(vaultUrl) &&
    !isSameVault(key.vaultUrl, vaultUrl)
  ) {
    check.failUnnamed(
      `KV_INVALID_INPUT: import: wrapWith names a key in ${key.vaultUrl}, and only an exchange key in ${vaultUrl} itself can open what is imported there`,
    );
    return;
  }
  const known = Object.fromEntries(Object.entries(facts).filter(([, fact]) => !isUnknown(fact)));
  const found = exchangeKeyProblem(known, runClock.now());
  if (found === undefined) return;
  const label = key === undefined ? "the key" : objectLabel("key", key);
  check.failUnnamed(
    `KV_INVALID_INPUT: import: wrapWith: ${label} cannot be used: ${found.problem}. To mend it, ${found.remedy}`,
  );
}

/**
 * Reads the exchange key right before the import. Needs keys/get.
 *
 * @throws KeyVaultError `KV_INVALID_INPUT` where it cannot do it: nothing was sent then
 */
export async function readExchangeKey(
  { client, deadline, label: imported }: VaultObject<KeyBundle>,
  { key }: WrapWith,
): Promise<ExchangeKey> {
  if (key === undefined) {
    throw new KeyVaultError("KV_INVALID_INPUT", `import of ${imported} was not sent: its exchange key is not known`, {
      hint: "run it again: what wrapWith names has to be there first.",
    });
  }
  const label = objectLabel("key", key);
  const refuse = (why: string, hint: string) =>
    new KeyVaultError("KV_INVALID_INPUT", `import of ${imported} was not sent: its exchange key, ${label}, ${why}`, {
      objectName: key.name,
      hint,
    });
  let bundle: KeyBundle;
  try {
    bundle = await client.getKey(key.name, key.version, deadline.call);
  } catch (error) {
    // Said of the exchange key: of the key that is imported it says nothing.
    if (isKeyVaultError(error, "KV_NOT_FOUND"))
      throw refuse("is not there", "check wrapWith; a deleted key has to be recovered first.");
    throw error;
  }
  const found = exchangeKeyProblem(bundle, runClock.now());
  if (found !== undefined) throw refuse(`cannot be used: ${found.problem}`, `${found.remedy}.`);
  return { id: bundle.id, publicKey: bundle.publicKey };
}
