import type { ResourceLifecycle } from "../engine/lifecycle.js";
import { loadedOnce } from "../engine/loaded-once.js";
import { diffObject } from "../object/diff-object.js";
import { tellRefusal } from "../object/tell-refusal.js";
import { KEY_ATTRIBUTES } from "./key-attributes.js";

const checking = loadedOnce(() => import("./check-key.js"));
const creation = loadedOnce(() => import("./create-key.js"));
const reading = loadedOnce(() => import("./read-key.js"));
const update = loadedOnce(() => import("./update-key.js"));
const deletion = loadedOnce(() => import("./delete-key.js"));

/** What happens to a Key on each call of the engine. Each loads what it needs, and no preview waits for what only an update has to have. */
export const keyLifecycle: ResourceLifecycle = {
  check: async (olds, news) => (await checking()).checkKey(olds, news),
  diff: async (_id, olds, news) => {
    await tellRefusal(olds, news, KEY_ATTRIBUTES.clearedByVersion, async () => {
      const { refusalOfKeyUpdate } = await import("./refusal-of-key-update.js");
      return refusalOfKeyUpdate(olds, news);
    });
    return diffObject("key", olds, news);
  },
  create: async (properties) => (await creation()).createKey(properties),
  read: async (id, props) => (await reading()).readKey(id, props),
  update: async (id, olds, news) => (await update()).updateKey(id, olds, news),
  delete: async (_id, props) => (await deletion()).deleteKey(props),
};
