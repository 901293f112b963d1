import type { InputCheck } from "../engine/input-check.js";
import type { Properties } from "../engine/lifecycle.js";
import { isUnknown } from "../engine/unknown.js";
import { type ObjectAddress, sameObject } from "../vault/object-address.js";
import { vaultClient } from "../vault/vault-access.js";
import { declareObject, describeResource, identityOf, noteLeft, noteRecorded } from "./declared-objects.js";
import { OperationDeadline } from "./operation-deadline.js";
import { ownedByCertificate } from "./standing.js";
import type { BindObject, VersionBundle } from "./vault-object.js";

/** Where an object is to be, as far as a check knows it. */
interface CheckedAddress {
  vaultUrl: string | undefined;
  name: string | undefined;
  credential?: unknown;
}

/** Records that the program declares an object, and refuses a second resource on it. */
export function checkDeclaration(
  check: InputCheck,
  olds: Properties,
  kind: "key" | "secret",
  checked: CheckedAddress,
): void {
  const address = knownAddress(checked);
  const { claimant } = check.news;
  if (typeof claimant !== "string" || !address) return;
  const identity = identityOf(check.news);
  const holder = declareObject(kind, address, { claimant, ...(identity ? { identity } : {}) });
  if (!holder) {
    const { vaultUrl, name } = olds;
    if (sameObject(olds, { ...address })) noteRecorded(kind, address);
    else if (typeof vaultUrl === "string" && typeof name === "string") noteLeft(kind, { vaultUrl, name }, address);
    return;
  }
  check.failUnnamed(
    `KV_INVALID_INPUT: ${describeResource(holder)} already manages the ${kind} "${address.name}" in ${address.vaultUrl}: one object takes one resource`,
  );
}

/** An object that is to be adopted has to be there, and not a certificate's: told in the preview, at the price of a request. */
export async function checkAdoption<B extends VersionBundle>(
  check: InputCheck,
  bind: BindObject<B>,
  checked: CheckedAddress,
): Promise<void> {
  const address = knownAddress(checked);
  if (!address) return;
  const object = bind(await vaultClient(address), address, new OperationDeadline(undefined));
  const bundle = await object.current();
  if (bundle?.managed) check.failUnnamed(`KV_INVALID_INPUT: ${ownedByCertificate(object).message}`);
  if (bundle || (await object.deleted())) return;
  const { name, autoName } = check.news;
  if ((name === undefined || name === null) && address.name === autoName) {
    check.failUnnamed(
      `name is needed to adopt: which ${object.kind} of ${address.vaultUrl} it is that is there already`,
    );
    return;
  }
  check.failUnnamed(
    `KV_NOT_FOUND: there is no ${object.kind} "${address.name}" to adopt in ${address.vaultUrl}, and no deleted one either`,
  );
}

function knownAddress({ vaultUrl, name, credential }: CheckedAddress): ObjectAddress | undefined {
  if (!vaultUrl || !name || isUnknown(vaultUrl) || isUnknown(name)) return undefined;
  return { vaultUrl, name, ...(typeof credential === "string" ? { credential } : {}) };
}
