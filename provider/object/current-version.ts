import { isKeyVaultError, type KeyVaultError } from "../keyvault/errors.js";

/**
 * Whether a refused read may be that of a disabled object: a disabled secret answers 403 `SecretDisabled`, and other
 * servers answer disabled keys too with 403 without an inner code, or with a 404 in words of their own. The list of
 * versions tells it from one that is forbidden or gone.
 */
export function mayBeDisabled(error: unknown): error is KeyVaultError {
  if (!isKeyVaultError(error)) return false;
  if (error.code === "KV_FORBIDDEN") return !FORBIDDEN_TO_CALLER.has(error.innerCode ?? "");
  return error.code === "KV_NOT_FOUND" && !GONE.has(error.serviceCode ?? "");
}

/** Refusals that are about who asks, and never about the object. */
const FORBIDDEN_TO_CALLER: ReadonlySet<string> = new Set([
  "AccessDenied",
  "ForbiddenByPolicy",
  "ForbiddenByRbac",
  "ForbiddenByFirewall",
  "ForbiddenByConnection",
]);

/** The service's own words for what is not there. */
const GONE: ReadonlySet<string> = new Set(["KeyNotFound", "SecretNotFound"]);

interface ListedVersion {
  version?: string;
  enabled: boolean;
  createdOn?: Date;
}

/**
 * The newest version of a list, which is in no order of time. Where the object could not be read, its current version
 * is disabled, or it would have been read.
 */
export async function newestDisabledVersion<V extends ListedVersion>(
  versions: AsyncIterable<V>,
): Promise<(V & { version: string }) | undefined> {
  let newest: (V & { version: string }) | undefined;
  try {
    for await (const item of versions) {
      const { version } = item;
      if (version === undefined || item.enabled) continue;
      if (!newest || createdAt(item) > createdAt(newest)) newest = { ...item, version };
    }
  } catch (error) {
    // What is not there has no list either: a server may say so of both in words of its own.
    if (!isKeyVaultError(error, "KV_NOT_FOUND")) throw error;
  }
  return newest;
}

function createdAt(item: { createdOn?: Date }): number {
  return item.createdOn?.getTime() ?? 0;
}
