import { tell } from "../engine/progress.js";
import type { KeyVaultClient } from "../keyvault/client.js";
import { isKeyVaultError } from "../keyvault/errors.js";
import type { KeyBundle, KeyRotationPolicy } from "../keyvault/key-bundle.js";
import type { VaultObject } from "../object/vault-object.js";

/** A server without rotation policies may answer each read of one with 5xx: it keeps an operation no longer than that. */
const POLICY_TIMEOUT_MS = 3_000;
/** Where one could not be read, the others are not waited for as long: each would take the time of its repetitions. */
const NEXT_POLICY_TIMEOUT_MS = 2_000;
/** The caller may not see it, there is none, or the server has none to show. */
const HIDDEN: ReadonlySet<string> = new Set(["KV_FORBIDDEN", "KV_NOT_FOUND", "KV_INVALID_INPUT"]);
const withUnreadPolicies = new WeakSet<KeyVaultClient>();
/** What is said of one policy of a vault is said for all. */
const told = new WeakSet<KeyVaultClient>();

/** Undefined where the reader may not see policies, the server has none, or it cannot tell at the moment. */
export async function rotationPolicyOf({
  client,
  address,
  deadline,
  label,
}: VaultObject<KeyBundle>): Promise<KeyRotationPolicy | undefined> {
  const limit = withUnreadPolicies.has(client) ? NEXT_POLICY_TIMEOUT_MS : POLICY_TIMEOUT_MS;
  const { timeoutMs = limit } = deadline.call;
  try {
    const policy = await client.getKeyRotationPolicy(address.name, { timeoutMs: Math.min(timeoutMs, limit) });
    withUnreadPolicies.delete(client);
    return policy;
  } catch (error) {
    if (!isKeyVaultError(error)) throw error;
    if (HIDDEN.has(error.code)) return undefined;
    if (!["KV_UNAVAILABLE", "KV_PROTOCOL", "KV_TIMEOUT"].includes(error.code)) throw error;
    withUnreadPolicies.add(client);
    if (!told.has(client)) {
      tell(
        `the rotation policy of ${label} could not be read, and is left out, as others will be without another word: ${error.message}`,
      );
    }
    told.add(client);
    return undefined;
  }
}
