import { realpathSync } from "node:fs";
import { basename, dirname, join, resolve } from "node:path";
import { vaultKey } from "../keyvault/identifier.js";

export const EMBEDDED = "embedded:";
const IN_MEMORY = "memory";

/** Whether the file of an embedded vault is named as only a shell would read it. */
export function isHomePath(vaultUrl: string): boolean {
  return isEmbedded(vaultUrl) && /^~([/\\]|$)/.test(vaultUrl.slice(EMBEDDED.length));
}

/** Whether a vault URL names a vault inside the provider's process, on a local file or in memory. */
export function isEmbedded(vaultUrl: unknown): vaultUrl is string {
  return typeof vaultUrl === "string" && vaultUrl.startsWith(EMBEDDED);
}

/** Absolute path of an embedded vault's file; undefined for the one in memory. */
export function embeddedFile(vaultUrl: string): string | undefined {
  const file = vaultUrl.slice(EMBEDDED.length);
  return file === IN_MEMORY ? undefined : resolve(file);
}

/** What two spellings of one vault have in common. For comparing only: never to be sent to. */
export function vaultIdentity(vaultUrl: string): string {
  if (!isEmbedded(vaultUrl)) return vaultKey(vaultUrl) ?? vaultUrl;
  const file = embeddedFile(vaultUrl);
  return `${EMBEDDED}${file === undefined ? IN_MEMORY : withoutLinks(file)}`;
}

/** A path by the folders that it leads through in the end; the last parts of it need not be there yet. */
function withoutLinks(path: string): string {
  try {
    return realpathSync.native(path);
  } catch {
    const folder = dirname(path);
    return folder === path ? path : join(withoutLinks(folder), basename(path));
  }
}

export function isSameVault(a: unknown, b: unknown): boolean {
  return typeof a === "string" && typeof b === "string" && vaultIdentity(a) === vaultIdentity(b);
}
