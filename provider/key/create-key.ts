import type { Created, Properties } from "../engine/lifecycle.js";
import { createObject } from "../object/create-object.js";
import { KEY } from "./key-kind.js";
import { readKeyInputs } from "./recorded-key.js";

/** What happens where the engine makes a Key. */
export async function createKey(properties: Properties): Promise<Created> {
  return createObject(KEY, readKeyInputs(properties));
}
