import type { KeyVaultClient } from "../keyvault/client.js";
import type { SoftDeleted } from "../keyvault/key-bundle.js";
import type { ObjectAddress } from "../vault/object-address.js";
import type { OperationDeadline } from "./operation-deadline.js";

/** What a version of a key and of a secret have in common. */
export interface VersionBundle {
  name: string;
  version: string;
  enabled: boolean;
  tags: Record<string, string>;
  managed: boolean;
  createdOn?: Date;
  updatedOn?: Date;
  recoveryLevel?: string;
}

/** What the service tells of a deleted object: of a disabled secret no more than that it is there. */
export interface DeletedObject extends SoftDeleted {
  version?: string;
  tags?: Record<string, string>;
}

/** What a write rests on, looked at again where the write had to wait. Throws where it must not be sent any more. */
export type LookAgain = () => Promise<void>;

/** A version as the list of versions has it, which is in no order of time. */
export interface ListedVersion {
  version?: string;
  enabled: boolean;
  createdOn?: Date;
}

/** One operation bound to one key or secret: the client, the address, and the time that the operation has. */
export interface VaultObject<Bundle extends VersionBundle = VersionBundle> {
  readonly kind: "key" | "secret";
  readonly client: KeyVaultClient;
  readonly address: ObjectAddress;
  readonly deadline: OperationDeadline;
  /** `key "orders" in https://v.vault.azure.net`, the subject of every message. */
  readonly label: string;
  /** The current version, undefined where the object is not there. A disabled one is found too. */
  current(): Promise<Bundle | undefined>;
  deleted(): Promise<DeletedObject | undefined>;
  versions(): AsyncIterable<ListedVersion>;
  disable(version: string, lookAgain: LookAgain): Promise<Bundle>;
  /** Replaces all tags of a version. */
  setTags(version: string, tags: Record<string, string>): Promise<Bundle>;
  delete(lookAgain: LookAgain): Promise<DeletedObject>;
  recover(lookAgain: LookAgain): Promise<Bundle>;
  purge(lookAgain: LookAgain): Promise<void>;
  restore(blob: string): Promise<Bundle>;
}

/** The bound operation of one kind of object. */
export type BindObject<Bundle extends VersionBundle = VersionBundle> = (
  client: KeyVaultClient,
  address: ObjectAddress,
  deadline: OperationDeadline,
) => VaultObject<Bundle>;
