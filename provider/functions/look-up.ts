import { formatMoment } from "../engine/moment.js";
import type { KeyVaultClient } from "../keyvault/client.js";
import { isKeyVaultError, KeyVaultError } from "../keyvault/errors.js";
import type { SoftDeleted } from "../keyvault/key-bundle.js";
import { listedClient } from "../vault/listing.js";
import { type NamedVersion, objectLabel } from "../vault/object-address.js";
import type { AskedVault } from "./object-reference.js";

/** A client of the vault, and what each of its calls is given. */
export async function openVault(vault: AskedVault) {
  return { client: await listedClient(vault), call: { signal: vault.signal } };
}

/**
 * Asks for an object that the program counts on. Where it is not there, one more request tells whether it was deleted,
 * and until when it can be recovered.
 *
 * @throws KeyVaultError `KV_DELETED_RECOVERABLE` for a deleted object, `KV_NOT_FOUND` for one that is nowhere
 */
export async function lookUp<T>(
  kind: "key" | "secret",
  { vaultUrl, name, version }: NamedVersion,
  vault: AskedVault,
  ask: (client: KeyVaultClient, call: { signal: AbortSignal | undefined }) => Promise<T>,
): Promise<T> {
  const { client, call } = await openVault(vault);
  try {
    return await ask(client, call);
  } catch (error) {
    if (!isKeyVaultError(error, "KV_NOT_FOUND")) throw error;
    const label = objectLabel(kind, { vaultUrl, name });
    const look = () => (kind === "key" ? client.getDeletedKey(name, call) : client.getDeletedSecret(name, call));
    throw await notThere(error, { label, objectName: name, version, vaultUrl }, look);
  }
}

interface Missing {
  label: string;
  objectName: string;
  version: string | undefined;
  vaultUrl: string;
}

async function notThere(
  found: KeyVaultError,
  { label, version, ...facts }: Missing,
  look: () => Promise<SoftDeleted>,
): Promise<KeyVaultError> {
  const { operation, status, requestId } = found;
  const details = { ...facts, version, operation, status, requestId };
  const subject = version === undefined ? label : `version ${version} of ${label}`;
  try {
    const { deletedOn, scheduledPurgeDate } = await look().catch((error: unknown): Partial<SoftDeleted> => {
      // Of a disabled secret among the deleted ones the service says no more than that it is there.
      if (isKeyVaultError(error) && error.objectDisabled === true) return {};
      throw error;
    });
    const when = deletedOn === undefined ? "" : ` on ${formatMoment(deletedOn)}`;
    const until = scheduledPurgeDate === undefined ? "" : ` until ${formatMoment(scheduledPurgeDate)}`;
    return new KeyVaultError("KV_DELETED_RECOVERABLE", `${label} was deleted${when} and can be recovered${until}`, {
      ...details,
      hint: "recover it, or take the function that reads it out of the program.",
    });
  } catch (error) {
    if (isKeyVaultError(error, "KV_NOT_FOUND")) {
      const hint =
        version === undefined
          ? "it is not among the deleted ones either: check the vault and the name."
          : "check the version, the name and the vault: nothing of that name is among the deleted ones.";
      return new KeyVaultError("KV_NOT_FOUND", `${subject} is not there`, { ...details, hint });
    }
    const hint = "whether it was deleted and can be recovered could not be read: check the vault and the name.";
    return new KeyVaultError("KV_NOT_FOUND", `${subject} is not there`, { ...details, hint });
  }
}
