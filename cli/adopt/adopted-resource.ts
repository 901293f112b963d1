import { formatMoment } from "../../provider/engine/moment.js";
import { adoptKey as keyOf, type ReadKey } from "../../provider/key/adopt-key.js";
import { keyFamily } from "../../provider/key/key-inputs.js";
import { adoptKeySet } from "../../provider/key-set/adopt-key-set.js";
import type { SecretBundle } from "../../provider/keyvault/secret-bundle.js";
import { ownerOf } from "../../provider/object/owner-tag.js";
import type { AdoptedObject } from "../../provider/object/sayable-inputs.js";
import { adoptSecret as secretOf } from "../../provider/secret/adopt-secret.js";
import { providerText, RESOURCE_TYPES } from "../../sdk/contract.js";
import { counted } from "../text/counted.js";
import { commentText, commentWord, literal } from "../text/typescript-text.js";

/** An object of the vault as Pulumi takes it over, and as the program writes it. */
export interface AdoptedResource extends AdoptedObject {
  /** The class of the program. */
  className: "Key" | "KeySet" | "Secret";
  type: string;
  name: string;
  /** One line for people. */
  comment: string;
}

export async function adoptKey(vaultUrl: string, found: ReadKey): Promise<AdoptedResource> {
  return {
    ...(await keyOf(found, { vaultUrl, __provider: providerText("key") })),
    className: "Key",
    type: RESOURCE_TYPES.key,
    name: found.bundle.name,
    comment: describeKey(found.bundle),
  };
}

/** All keys of the vault as one resource. */
export function adoptSet(vaultUrl: string, name: string, keys: readonly AdoptedResource[]): AdoptedResource {
  return {
    ...adoptKeySet(keys, { vaultUrl, __provider: providerText("keySet") }),
    className: "KeySet",
    type: RESOURCE_TYPES.keySet,
    name,
    comment: `${counted(keys.length, "key")} of the vault`,
  };
}

export async function adoptSecret(vaultUrl: string, bundle: SecretBundle): Promise<AdoptedResource> {
  return {
    ...(await secretOf(bundle, { vaultUrl, __provider: providerText("secret") })),
    className: "Secret",
    type: RESOURCE_TYPES.secret,
    name: bundle.name,
    comment: `secret${dates(bundle)}${ownedBy(bundle)}`,
  };
}

function describeKey(bundle: ReadKey["bundle"]): string {
  const { keyType, curve, keySize } = bundle;
  const size = curve ?? (keyFamily(keyType) === "EC" ? undefined : keySize);
  return `${commentWord(keyType)}${size === undefined ? "" : ` ${commentWord(String(size))}`}${dates(bundle)}${ownedBy(bundle)}`;
}

/** The import leaves the tag as it is: whoever adopts should know that a stack says it is its own. */
function ownedBy({ tags }: { tags: Record<string, string> }): string {
  const owner = ownerOf(tags);
  return owner ? `, owned by stack ${commentText(literal(owner.stack))}` : "";
}

function dates({ createdOn, expiresOn }: { createdOn?: Date; expiresOn?: Date }): string {
  const made = createdOn ? `, made on ${formatMoment(createdOn).slice(0, 10)}` : "";
  return expiresOn ? `${made}, expires on ${formatMoment(expiresOn).slice(0, 10)}` : made;
}
