import { z } from "zod";
import { type ObjectIdentifier, tryParseObjectIdentifier } from "../identifier.js";

export interface WireIdentifier extends ObjectIdentifier {
  id: string;
}

/** An identifier of a key or secret. Its host is not looked at: servers behind gateways, and emulators, write other hosts. */
export const objectIdentifier = z.string().transform((id, context): WireIdentifier => {
  const parsed = tryParseObjectIdentifier(id);
  if (parsed !== undefined) return { id, ...parsed };
  context.addIssue({ code: "custom", message: "not an identifier" });
  return z.NEVER;
});
