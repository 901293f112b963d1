import type { Answer } from "../operation.js";
import { ServiceError } from "../service-error.js";
import type { FaultRule } from "./faults.js";

/** An answer, what to write down of it, and what is to go wrong with it. */
export interface Outcome extends Answer {
  readonly operation: string;
  readonly headers?: Readonly<Record<string, string>>;
  readonly fault?: FaultRule;
}

/** The service's envelope. What is not one of its refusals is a fault of the emulator, and its text may hold anything. */
export function refusal(plane: "vault" | "managedhsm", error: unknown): Answer {
  const known =
    error instanceof ServiceError
      ? error
      : new ServiceError(500, "InternalServerError", "The emulator failed to process the request.");
  const message =
    plane === "managedhsm" ? `${known.message} (Activity ID: ${globalThis.crypto.randomUUID()})` : known.message;
  const inner = known.innerCode === undefined ? {} : { innererror: { code: known.innerCode } };
  return { status: known.status, body: { error: { code: known.code, message, ...inner } } };
}
