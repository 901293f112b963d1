import { formatMoment } from "../engine/moment.js";
import { withoutUndefined } from "../engine/normal-form.js";
import type { KeyBundle } from "../keyvault/key-bundle.js";
import { publicKeyJwk, publicKeyOpenSsh, publicKeyPem } from "../material/public-key.js";
import { publicThumbprint } from "../material/thumbprint.js";
import { withoutOwnerTag } from "../object/owner-tag.js";
import { type NamedVersion, type ObjectAddress, objectId } from "../vault/object-address.js";
import { lookUp } from "./look-up.js";
import type { GetKeyResult, ObjectFacts } from "./object-facts.js";
import type { AskedVault } from "./object-reference.js";

/** Reads the public half and the attributes of a key's version, by default the current one. One request. */
export async function getKey(asked: NamedVersion, vault: AskedVault): Promise<GetKeyResult> {
  const bundle = await lookUp("key", asked, vault, (client, call) => client.getKey(asked.name, asked.version, call));
  return keyResult(asked, bundle);
}

function keyResult({ vaultUrl, name }: ObjectAddress, bundle: KeyBundle): GetKeyResult {
  const { keyType, publicKey, curve, keySize, keyOps, version, exportable, releasePolicy } = bundle;
  const facts = objectFacts("keys", { vaultUrl, name }, bundle);
  return {
    ...facts,
    version,
    versionId: `${facts.id}/${version}`,
    keyType,
    keyOps: keyOps ?? [],
    hardwareProtected: keyType.endsWith("-HSM"),
    ...withoutUndefined({
      keySize,
      curve: curve?.toUpperCase() === "SECP256K1" ? "P-256K" : curve,
      exportable,
      releasePolicy,
      thumbprint: publicThumbprint(publicKey),
      publicKeyPem: publicKeyPem(publicKey),
      publicKeyJwk: publicKeyJwk(publicKey),
      publicKeyOpenSsh: publicKeyOpenSsh(publicKey),
    }),
  };
}

interface Described {
  name: string;
  enabled: boolean;
  notBefore?: Date;
  expiresOn?: Date;
  createdOn?: Date;
  updatedOn?: Date;
  recoveryLevel?: string | undefined;
  recoverableDays?: number | undefined;
  tags: Record<string, string>;
  managed: boolean;
}

/** The name is the vault's: programs may write it in other letters. */
export function objectFacts(
  collection: "keys" | "secrets",
  { vaultUrl }: ObjectAddress,
  { name, enabled, tags, managed, recoveryLevel, recoverableDays, ...moments }: Described,
): ObjectFacts {
  const { notBefore, expiresOn, createdOn, updatedOn } = moments;
  const written = (moment: Date | undefined) => (moment === undefined ? undefined : formatMoment(moment));
  return {
    id: objectId(collection, { vaultUrl, name }),
    vaultUrl,
    name,
    enabled,
    tags: withoutOwnerTag(tags),
    managed,
    ...withoutUndefined({
      notBefore: written(notBefore),
      expiresOn: written(expiresOn),
      createdOn: written(createdOn),
      updatedOn: written(updatedOn),
      recoveryLevel,
      recoverableDays,
    }),
  };
}
