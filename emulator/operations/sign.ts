import { sign as signWith } from "../keys/key-use.js";
import { keyUseOperation } from "../keys/key-use-operation.js";

/** Signs a digest; hashing is the caller's. */
export const sign = keyUseOperation("sign", async ({ kid, version, body }) => ({
  value: (await signWith(kid, version, body.alg, body.value)).toString("base64url"),
}));
