import type { ObjectAddress } from "./object-address.js";
import { vaultIdentity } from "./vault-identity.js";

/** What the spellings of one object have in common. For comparing only. */
export function objectIdentity(kind: "key" | "secret", { vaultUrl, name }: ObjectAddress): string {
  return `${kind} ${vaultIdentity(vaultUrl)} ${name.toLowerCase()}`;
}
