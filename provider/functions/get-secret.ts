import { withoutUndefined } from "../engine/normal-form.js";
import { KeyVaultError } from "../keyvault/errors.js";
import type { SecretBundle, SecretItem } from "../keyvault/secret-bundle.js";
import { type NamedVersion, objectLabel } from "../vault/object-address.js";
import { objectFacts } from "./get-key.js";
import { lookUp } from "./look-up.js";
import type { ReadSecret, SecretMetadata } from "./object-facts.js";
import type { AskedVault } from "./object-reference.js";

/** Reads a secret's version with its value, by default the current one. One request. */
export async function getSecret(asked: NamedVersion, vault: AskedVault): Promise<ReadSecret> {
  const bundle = await lookUp("secret", asked, vault, (client, call) =>
    client.getSecret(asked.name, asked.version, call),
  );
  const { value } = bundle;
  if (value === undefined) {
    throw new KeyVaultError("KV_PROTOCOL", `${objectLabel("secret", asked)} was answered without its value`, {
      operation: "getSecret",
      objectName: asked.name,
      vaultUrl: asked.vaultUrl,
      hint: "check that the URL is that of a vault and that no proxy answers in its place.",
    });
  }
  return { ...metadataOf(asked, bundle), value };
}

/**
 * Reads what the list of a secret's versions says, by default of the newest one: never the value, and a disabled one
 * too. One request for each 25 versions.
 */
export async function getSecretMetadata(asked: NamedVersion, vault: AskedVault): Promise<SecretMetadata> {
  const item = await lookUp("secret", asked, vault, async (client, call) => {
    const versions: (SecretItem & { version: string })[] = [];
    for await (const listed of client.getSecretVersions(asked.name, call)) {
      const { version } = listed;
      if (version === undefined) continue;
      if (asked.version?.toLowerCase() === version.toLowerCase()) return { ...listed, version };
      versions.push({ ...listed, version });
    }
    if (asked.version !== undefined || versions.length === 0) throw absent(asked);
    return newest(asked, versions);
  });
  return metadataOf(asked, item);
}

/** A name without an object has an empty list, which is no error of the service. */
function absent({ vaultUrl, name, version }: NamedVersion): KeyVaultError {
  const facts = { operation: "getSecretVersions", vaultUrl, objectName: name, version };
  return new KeyVaultError("KV_NOT_FOUND", `${objectLabel("secret", { vaultUrl, name })} has no versions`, facts);
}

/** Lists are in the order of random ids, and moments in whole seconds: which of two is the newer may show nowhere. */
function newest<V extends SecretItem>(asked: NamedVersion, versions: readonly V[]): V {
  const createdAt = ({ createdOn }: V) => createdOn?.getTime() ?? 0;
  const last = Math.max(...versions.map(createdAt));
  const [found, other] = versions.filter((version) => createdAt(version) === last);
  if (found !== undefined && other === undefined) return found;
  throw new KeyVaultError(
    "KV_CONFLICT",
    `${objectLabel("secret", asked)} has several versions of the same second, and a list does not say which is the current one`,
    {
      operation: "getSecretVersions",
      vaultUrl: asked.vaultUrl,
      objectName: asked.name,
      hint: "name the version, or use getSecret, which reads the value too.",
    },
  );
}

function metadataOf(asked: NamedVersion, bundle: (SecretBundle | SecretItem) & { version: string }): SecretMetadata {
  const facts = objectFacts("secrets", asked, bundle);
  const { version, contentType, keyId } = bundle;
  return { ...facts, version, versionId: `${facts.id}/${version}`, ...withoutUndefined({ contentType, keyId }) };
}
