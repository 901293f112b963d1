import type { KeyReleasePolicy } from "../key-bundle.js";
import { attributesCodec } from "./attributes.js";
import { encodeWire, present } from "./json.js";
import { releasePolicyCodec } from "./release-policy.js";

/** What a program may set on a key or secret version. */
export interface SettableAttributes {
  enabled?: boolean;
  notBefore?: Date;
  expiresOn?: Date;
  exportable?: boolean;
}

/** The members that create, import, set and update share. Attributes are left out when none is given. */
export function describing(
  p: SettableAttributes & { tags?: Record<string, string>; releasePolicy?: KeyReleasePolicy },
) {
  const { enabled, notBefore, expiresOn, exportable } = p;
  const attributes = present({ enabled, notBefore, expiresOn, exportable });
  return present({
    attributes: Object.keys(attributes).length === 0 ? undefined : encodeWire(attributesCodec, attributes),
    tags: p.tags,
    release_policy: p.releasePolicy === undefined ? undefined : encodeWire(releasePolicyCodec, p.releasePolicy),
  });
}
