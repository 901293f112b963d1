import { seal } from "../keys/key-use.js";
import { keyUseOperation } from "../keys/key-use-operation.js";

/** Wraps a symmetric key. */
export const wrapKey = keyUseOperation("wrapKey", ({ kid, version, body }) => {
  const sealed = seal(kid, version, body.alg, body.value, { iv: body.iv, aad: body.aad });
  return {
    value: sealed.value.toString("base64url"),
    iv: sealed.iv?.toString("base64url"),
    tag: sealed.tag?.toString("base64url"),
    aad: body.aad?.toString("base64url"),
  };
});
