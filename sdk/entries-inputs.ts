import * as pulumi from "@pulumi/pulumi";
import { restoreInputs } from "./backup-resource.js";
import { refuseLostTags } from "./carried-maps.js";
import { importInputs } from "./key.js";
import type { Entries, KeySetEntry } from "./key-set.js";
import { refuseSecretEntry, unencryptedSettings, withSecrecy } from "./unencrypted-settings.js";

/** The keys of a set as the provider is given them: secret where they hold material, and refused where a setting is. */
export function entriesInputs(set: string, keys: Entries, isSecret = false): pulumi.Input<unknown> {
  if (pulumi.Output.isInstance(keys) || keys instanceof Promise) {
    return pulumi.secret(
      withSecrecy(keys, (entries, isWholeSecret) => entriesInputs(set, entries as Entries, isWholeSecret)),
    );
  }
  if (typeof keys !== "object" || keys === null) return keys;
  return Object.fromEntries(Object.entries(keys).map(([key, entry]) => [key, entryInputs(set, key, entry, isSecret)]));
}

function entryInputs(
  set: string,
  key: string,
  entry: pulumi.Input<KeySetEntry>,
  isSecret: boolean,
): pulumi.Input<unknown> {
  if (pulumi.Output.isInstance(entry) || entry instanceof Promise) {
    return pulumi.secret(
      withSecrecy(entry, (known, isWholeSecret) => entryInputs(set, key, known as KeySetEntry, isWholeSecret)),
    );
  }
  if (entry === null || typeof entry !== "object") return entry;
  const { import: material, restore, ...settings } = entry as Partial<KeySetEntry> & { restore?: never };
  refuseLostTags(`KeySet "${set}": key "${key}"`, settings.tags);
  if (isSecret) refuseSecretEntry(set, key, settings);
  return {
    ...unencryptedSettings(set, settings, key),
    ...(material === undefined || material === null ? {} : { import: importInputs<object>(material) }),
    ...restoreInputs("key", `${set}: ${key}`, restore),
  };
}
