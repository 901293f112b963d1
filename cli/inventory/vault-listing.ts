import type { UnreadObject } from "../vault/unread-object.js";

/** An object of a vault, as the command lists it. */
export interface ListedObject {
  kind: "key" | "secret";
  name: string;
  /** With `--versions`. */
  version?: string;
  state: "enabled" | "disabled" | "deleted";
  createdOn?: Date;
  updatedOn?: Date;
  notBefore?: Date;
  expiresOn?: Date;
  deletedOn?: Date;
  recoverableUntil?: Date;
  /** Of a secret. */
  contentType?: string;
  managedByCertificate: boolean;
  /** Without the one by which it says who owns it. */
  tags: Record<string, string>;
  /** `<project>/<stack>` of the stack that owns it, as its owner tag says. */
  owner?: string;
  /** With `--stack`: whether a resource of the stack manages it. Left out for objects of certificates and deleted ones. */
  inStack?: boolean;
  /** With `--rotation`: whether its policy rotates the key. */
  rotates?: boolean;
}

/** What one vault holds. */
export interface VaultListing {
  vaultUrl: string;
  takenOn: Date;
  objects: ListedObject[];
  /** What is there and could not be read, or of which a part could not. The list is complete where there are none. */
  unread: UnreadObject[];
  /** What the list was narrowed to: milliseconds in which its objects expire. */
  expiresWithin?: number;
}

/** What one or several vaults hold. */
export interface Inventory {
  listings: VaultListing[];
  /** Vaults that could not be listed, in the order of the command line. */
  unread: UnreadVault[];
}

export interface UnreadVault {
  vaultUrl: string;
  code: string;
  reason: string;
}

const DAY = 86_400_000;

/** Whole days, rounded down. */
export function daysBetween(from: Date, to: Date): number {
  return Math.floor((to.getTime() - from.getTime()) / DAY);
}

export function isExpired({ expiresOn }: ListedObject, now: Date): boolean {
  return expiresOn !== undefined && expiresOn.getTime() <= now.getTime();
}
