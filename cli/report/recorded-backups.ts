import { parseCovered } from "../../provider/backup/covered-version.js";
import { RESOURCE_TYPES } from "../../sdk/contract.js";
import { objectKey } from "../stack/known-objects.js";
import type { StateResource } from "../stack/stack-state.js";
import type { ListedCollection } from "../vault/name-filter.js";

/** A backup of one object, as a stack's state tells it. */
export interface RecordedBackup {
  /** `prod: KeyBackup orders`. */
  resource: string;
  takenOn: string;
  /** When the object was last changed at that time. */
  coversChangeOf?: string;
}

/** The newest backup of each object that stacks hold, by `objectKey`. Blobs are not looked at. */
export class RecordedBackups {
  readonly #newest = new Map<string, RecordedBackup>();

  add(stack: string, resources: readonly StateResource[]): void {
    for (const { urn, type, outputs } of resources) {
      const { vaultUrl, name, takenOn, covered } = outputs ?? {};
      if (typeof vaultUrl !== "string" || typeof takenOn !== "string" || !isMap(covered)) continue;
      const resource = `${stack}: ${type.split(":").at(-1)} ${urn.split("::").slice(3).join("::")}`;
      if (type === RESOURCE_TYPES.vaultBackup) {
        for (const collection of ["keys", "secrets"] as const) {
          this.#addAll({ resource, takenOn }, vaultUrl, collection, covered[collection]);
        }
      } else if (typeof name === "string" && type in BACKUPS) {
        const updatedOn = typeof covered.updatedOn === "string" ? { coversChangeOf: covered.updatedOn } : {};
        this.#keep(objectKey(vaultUrl, BACKUPS[type] ?? "keys", name), { resource, takenOn, ...updatedOn });
      }
    }
  }

  of(vaultUrl: string, collection: ListedCollection, name: string): RecordedBackup | undefined {
    return this.#newest.get(objectKey(vaultUrl, collection, name));
  }

  #addAll(backup: RecordedBackup, vaultUrl: string, collection: ListedCollection, covered: unknown): void {
    if (!isMap(covered)) return;
    for (const [name, text] of Object.entries(covered)) {
      if (typeof text !== "string") continue;
      const { updatedOn } = parseCovered(text);
      this.#keep(objectKey(vaultUrl, collection, name), {
        ...backup,
        ...(updatedOn === undefined ? {} : { coversChangeOf: updatedOn }),
      });
    }
  }

  #keep(key: string, backup: RecordedBackup): void {
    const known = this.#newest.get(key);
    if (known === undefined || known.takenOn < backup.takenOn) this.#newest.set(key, backup);
  }
}

const BACKUPS: Record<string, ListedCollection> = {
  [RESOURCE_TYPES.keyBackup]: "keys",
  [RESOURCE_TYPES.secretBackup]: "secrets",
};

function isMap(value: unknown): value is Record<string, unknown> {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}
