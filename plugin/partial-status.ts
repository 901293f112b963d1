import type { Properties } from "../provider/engine/lifecycle.js";
import { LARGEST_PARTIAL_BYTES, withoutPartial } from "../provider/engine/partial-size.js";
import { withoutShown } from "../provider/engine/shown-outputs.js";
import type { PartialOutcome } from "./resource-calls.js";
import { anyMessages, type Grpc, grpc, messages, statusMessages } from "./sdk-protocol.js";
import { writeProperties } from "./wire-properties.js";

/**
 * Go's gRPC reads what was recorded from a status in the trailer, which has a limit. Where it comes to that, what is only
 * derived stays out: the next refresh brings it.
 */
export function partialStatus(outcome: PartialOutcome, secrets: ReadonlySet<string>): Error {
  const whole = packed(outcome, outcome.outputs, secrets);
  const status =
    whole.length <= LARGEST_PARTIAL_BYTES ? whole : packed(outcome, withoutShown(outcome.outputs), secrets);
  if (status.length > LARGEST_PARTIAL_BYTES) return new Error(withoutPartial(outcome.message, status.length));
  const metadata = new grpc.Metadata();
  metadata.set("grpc-status-details-bin", status);
  return new StatusError(outcome.message, metadata);
}

function packed({ message, id, reasons }: PartialOutcome, outputs: Properties, secrets: ReadonlySet<string>): Buffer {
  const detail = new messages.ErrorResourceInitFailed();
  detail.setId(id);
  detail.setProperties(writeProperties(outputs, secrets));
  detail.setReasonsList([...reasons]);
  const any = new anyMessages.Any();
  any.pack(detail.serializeBinary(), "pulumirpc.ErrorResourceInitFailed");
  const status = new statusMessages.Status();
  status.setCode(grpc.status.UNKNOWN);
  status.setMessage(message);
  status.addDetails(any);
  return Buffer.from(status.serializeBinary());
}

export class StatusError extends Error {
  constructor(
    message: string,
    readonly metadata: Grpc.Metadata,
  ) {
    super(message);
  }
}
