import { readFile } from "node:fs/promises";
import { join } from "node:path";
import type { Emulator } from "../../emulator/index.js";
import { startEmulator } from "../../emulator/index.js";
import type { StackResource } from "./stack.js";
import { call } from "./vault-by-hand.js";
import { snapshot, type VaultSnapshot } from "./vault-snapshot.js";

const SECRET_SIGNATURE = "4dabf18193072939515e22adb298388d";

/**
 * What is wrong with the backups in a state: one that does not restore, or not to the very versions that the vault holds
 * under its name; and what an inventory misses. By the logical names of their resources.
 *
 * @param folder of the project, where a backup may have its files.
 */
export async function problemsOfBackups(
  resources: readonly StackResource[],
  { held }: VaultSnapshot,
  folder = "",
): Promise<string[]> {
  const problems: string[] = [];
  for (const { urn, type, outputs = {} } of resources) {
    const label = urn.split("::").at(-1);
    const restored = await restoredFrom(type, outputs, folder);
    for (const [name, versions] of Object.entries(restored)) {
      const there = held.get(name.toLowerCase())?.versions ?? [];
      if (versions.join() !== there.join()) problems.push(`${label}: ${name} restores to other versions`);
    }
    if (type.endsWith("Backup") && Object.keys(restored).length === 0) problems.push(`${label}: holds nothing`);
    const missing = outputs.missing;
    if (Array.isArray(missing) && missing.length > 0) problems.push(`${label}: misses ${missing.join()}`);
  }
  return problems;
}

/** The versions that each blob of a backup resource restores to, in a vault of its own. */
async function restoredFrom(
  type: string,
  outputs: Record<string, unknown>,
  folder: string,
): Promise<Record<string, string[]>> {
  const blobs = (await blobsInFiles(type, outputs, folder)) ?? blobsOf(type, outputs);
  if (blobs.length === 0) return {};
  const vault = await startEmulator();
  try {
    for (const { collection, blob } of blobs) await restore(vault, collection, blob);
    const { held } = await snapshot(vault);
    return Object.fromEntries([...held].map(([name, { versions }]) => [name, versions]));
  } finally {
    await vault.close();
  }
}

const restore = (vault: Emulator, collection: string, blob: string): Promise<unknown> =>
  call(vault, "POST", `/${collection}/restore`, { value: blob });

/** Of a backup that keeps them in files of the project, not in state. */
async function blobsInFiles(
  type: string,
  { file, to }: Record<string, unknown>,
  project: string,
): Promise<{ collection: string; blob: string }[] | undefined> {
  if (!type.endsWith("Backup") || typeof to !== "object" || to === null || !("folder" in to)) return undefined;
  const read = (path: string): Promise<string> => readFile(join(project, path), "utf8");
  if (typeof file === "string") return [{ collection: "keys", blob: await read(file) }];
  const folder = String(to.folder);
  const manifest = JSON.parse(await read(`${folder}/vault-backup.json`)) as Record<
    string,
    Record<string, { file: string }>
  >;
  const found = ["keys", "secrets"].flatMap((collection) =>
    Object.values(manifest[collection] ?? {}).map((entry) => ({ collection, path: `${folder}/${entry.file}` })),
  );
  return Promise.all(found.map(async ({ collection, path }) => ({ collection, blob: await read(path) })));
}

function blobsOf(type: string, outputs: Record<string, unknown>): { collection: string; blob: string }[] {
  if (type.endsWith(":KeyBackup")) return [{ collection: "keys", blob: String(plain(outputs.blob)) }];
  if (type.endsWith(":SecretBackup")) return [{ collection: "secrets", blob: String(plain(outputs.blob)) }];
  if (!type.endsWith(":VaultBackup")) return [];
  const { keys = {}, secrets = {} } = plain(outputs.blobs) as Record<string, Record<string, string>>;
  return [
    ...Object.values(keys).map((blob) => ({ collection: "keys", blob })),
    ...Object.values(secrets).map((blob) => ({ collection: "secrets", blob })),
  ];
}

/** A secret of an export with `--show-secrets`. */
function plain(value: unknown): unknown {
  if (value === null || typeof value !== "object" || !(SECRET_SIGNATURE in value)) return value;
  return "plaintext" in value ? JSON.parse(String(value.plaintext)) : value;
}
