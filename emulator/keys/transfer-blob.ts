import type { Context } from "../operation.js";
import { badParameter } from "../service-error.js";
import type { KeyPair } from "./generate-key.js";

/** A stand-in until the transfer blob is opened for real. */
export function openTransfer(_context: Context, _jwk: Record<string, unknown>, _blob: string): KeyPair {
  throw badParameter("The key transfer blob is not valid.");
}
