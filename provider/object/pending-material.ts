import type { KeyMaterial } from "../material/key-material.js";

/**
 * Private material waits here between `check`, which takes it out of the inputs, and `create` or `update`, which
 * send it to the vault: the three run in one process. Nothing in this map is ever written anywhere.
 */
const materials = new Map<string, KeyMaterial>();
const blobs = new Map<string, string>();
const secretValues = new Map<string, string>();

const expected = new Map<string, string>();

/**
 * Notes, when a refresh finds another key or value in the vault, which one the state had expected: the recorded input
 * is the foreign one's from then on, and a program without the material has nothing else to compare it with.
 *
 * @param digest thumbprint of the key, or digest of the value.
 */
export function expectSealed(objectId: string, digest: string): void {
  expected.set(objectId, digest);
}

export function expectedSealed(objectId: string): string | undefined {
  return expected.get(objectId);
}

export function keepMaterial(material: KeyMaterial): string {
  materials.set(material.thumbprint, material);
  return material.thumbprint;
}

export function materialFor(thumbprint: string): KeyMaterial | undefined {
  return materials.get(thumbprint);
}

export function keepBlob(digest: string, blob: string): void {
  blobs.set(digest, blob);
}

export function blobFor(digest: string): string | undefined {
  return blobs.get(digest);
}

export function keepSecretValue(digest: string, value: string): void {
  secretValues.set(digest, value);
}

export function secretValueFor(digest: string): string | undefined {
  return secretValues.get(digest);
}
