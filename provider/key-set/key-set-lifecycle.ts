import { isRecord } from "../engine/input-check.js";
import type { Properties, ResourceLifecycle } from "../engine/lifecycle.js";
import { keyLifecycle } from "../key/key-lifecycle.js";
import { noteProven } from "../object/declared-objects.js";
import { replacedBy } from "../vault/replaced-by.js";
import { isSameVault } from "../vault/vault-identity.js";
import { checkKeySet } from "./check-key-set.js";
import { addressOf, keyInputsOf } from "./key-set-inputs.js";
import { keyOutputsOf } from "./key-set-outputs.js";
import { unpackRecords } from "./packed-records.js";

/**
 * What happens to a KeySet on each call of the engine. It has no life of its own: every key in it is made, read, changed
 * and deleted by the lifecycle of a Key.
 */
export const keySetLifecycle: ResourceLifecycle = {
  check: checkKeySet,

  diff: async (_id, olds, news) => {
    await lookAtEach(olds, news);
    return {
      changes: undefined,
      replaces: replacedBy(olds, news),
      // There is only one key of a name: the old set has to go first where the same vault gets another one.
      deleteBeforeReplace: isSameVault(olds.vaultUrl, news.vaultUrl),
    };
  },

  create: async (properties) => (await import("./update-key-set.js")).createKeySet(properties),
  read: async (id, props) => (await import("./read-key-set.js")).readKeySet(id, props),
  update: async (id, olds, news) => (await import("./update-key-set.js")).updateKeySet(id, olds, news),
  delete: async (_id, props) => (await import("./delete-key-set.js")).deleteKeySet(props),
};

/** What the difference of a Key notes for the run, and tells of it. */
async function lookAtEach(olds: Properties, news: Properties): Promise<void> {
  const { keys } = news;
  if (!isRecord(keys)) return;
  for (const [name, record] of unpackRecords(olds.records)) {
    noteProven("key", addressOf(olds, name));
    const entry = keys[name];
    if (!isRecord(entry)) continue;
    await keyLifecycle.diff("", keyOutputsOf(olds, name, record), keyInputsOf(news, name, entry));
  }
}
