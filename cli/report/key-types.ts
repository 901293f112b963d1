import { inParallel } from "../../provider/engine/worker-pool.js";
import type { KeyVaultClient } from "../../provider/keyvault/client.js";
import type { KeyBundle } from "../../provider/keyvault/key-bundle.js";
import { isForbiddenToCaller } from "../../provider/object/current-version.js";
import type { ListedObject } from "../inventory/vault-listing.js";
import { ALL_NAMES, type UnreadObject, unreadObject } from "../vault/unread-object.js";

const LANES = 16;

/**
 * Type and size of each key, which lists do not tell: one request a key. Where keys may be listed and not read, all stay
 * without, and the report says so once.
 */
export async function keyTypes(
  client: KeyVaultClient,
  objects: readonly ListedObject[],
  unread: UnreadObject[],
): Promise<Map<string, string>> {
  const types = new Map<string, string>();
  const names = objects.filter(({ kind, state }) => kind === "key" && state !== "deleted").map(({ name }) => name);
  let isForbidden = false;
  await inParallel(names, LANES, async (name) => {
    if (isForbidden) return;
    try {
      types.set(name, describeType(await client.getKey(name)));
    } catch (error) {
      if (isForbidden) return;
      isForbidden = isForbiddenToCaller(error);
      unread.push(unreadObject("keys", isForbidden ? ALL_NAMES : name, error));
    }
  });
  return types;
}

/** `RSA 2048`, `EC-HSM P-256`, `oct-HSM`. */
function describeType({ keyType, publicKey }: KeyBundle): string {
  const { crv, n } = publicKey;
  if (typeof crv === "string") return `${keyType} ${crv}`;
  if (typeof n !== "string") return keyType;
  const bytes = Buffer.from(n, "base64url");
  const lead = bytes.findIndex((byte) => byte !== 0);
  return `${keyType} ${(bytes.length - Math.max(lead, 0)) * 8}`;
}
