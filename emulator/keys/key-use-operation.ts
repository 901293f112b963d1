import { readable } from "../object/lifecycle.js";
import { currentOrNamed } from "../object/named-version.js";
import { type Answer, type Context, defineOperation, type Operation } from "../operation.js";
import { optional, record, type ShapeOf, text } from "../shape.js";
import type { StoredKeyVersion } from "../store/stored-object.js";
import { base64url } from "./base64url.js";
import { plane } from "./key-bundle.js";
import { type KeyUseName, requireKnownAlgorithm, requireUsable } from "./key-use.js";

const most = 16 * 1024;
const rules = record({
  alg: text(64),
  value: base64url(most),
  digest: optional(base64url(most)),
  iv: optional(base64url(16)),
  tag: optional(base64url(16)),
  aad: optional(base64url(most)),
});

/** One use of a key: what is asked, and the key as the operation may see it. */
export interface KeyUse {
  readonly kid: string;
  readonly version: StoredKeyVersion;
  readonly body: ShapeOf<typeof rules>;
}

/**
 * An operation that uses a key. The key is looked up in a transaction; the arithmetic is done outside of it.
 *
 * @param use gives the answer's members beside `kid`.
 */
export function keyUseOperation(
  name: KeyUseName,
  use: (given: KeyUse) => Record<string, unknown> | Promise<Record<string, unknown>>,
  withKid = true,
): Operation {
  const action = name.toLowerCase();
  return defineOperation({
    name,
    method: "POST",
    routes: [`/keys/{name}/{version}/${action}`, `/keys/{name}/${action}`],
    permission: { collection: "keys", action: name, dataAction: action.replace(/key$/, "") },
    throttle: "key",
    mode: "read",
    body: rules,
    prepare: async (context, body) => {
      const { kid, version } = context.store.transaction("read", () => find(context));
      requireUsable(version, name, context.seconds);
      requireKnownAlgorithm(body.alg, context.apiVersion);
      const members = await use({ kid, version, body });
      if (!withKid) return members;
      return plane(context.vault, {
        kid,
        ...(context.vault.plane === "managedhsm" ? { alg: body.alg } : {}),
        ...members,
      });
    },
    handle: (_context, _body, members): Answer => ({ status: 200, body: members }),
  });
}

function find(context: Context): { kid: string; version: StoredKeyVersion } {
  const object = readable(context, "keys");
  const version = currentOrNamed(context, object);
  return { kid: `${context.origin}/keys/${object.name}/${version.version}`, version };
}
