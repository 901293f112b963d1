import { tell } from "../engine/progress.js";
import { isKeyVaultError } from "../keyvault/errors.js";
import type { SecretBundle } from "../keyvault/secret-bundle.js";
import { tellIfManyVersions } from "../object/many-versions.js";
import { vaultIdentity } from "../vault/vault-identity.js";
import type { SecretOutputs } from "./secret-inputs.js";
import type { SecretObject } from "./secret-object.js";

/** Vaults of which it was said in this run that their values cannot be read. */
const told = new Set<string>();

/**
 * A secret as a refresh sees it. With `valueDrift: false`, and where the caller may list secrets and not read them (as a
 * Key Vault Reader), it comes from the list of its versions, without its value: the value of a version never changes, so
 * nothing but a new version is left to be compared.
 *
 * A refusal is never an absence: only an answer of the vault says that nothing is there, a 404 or, where the caller may
 * not read, a list that is empty.
 *
 * Permissions: secrets/get or secrets/list.
 */
export async function secretForRefresh(
  secret: SecretObject,
  recorded: Pick<SecretOutputs, "version" | "valueDrift"> | undefined,
): Promise<SecretBundle | undefined> {
  if (recorded?.valueDrift === false) {
    const listed = await newestListed(secret, recorded.version);
    if (listed) return listed;
  }
  try {
    return await secret.current();
  } catch (error) {
    if (!isKeyVaultError(error, "KV_FORBIDDEN")) throw error;
    let listed: SecretBundle | undefined;
    try {
      listed = await newestListed(secret, recorded?.version);
    } catch (refused) {
      throw isKeyVaultError(refused, "KV_FORBIDDEN") ? error : refused;
    }
    if (recorded?.valueDrift !== false) tellListed(secret);
    return listed;
  }
}

/** The current version is the newest. Moments are whole seconds: among equals, the one that state knows is taken. */
async function newestListed(
  { client, address, deadline, label }: SecretObject,
  recordedVersion: string | undefined,
): Promise<SecretBundle | undefined> {
  let newest: SecretBundle | undefined;
  let count = 0;
  for await (const item of client.getSecretVersions(address.name, deadline.call)) {
    const { version } = item;
    if (version === undefined) continue;
    count++;
    const later = newest === undefined ? 1 : createdAt(item) - createdAt(newest);
    if (later > 0 || (later === 0 && version === recordedVersion)) newest = { ...item, version };
  }
  tellIfManyVersions(label, count);
  return newest;
}

function createdAt({ createdOn }: { createdOn?: Date }): number {
  return createdOn?.getTime() ?? 0;
}

/** Once for each vault: what is true of one of its secrets is true of all. */
function tellListed({ address: { vaultUrl } }: SecretObject): void {
  const vault = vaultIdentity(vaultUrl);
  if (told.has(vault)) return;
  told.add(vault);
  tell(
    `secrets in ${vaultUrl} are read from the lists of their versions, as the caller may not read values (secrets/get): a new version shows, and what its value is does not`,
  );
}

export function tellUncompared({ label }: SecretObject, version: string): void {
  tell(`${label}: version ${version} was made outside, and its value was not compared`);
}
