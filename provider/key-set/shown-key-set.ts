import type { Properties } from "../engine/lifecycle.js";
import { recordedThumbprint } from "../key/key-outputs.js";
import { unpackRecords } from "./packed-records.js";

/** What a program can read of all keys of a set, and that follows from what state records. */
export function shownKeySet({ vaultUrl, records }: Properties): Properties {
  const keys = [...unpackRecords(records)];
  const thumbprints = keys.map(([name, { facts }]) => [name, recordedThumbprint(facts)]);
  return {
    names: keys.map(([name]) => name),
    versionIds: Object.fromEntries(
      keys.map(([name, { facts }]) => [name, `${vaultUrl}/keys/${name}/${facts.version}`]),
    ),
    thumbprints: Object.fromEntries(thumbprints.filter(([, thumbprint]) => thumbprint !== undefined)),
  };
}
