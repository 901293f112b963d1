import type { Properties } from "../engine/lifecycle.js";
import { deleteObject } from "../object/delete-object.js";
import { keyObject } from "./key-object.js";
import { readDeletableKey } from "./recorded-key.js";

/** What happens where the engine deletes a Key. */
export async function deleteKey(properties: Properties): Promise<void> {
  await deleteObject("key", keyObject, readDeletableKey(properties));
}
