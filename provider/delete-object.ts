import type { OnDelete, Timeouts } from "./key/key-inputs.js";
import type { KeyVaultClient } from "./keyvault/client.js";
import { isKeyVaultError } from "./keyvault/errors.js";
import type { Properties } from "./lifecycle.js";
import { ifPresent, Patience } from "./patience.js";
import { tell } from "./progress.js";
import { vaultClient } from "./vault-access.js";

interface Deletable {
  vaultUrl: string;
  name: string;
  onDelete?: OnDelete;
  timeouts?: Timeouts;
  recoveryLevel?: string;
}

interface Deletion {
  disable(): Promise<unknown>;
  look(): Promise<unknown>;
  delete(): Promise<unknown>;
  lookForDeleted(): Promise<unknown>;
  purge(): Promise<void>;
}

/** Does to a key or secret what its `onDelete` says: nothing, disable, delete (the default; recoverable), or delete and purge. */
export async function deleteObject(kind: "key" | "secret", props: Properties): Promise<void> {
  const { vaultUrl, name, onDelete = "delete", timeouts, recoveryLevel } = props as unknown as Deletable;
  if (onDelete === "retain") return;
  const deletion = deletionOf(kind, await vaultClient(vaultUrl), name);
  const patience = new Patience(timeouts?.delete);
  const object = `${kind} "${name}" in ${vaultUrl}`;
  if (onDelete === "disable") {
    await ifPresent(deletion.disable());
    return;
  }
  await ifPresent(patience.whileBusy(`${object} to be free`, () => deleteOnce(deletion)));
  if (onDelete === "purge") await purge(deletion, object, recoveryLevel, patience);
}

function deletionOf(kind: "key" | "secret", client: KeyVaultClient, name: string): Deletion {
  if (kind === "key") {
    return {
      disable: async () => client.updateKey(name, (await client.getKey(name)).version, { enabled: false }),
      look: () => client.getKey(name),
      delete: () => client.deleteKey(name),
      lookForDeleted: () => client.getDeletedKey(name),
      purge: () => client.purgeDeletedKey(name),
    };
  }
  return {
    disable: () => client.updateSecret(name, undefined, { enabled: false }),
    look: () => client.getSecret(name),
    delete: () => client.deleteSecret(name),
    lookForDeleted: () => client.getDeletedSecret(name),
    purge: () => client.purgeDeletedSecret(name),
  };
}

/** A delete whose answer was lost is sent again only where a look shows that the object is still there. */
async function deleteOnce(deletion: Deletion): Promise<void> {
  try {
    await deletion.delete();
  } catch (error) {
    if (!isKeyVaultError(error) || !error.mayHaveHappened) throw error;
    if (await ifPresent(deletion.look())) await deletion.delete();
  }
}

async function purge(
  deletion: Deletion,
  object: string,
  recoveryLevel: string | undefined,
  patience: Patience,
): Promise<void> {
  if (recoveryLevel !== undefined && !/purgeable/i.test(recoveryLevel)) {
    tell(`${object} was deleted and not purged: purge protection is on (${recoveryLevel})`);
    return;
  }
  // Without soft delete there is nothing to purge. With it, a purge is refused until the deletion has ended.
  if (recoveryLevel === "Purgeable") return;
  for (;;) {
    try {
      await patience.whileBusy(`the deletion of ${object} to end`, () => deletion.purge());
      return;
    } catch (error) {
      if (!isKeyVaultError(error) || !(error.mayHaveHappened || error.code === "KV_NOT_FOUND")) throw error;
      if (!(await ifPresent(deletion.lookForDeleted()))) return;
      await patience.pause(`the purge of ${object}`, error);
    }
  }
}
