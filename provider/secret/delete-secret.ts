import type { Properties } from "../engine/lifecycle.js";
import { deleteObject } from "../object/delete-object.js";
import { readDeletableSecret } from "./recorded-secret.js";
import { secretObject } from "./secret-object.js";

/** What happens where the engine deletes a Secret. */
export async function deleteSecret(properties: Properties): Promise<void> {
  await deleteObject("secret", secretObject, readDeletableSecret(properties));
}
