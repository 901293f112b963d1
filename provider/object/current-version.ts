import { isKeyVaultError, type KeyVaultError } from "../keyvault/errors.js";

/**
 * Whether a refused read may be that of a disabled object: a disabled secret answers 403 `SecretDisabled`, and other
 * servers answer disabled keys too with 403 without an inner code, or with a 404 in words of their own. The list of
 * versions tells it from one that is forbidden or gone.
 */
export function mayBeDisabled(error: unknown): error is KeyVaultError {
  if (!isKeyVaultError(error)) return false;
  if (error.code === "KV_FORBIDDEN") return !isForbiddenToCaller(error);
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

/** Whether a refusal is about who asks: what is refused of one object then is refused of all. */
export function isForbiddenToCaller(error: unknown): boolean {
  return isKeyVaultError(error, "KV_FORBIDDEN") && FORBIDDEN_TO_CALLER.has(error.innerCode ?? "");
}

/** The service's own words for what is not there. */
const GONE: ReadonlySet<string> = new Set(["KeyNotFound", "SecretNotFound"]);

interface ListedVersion {
  version?: string;
  enabled: boolean;
  createdOn?: Date;
}

/** Each look costs two requests, and each further one takes somebody who sets a version in that very moment. */
const MOST_LOOKS = 3;

/**
 * The current version of an object, undefined where it is not there. One that cannot be read is disabled, and found in
 * the list of versions; where that shows a newer one that is enabled, somebody has set it since, and it is read.
 */
export async function currentOrDisabled<B, V extends ListedVersion>({
  read,
  versions,
  asDisabled,
}: {
  read(): Promise<B>;
  versions(): AsyncIterable<V>;
  asDisabled(version: V & { version: string }): B;
}): Promise<B | undefined> {
  for (let looks = 1; ; looks++) {
    try {
      return await read();
    } catch (error) {
      const isGone = isKeyVaultError(error, "KV_NOT_FOUND");
      if (!mayBeDisabled(error)) {
        if (isGone) return undefined;
        throw error;
      }
      const { disabled, newestEnabled } = await newestOf(versions());
      // Moments are whole seconds: of two in one second the enabled one may be the older.
      if (disabled && createdAt(disabled) <= newestEnabled && looks < MOST_LOOKS) continue;
      if (disabled) return asDisabled(disabled);
      if (isGone) return undefined;
      throw error;
    }
  }
}

/** The newest disabled version of a list, which is in no order of time. */
export async function newestDisabledVersion<V extends ListedVersion>(
  versions: AsyncIterable<V>,
): Promise<(V & { version: string }) | undefined> {
  return (await newestOf(versions)).disabled;
}

async function newestOf<V extends ListedVersion>(versions: AsyncIterable<V>) {
  let disabled: (V & { version: string }) | undefined;
  let newestEnabled = Number.NEGATIVE_INFINITY;
  try {
    for await (const item of versions) {
      const { version } = item;
      if (version === undefined) continue;
      if (item.enabled) newestEnabled = Math.max(newestEnabled, createdAt(item));
      else if (!disabled || createdAt(item) > createdAt(disabled)) disabled = { ...item, version };
    }
  } catch (error) {
    // What is not there has no list either: a server may say so of both in words of its own.
    if (!isKeyVaultError(error, "KV_NOT_FOUND")) throw error;
  }
  return { disabled, newestEnabled };
}

function createdAt(item: { createdOn?: Date }): number {
  return item.createdOn?.getTime() ?? 0;
}
