import { anyRecord, flag, instant, list, optional, record, type Shape, type ShapeOf, tagMap, text } from "../shape.js";

export type StoredCollection = "keys" | "secrets";

/**
 * A name in a vault. `settlesAt` (milliseconds) ends the window that its phase began with: Deleting for `deleted`,
 * Recovering for `active`, Purging for `purged`. Writes to an active object wait for `readyAt`.
 */
export interface StoredObject {
  readonly vault: string;
  readonly collection: StoredCollection;
  /** As it was first written; compared without case. */
  readonly name: string;
  current: string;
  phase: "active" | "deleted" | "purged";
  settlesAt: number;
  readyAt: number;
  /** Seconds; 0 while active. */
  deletedOn: number;
  purgeOn: number;
  /** Its lifetime belongs to a certificate. */
  managed: boolean;
  rotationPolicy: StoredRotationPolicy | undefined;
  /** When the clock next has something to do here, in milliseconds. */
  dueAt: number | undefined;
}

const attributes = record({
  enabled: flag(),
  nbf: optional(instant()),
  exp: optional(instant()),
  created: instant(),
  updated: instant(),
  exportable: optional(flag()),
  /** The key of another HSM that this one stands for. */
  external_key: optional(record({ id: text() })),
});
export type StoredAttributes = ShapeOf<typeof attributes>;

const releasePolicy = record({ contentType: text(), data: text(), immutable: flag() });
export type StoredReleasePolicy = ShapeOf<typeof releasePolicy>;

const publicKey = record({
  kty: text(),
  key_ops: list(text()),
  n: optional(text()),
  e: optional(text()),
  crv: optional(text()),
  x: optional(text()),
  y: optional(text()),
});
export type StoredPublicKey = ShapeOf<typeof publicKey>;

const documentMembers = {
  version: text(),
  attributes,
  tags: optional(tagMap(4096)),
  key: publicKey,
  releasePolicy: optional(releasePolicy),
};

/** `material` is the private JWK as node:crypto reads it (or `{ kty: "oct", k }`): it never leaves the emulator. */
export const keyVersionShape = record({ ...documentMembers, material: anyRecord() });
export type StoredKeyVersion = ShapeOf<typeof keyVersionShape>;

/** A row's document: its material stands beside it, and is read on demand. */
export const keyDocumentShape: Shape<StoredKeyVersion> = {
  check: (value) => keyDocument.check(value) as { value: StoredKeyVersion } | undefined,
};
const keyDocument = record(documentMembers);

export const secretVersionShape = record({
  version: text(),
  attributes,
  tags: optional(tagMap(4096)),
  value: text(),
  contentType: optional(text()),
  /** The key of the same certificate. */
  kid: optional(text()),
});
export type StoredSecretVersion = ShapeOf<typeof secretVersionShape>;

export const rotationPolicyShape = record({
  lifetimeActions: list(
    record({
      trigger: record({ timeAfterCreate: optional(text()), timeBeforeExpiry: optional(text()) }),
      action: record({ type: text() }),
    }),
  ),
  expiryTime: optional(text()),
  created: instant(),
  updated: instant(),
});
export type StoredRotationPolicy = ShapeOf<typeof rotationPolicyShape>;
