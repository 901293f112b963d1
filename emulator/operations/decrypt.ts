import { open } from "../keys/key-use.js";
import { keyUseOperation } from "../keys/key-use-operation.js";

/** With the private part of a key, or with AES on a Managed HSM. */
export const decrypt = keyUseOperation("decrypt", ({ kid, version, body }) => {
  const { value, iv, tag } = body;
  const sealed = { value, ...(iv === undefined ? {} : { iv }), ...(tag === undefined ? {} : { tag }) };
  return { value: open(kid, version, body.alg, sealed, { iv, aad: body.aad }).toString("base64url") };
});
