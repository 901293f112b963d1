import { randomBytes } from "node:crypto";
import { defineOperation } from "../operation.js";
import { badParameter } from "../service-error.js";
import { integer, record } from "../shape.js";

/** 1 to 128 random bytes, from a Managed HSM only. */
export const getRandomBytes = defineOperation({
  name: "getRandomBytes",
  method: "POST",
  routes: ["/rng"],
  permission: { collection: "keys", action: "rng", dataAction: "rng" },
  throttle: "key",
  planes: ["managedhsm"],
  mode: "read",
  body: record({ count: integer(Number.MIN_SAFE_INTEGER, Number.MAX_SAFE_INTEGER) }),
  handle: (_context, body) => {
    if (body.count < 1 || body.count > 128) {
      throw badParameter("GetRandomBytesRequest: count cannot be greater than 128 or less than 1");
    }
    return { status: 200, body: { value: randomBytes(body.count).toString("base64url") } };
  },
});
