import { specificationOfVersion } from "../clock/clock-work.js";
import type { Context, Operation } from "../operation.js";
import { isRecord } from "../shape.js";
import type { Cost } from "./throttling.js";

/** What a request weighs: by the key it is about, or, where it makes one, by the key it asks for. */
export function costOf(context: Context, operation: Operation, body: Buffer): Cost {
  if (operation.throttle === "keyCreate" && body.length > 0) {
    const asked = parse(body);
    const keyType = isRecord(asked) && typeof asked.kty === "string" ? asked.kty : undefined;
    return { operation, keyType, keySize: undefined };
  }
  if (operation.permission.collection === "secrets" || context.name === "") {
    return { operation, keyType: undefined, keySize: undefined };
  }
  const object = context.store.find(context.vault.name, "keys", context.name);
  if (object === undefined) return { operation, keyType: undefined, keySize: undefined };
  const version = context.store.version({ ...object, collection: "keys" }, context.version ?? object.current);
  if (version === undefined) return { operation, keyType: undefined, keySize: undefined };
  const { keyType, size } = specificationOfVersion(version);
  return { operation, keyType, keySize: version.key.n === undefined ? undefined : size };
}

function parse(body: Buffer): unknown {
  try {
    return JSON.parse(body.toString("utf8"));
  } catch {
    return undefined;
  }
}
