import { verify as verifyWith } from "../keys/key-use.js";
import { keyUseOperation } from "../keys/key-use-operation.js";
import { invalidProperties } from "../service-error.js";

/** Says whether a signature is of that digest. */
export const verify = keyUseOperation(
  "verify",
  async ({ kid, version, body }) => {
    if (body.digest === undefined) throw invalidProperties();
    return { value: await verifyWith(kid, version, body.alg, body.digest, body.value) };
  },
  false,
);
