import { parseCovered } from "../provider/backup/covered-version.js";
import * as dynamicV1 from "../provider/dynamic-v1.js";
import { isRecord } from "../provider/engine/input-check.js";
import type { DynamicProvider, Properties } from "../provider/engine/lifecycle.js";
import { OPEN_ENDS } from "../provider/key-set/packed-records.js";
import { isWholeSet } from "../provider/key-set/whole-set.js";
import { fromPlainKey, fromPlainMembers, fromPlainSet } from "./plain-members.js";
import { keyBackupSchema, secretBackupSchema, vaultBackupSchema } from "./schema/backup-schema.js";
import { keyInventorySchema, secretInventorySchema } from "./schema/inventory-schema.js";
import { keySchema } from "./schema/key-schema.js";
import { keySetSchema } from "./schema/key-set-schema.js";
import type { ResourceDescription } from "./schema/package-spec.js";
import { secretSchema } from "./schema/secret-schema.js";
import { secretsOfSet } from "./secrets-of-set.js";
import type { SecretPath } from "./wire-properties.js";

/** A resource of the package: what programs see of it, and the lifecycle that it shares with the dynamic provider. */
export interface PluginResource {
  schema: ResourceDescription;
  provider: DynamicProvider;
  /** What `check` is told beside the program's inputs: nothing, whose the resource is, or also a name for its object. */
  identity: "none" | "owner" | "object";
  /** The type that it has in programs of the dynamic provider. */
  dynamicType: string;
  /** What an import records: as a program that adopts the object would have it. Only what is an object has one. */
  adopt?(id: string): Promise<{ id: string; inputs: Properties; outputs: Properties }>;
  /** Inputs of which no more than a digest is left, which is no secret. */
  digested?: readonly string[];
  /** What state holds of marked values under other names than theirs: those names. */
  alsoSecret?(marked: readonly SecretPath[]): readonly string[];
  /** The form of the inputs that the shared check takes. `olds` are those in state. */
  fromPlain(inputs: Properties, olds: Properties): Properties;
  /**
   * Whether an update leaves the outputs in state as they are where what the program changed sends nothing. Not where it
   * takes anew what they say of the vault, and not where it goes on with what an earlier one has left open.
   */
  lasts(olds: Properties, news: Properties): boolean;
  /** What programs read and state does not record. */
  derive(id: string, outputs: Properties): Properties | Promise<Properties>;
}

const nothing = (): Properties => ({});

const never = (): boolean => false;
const isSettled = (olds: Properties): boolean => OPEN_ENDS.every((mark) => (olds[mark] ?? null) === null);

/** By type. Types and names can never change: they stand in URNs. */
export const PLUGIN_RESOURCES: Readonly<Record<string, PluginResource>> = {
  "keyvault:index:Key": {
    schema: keySchema,
    provider: dynamicV1.key,
    identity: "object",
    digested: ["restore"],
    fromPlain: fromPlainKey,
    lasts: isSettled,
    dynamicType: "pulumi-nodejs:dynamic/keyvault:Key",
    adopt: async (id) => (await import("../provider/key/adopt-key.js")).importKey(id),
    derive: async (id, outputs) => {
      const { shownKey } = await import("../provider/key/shown-key.js");
      return { ...versionedId(id, outputs), ...shownKey(outputs) };
    },
  },
  "keyvault:index:KeyBackup": {
    schema: keyBackupSchema,
    provider: dynamicV1.keyBackup,
    identity: "owner",
    fromPlain: fromPlainMembers,
    lasts: never,
    dynamicType: "pulumi-nodejs:dynamic/keyvault:KeyBackup",
    derive: backupOutputs,
  },
  "keyvault:index:KeyInventory": {
    schema: keyInventorySchema,
    provider: dynamicV1.keyInventory,
    identity: "none",
    fromPlain: fromPlainMembers,
    lasts: never,
    dynamicType: "pulumi-nodejs:dynamic/keyvault:KeyInventory",
    derive: nothing,
  },
  "keyvault:index:KeySet": {
    schema: keySetSchema,
    provider: dynamicV1.keySet,
    identity: "owner",
    digested: ["keys"],
    alsoSecret: secretsOfSet,
    fromPlain: fromPlainSet,
    lasts: isWholeSet,
    dynamicType: "pulumi-nodejs:dynamic/keyvault:KeySet",
    derive: async (_id, outputs) => (await import("../provider/key-set/shown-key-set.js")).shownKeySet(outputs),
  },
  "keyvault:index:Secret": {
    schema: secretSchema,
    provider: dynamicV1.secret,
    identity: "object",
    digested: ["restore"],
    fromPlain: fromPlainMembers,
    lasts: isSettled,
    dynamicType: "pulumi-nodejs:dynamic/keyvault:Secret",
    adopt: async (id) => (await import("../provider/secret/adopt-secret.js")).importSecret(id),
    derive: versionedId,
  },
  "keyvault:index:SecretBackup": {
    schema: secretBackupSchema,
    provider: dynamicV1.secretBackup,
    identity: "owner",
    fromPlain: fromPlainMembers,
    lasts: never,
    dynamicType: "pulumi-nodejs:dynamic/keyvault:SecretBackup",
    derive: backupOutputs,
  },
  "keyvault:index:SecretInventory": {
    schema: secretInventorySchema,
    provider: dynamicV1.secretInventory,
    identity: "none",
    fromPlain: fromPlainMembers,
    lasts: never,
    dynamicType: "pulumi-nodejs:dynamic/keyvault:SecretInventory",
    derive: nothing,
  },
  "keyvault:index:VaultBackup": {
    schema: vaultBackupSchema,
    provider: dynamicV1.vaultBackup,
    identity: "owner",
    fromPlain: fromPlainMembers,
    lasts: never,
    dynamicType: "pulumi-nodejs:dynamic/keyvault:VaultBackup",
    derive: (_id, { covered }) => ({
      covered: { keys: coveredVersions(covered, "keys"), secrets: coveredVersions(covered, "secrets") },
    }),
  },
};

function versionedId(id: string, { version }: Properties): Properties {
  return typeof version === "string" && version !== "" ? { versionId: `${id}/${version}` } : {};
}

function backupOutputs(id: string, { covered }: Properties): Properties {
  const sourceId = id.replace(/\/backup$/, "");
  return isRecord(covered) && typeof covered.version === "string"
    ? { sourceId, version: covered.version }
    : { sourceId };
}

/** State holds `version moment`, by which an update tells what changed. */
function coveredVersions(covered: unknown, collection: "keys" | "secrets"): Record<string, string> {
  const ofKind = isRecord(covered) ? covered[collection] : undefined;
  if (!isRecord(ofKind)) return {};
  return Object.fromEntries(Object.entries(ofKind).map(([name, text]) => [name, parseCovered(String(text)).version]));
}
