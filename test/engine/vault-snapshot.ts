import type { Emulator } from "../../emulator/index.js";
import { keyClient, secretClient } from "./vault-by-hand.js";

/**
 * What became of an object of a row. Versions are compared by id: `same` is the very same versions, enabled, with the
 * very same tags beside the owner's, `untouched` that not even the owner tag was written, `back` that a deleted one is
 * there again.
 */
export type Outcome =
  | "untouched"
  | "same"
  | "one version more"
  | "deleted"
  | "purged"
  | "disabled"
  | "made"
  | "back"
  | "other tags";

/** What the vault holds under a name, as Microsoft's clients tell it. */
interface Held {
  versions: string[];
  enabled: boolean;
  mark: string | undefined;
  tags: Record<string, string>;
  updatedOn: number | undefined;
}
export interface VaultSnapshot {
  held: Map<string, Held>;
  deleted: Set<string>;
}

export async function snapshot(vault: Emulator): Promise<VaultSnapshot> {
  const keys = keyClient(vault);
  const secrets = secretClient(vault);
  const held = new Map<string, Held>();
  const add = (name: string, version: string, { enabled = true, tags = {}, updatedOn }: Partial<Listed>): void => {
    const { "pulumi-keyvault": mark, ...rest } = tags;
    const before = held.get(name.toLowerCase())?.versions ?? [];
    held.set(name.toLowerCase(), {
      versions: [...before, version],
      enabled,
      mark,
      tags: rest,
      updatedOn: updatedOn?.getTime(),
    });
  };
  for await (const { name } of keys.listPropertiesOfKeys()) {
    const found = await collect(keys.listPropertiesOfKeyVersions(name));
    for (const listed of byAge(found)) add(name, listed.version ?? "", listed);
  }
  for await (const { name } of secrets.listPropertiesOfSecrets()) {
    const found = await collect(secrets.listPropertiesOfSecretVersions(name));
    for (const listed of byAge(found)) add(name, listed.version ?? "", listed);
  }
  const deleted = new Set<string>();
  for await (const { name } of keys.listDeletedKeys()) deleted.add(name.toLowerCase());
  for await (const { name } of secrets.listDeletedSecrets()) deleted.add(name.toLowerCase());
  return { held, deleted };
}

interface Listed {
  version?: string;
  enabled?: boolean;
  tags?: Record<string, string>;
  createdOn?: Date;
  updatedOn?: Date;
}

const byAge = <L extends Listed>(listed: L[]): L[] =>
  listed.sort((a, b) => Number(a.createdOn ?? 0) - Number(b.createdOn ?? 0));

async function collect<T>(items: AsyncIterable<T>): Promise<T[]> {
  const all: T[] = [];
  for await (const item of items) all.push(item);
  return all;
}

/** What became of a name in the last of some looks. */
export function outcomeOf(name: string, looks: readonly VaultSnapshot[]): Outcome | string {
  const [now, ...before] = looks.map(({ held }) => held.get(name.toLowerCase())).reverse();
  if (!now) return looks.at(-1)?.deleted.has(name.toLowerCase()) ? "deleted" : "purged";
  const was = before.find((held) => held !== undefined);
  if (!was) return now.versions.length === 1 ? "made" : `made with ${now.versions.length} versions`;
  if (!was.versions.every((version) => now.versions.includes(version))) {
    return before[0] === undefined && now.versions.length === 1 ? "made" : "other versions";
  }
  const more = now.versions.length - was.versions.length;
  if (more > 0) return more === 1 ? "one version more" : `${more} versions more`;
  if (before[0] === undefined) return "back";
  if (!now.enabled) return "disabled";
  if (JSON.stringify(was.tags) !== JSON.stringify(now.tags)) return "other tags";
  return was.mark === now.mark && was.updatedOn === now.updatedOn ? "untouched" : "same";
}
