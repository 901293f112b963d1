import type { Properties } from "../engine/lifecycle.js";
import { tell } from "../engine/progress.js";
import type { OnDelete, Timeouts } from "../key/key-inputs.js";
import { isKeyVaultError } from "../keyvault/errors.js";
import type { SoftDeleted } from "../keyvault/key-bundle.js";
import { vaultClient } from "../vault/vault-access.js";
import { ifPresent, OperationDeadline } from "./operation-deadline.js";
import { keyObject, secretObject, type VaultObject } from "./vault-object.js";

interface Deletable {
  vaultUrl: string;
  name: string;
  onDelete?: OnDelete;
  timeouts?: Timeouts;
  recoveryLevel?: string;
}

type Deletion = VaultObject<unknown, SoftDeleted>;

/** Does to a key or secret what its `onDelete` says: nothing, disable, delete (the default; recoverable), or delete and purge. */
export async function deleteObject(kind: "key" | "secret", props: Properties): Promise<void> {
  const { vaultUrl, name, onDelete = "delete", timeouts, recoveryLevel } = props as unknown as Deletable;
  if (onDelete === "retain") return;
  const client = await vaultClient(vaultUrl);
  const deadline = new OperationDeadline(timeouts?.delete);
  const objectOf = kind === "key" ? keyObject : secretObject;
  const object: Deletion = objectOf(client, { vaultUrl, name }, deadline);
  if (onDelete === "disable") {
    await ifPresent(object.disable());
    return;
  }
  await ifPresent(deadline.whileBusy(`${object.label} to be free`, () => deleteOnce(object)));
  if (onDelete === "purge") await purge(object, recoveryLevel, deadline);
}

/** A delete whose answer was lost is sent again only where a look shows that the object is still there. */
async function deleteOnce(object: Deletion): Promise<void> {
  try {
    await object.delete();
  } catch (error) {
    if (!isKeyVaultError(error) || !error.mayHaveHappened) throw error;
    if (await object.current()) await object.delete();
  }
}

async function purge(object: Deletion, recoveryLevel: string | undefined, deadline: OperationDeadline): Promise<void> {
  if (isPurgeProtected(recoveryLevel)) {
    tell(`${object.label} was deleted and not purged: purge protection is on (${recoveryLevel})`);
    return;
  }
  // Without soft delete there is nothing to purge. With it, a purge is refused until the deletion has ended.
  if (recoveryLevel === "Purgeable") return;
  for (;;) {
    try {
      await deadline.whileBusy(`the deletion of ${object.label} to end`, () => object.purge());
      return;
    } catch (error) {
      if (!isKeyVaultError(error) || !(error.mayHaveHappened || error.code === "KV_NOT_FOUND")) throw error;
      if (!(await object.deleted())) return;
      await deadline.pause(`the purge of ${object.label}`, error);
    }
  }
}

/** Tells in time that a purge will not happen: when the resource is made, and in the preview of the program that asks for it. */
export function tellIfUnpurgeable(
  kind: "key" | "secret",
  { name, vaultUrl, onDelete }: { name?: unknown; vaultUrl?: unknown; onDelete?: unknown },
  recoveryLevel: unknown,
): void {
  if (onDelete !== "purge" || !isPurgeProtected(recoveryLevel)) return;
  tell(
    `${kind} "${name}" in ${vaultUrl}: purge protection is on (${recoveryLevel}), so onDelete "purge" will only delete it`,
  );
}

function isPurgeProtected(recoveryLevel: unknown): boolean {
  return typeof recoveryLevel === "string" && !/purgeable/i.test(recoveryLevel);
}
