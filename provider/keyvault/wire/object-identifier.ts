import { z } from "zod";
import { isValidObjectName, tryParseObjectIdentifier } from "../identifier.js";
import { address } from "./word.js";

export interface WireIdentifier {
  id: string;
  name: string;
  version?: string;
}

/**
 * An identifier of a key or secret, deleted or not. Its host is not looked at: servers behind gateways, and emulators, write other hosts. The service's versions
 * are 32 hex digits; emulators have others.
 */
export function objectIdentifier(collection: "keys" | "secrets") {
  return address.transform((id, context): WireIdentifier => {
    const { collection: found, name, version } = tryParseObjectIdentifier(id) ?? {};
    const isOfKind = found === collection || found === `deleted${collection}`;
    if (isOfKind && name !== undefined && isValidObjectName(name) && (version === undefined || isVersion(version))) {
      return version === undefined ? { id, name } : { id, name, version };
    }
    context.addIssue({ code: "custom", message: "not an identifier" });
    return z.NEVER;
  });
}

function isVersion(text: string): boolean {
  return /^[0-9A-Za-z_-]{1,128}$/.test(text);
}
