import type { ResourceLifecycle } from "../engine/lifecycle.js";
import { diffObject } from "../object/diff-object.js";
import { tellRefusal } from "../object/tell-refusal.js";
import { KEY_ATTRIBUTES } from "./key-attributes.js";

/** What happens to a Key on each call of the engine. Each loads what it needs, and no preview waits for what only an update has to have. */
export const keyLifecycle: ResourceLifecycle = {
  check: async (olds, news) => (await import("./check-key.js")).checkKey(olds, news),
  diff: async (_id, olds, news) => {
    await tellRefusal(olds, news, KEY_ATTRIBUTES.clearedByVersion, async () => {
      const { refusalOfKeyUpdate } = await import("./refusal-of-key-update.js");
      return refusalOfKeyUpdate(olds, news);
    });
    return diffObject("key", olds, news);
  },
  create: async (properties) => (await import("./create-key.js")).createKey(properties),
  read: async (id, props) => (await import("./read-key.js")).readKey(id, props),
  update: async (id, olds, news) => (await import("./update-key.js")).updateKey(id, olds, news),
  delete: async (_id, props) => (await import("./delete-key.js")).deleteKey(props),
};
