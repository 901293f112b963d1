import type { KeyMaterial } from "../material/key-material.js";

/**
 * Private material waits here between `check`, which takes it out of the inputs, and `create` or `update`, which
 * send it to the vault: the three run in one process. Nothing in this map is ever written anywhere.
 */
const materials = new Map<string, KeyMaterial>();
const blobs = new Map<string, PendingBlob>();
const secretValues = new Map<string, string>();

export function keepMaterial(material: KeyMaterial): string {
  materials.set(material.thumbprint, material);
  return material.thumbprint;
}

export function materialFor(thumbprint: string): KeyMaterial | undefined {
  return materials.get(thumbprint);
}

export interface PendingBlob {
  blob: string;
  /** The name that its file says it is of: nobody but the service can read it in the blob. */
  fileSays?: string | undefined;
}

export function keepBlob(digest: string, pending: PendingBlob): void {
  blobs.set(digest, pending);
}

export function blobFor(digest: string): PendingBlob | undefined {
  return blobs.get(digest);
}

export function keepSecretValue(digest: string, value: string): void {
  secretValues.set(digest, value);
}

export function secretValueFor(digest: string): string | undefined {
  return secretValues.get(digest);
}

/** For tests that take several runs through one process. @internal */
export function forgetPendingMaterial(): void {
  materials.clear();
  blobs.clear();
  secretValues.clear();
}
