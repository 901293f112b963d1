import { createHash } from "node:crypto";
import { canonicalJson } from "../engine/normal-form.js";
import { tell } from "../engine/progress.js";
import { inParallel } from "../engine/worker-pool.js";
import type { CallOptions, KeyVaultClient } from "../keyvault/client.js";
import { isKeyVaultError, type KeyVaultError } from "../keyvault/errors.js";
import type { KeyRotationPolicy } from "../keyvault/key-bundle.js";
import { formatPermissionHint } from "../keyvault/permission-hint.js";
import type { InventoryContents } from "./look-at-vault.js";

const ROTATION_LANES = 16;
/** A server without rotation policies may answer each of these with 5xx, and keeps an inventory no longer than that. */
const POLICY_TIMEOUT_MS = 20_000;
/** After so many policies that could not be read, no other is asked for. */
const MOST_UNREAD = 3;

/** One request a key. A policy that cannot be read is left out and told: it is optional, and ends no inventory. */
export async function lookAtRotation(client: KeyVaultClient, contents: InventoryContents): Promise<void> {
  const watched = [...contents.seen.values()].filter(({ ofCertificate }) => !ofCertificate);
  let unread = 0;
  let failure: KeyVaultError | undefined;
  await inParallel(watched, ROTATION_LANES, async (key) => {
    // Where some cannot be read the others cannot either, and each would take the time of its repetitions.
    if (failure && (failure.code === "KV_FORBIDDEN" || unread >= MOST_UNREAD)) {
      unread++;
      return;
    }
    try {
      const policy = await policyOf(client, key.name, { timeoutMs: POLICY_TIMEOUT_MS });
      if (!policy) return;
      key.rotation = policyDigest(policy);
      if (!isRotating(policy)) contents.withoutRotation.push(key.name);
    } catch (error) {
      if (!isKeyVaultError(error, "KV_FORBIDDEN") && !isUnreadPolicy(error)) throw error;
      failure = failure?.code === "KV_FORBIDDEN" ? failure : error;
      unread++;
    }
  });
  if (!failure) return;
  contents.unread.push("withoutRotation");
  if (failure.code === "KV_FORBIDDEN") {
    contents.withoutRotation = [];
    tell(
      `the rotation policies of ${client.vaultUrl} may not be read: ${formatPermissionHint("getKeyRotationPolicy", client.plane)}`,
    );
  } else {
    tell(`the rotation policies of ${unread} keys of ${client.vaultUrl} are left out: ${failure.message}`);
  }
}

/** Failures that say nothing of the key and do not keep the vault from being listed. */
export function isUnreadPolicy(error: unknown): error is KeyVaultError {
  return isKeyVaultError(error, "KV_UNAVAILABLE") || isKeyVaultError(error, "KV_PROTOCOL");
}

/** A key that is deleted meanwhile has nothing to rotate. */
export async function rotates(client: KeyVaultClient, name: string): Promise<boolean> {
  const policy = await policyOf(client, name);
  return policy === undefined || isRotating(policy);
}

async function policyOf(
  client: KeyVaultClient,
  name: string,
  options?: CallOptions,
): Promise<KeyRotationPolicy | undefined> {
  try {
    return await client.getKeyRotationPolicy(name, options);
  } catch (error) {
    if (isKeyVaultError(error, "KV_NOT_FOUND")) return undefined;
    throw error;
  }
}

function isRotating({ lifetimeActions }: KeyRotationPolicy): boolean {
  return lifetimeActions.some(({ action }) => action === "Rotate");
}

/** Of what a policy does to the key. Vaults add a Notify action of their own, also to a policy that nobody has set. */
function policyDigest({ expiryTime, lifetimeActions }: KeyRotationPolicy): string {
  const rotations = lifetimeActions.filter(({ action }) => action === "Rotate").map(canonicalJson);
  const facts = canonicalJson({ expiryTime, rotations: rotations.sort() });
  return createHash("sha256").update(facts).digest("base64url").slice(0, 6);
}
