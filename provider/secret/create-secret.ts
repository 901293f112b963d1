import type { Properties } from "../engine/lifecycle.js";
import { createObject } from "../object/create-object.js";
import { readSecretInputs } from "./recorded-secret.js";
import { SECRET } from "./secret-kind.js";

/** What happens where the engine makes a Secret. */
export async function createSecret(properties: Properties): Promise<{ id: string; outs: Properties }> {
  return createObject(SECRET, readSecretInputs(properties));
}
