import type { Properties } from "../provider/engine/lifecycle.js";
import { LARGEST_PARTIAL_BYTES, withoutPartial, withoutPartialRead } from "../provider/engine/partial-size.js";
import { packedStatus, statusMetadata } from "../provider/engine/partial-status.js";
import type { Grpc } from "../provider/engine/sdk-protocol.js";
import { withoutShown } from "../provider/engine/shown-outputs.js";
import type { PartialOutcome } from "./resource-calls.js";
import { writeProperties } from "./wire-properties.js";

/**
 * Go's gRPC reads what was recorded from a status in the trailer, which has a limit. Where it comes to that, what is only
 * derived stays out: the next refresh brings it.
 *
 * @param secretInputs which inputs are secret, of what a read has found; by default those of the outputs.
 */
export function partialStatus(
  outcome: PartialOutcome,
  secrets: ReadonlySet<string>,
  secretInputs: ReadonlySet<string> = secrets,
): Error {
  const packed = (outputs: Properties): Buffer =>
    packedStatus({
      message: outcome.message,
      id: outcome.id,
      reasons: outcome.reasons,
      properties: writeProperties(outputs, secrets),
      inputs: outcome.inputs && writeProperties(outcome.inputs, secretInputs),
    });
  const whole = packed(outcome.outputs);
  const status = whole.length <= LARGEST_PARTIAL_BYTES ? whole : packed(withoutShown(outcome.outputs));
  if (status.length > LARGEST_PARTIAL_BYTES) {
    const tooLarge = outcome.inputs === undefined ? withoutPartial : withoutPartialRead;
    return new Error(tooLarge(outcome.message, status.length));
  }
  return new StatusError(outcome.message, statusMetadata(status));
}

export class StatusError extends Error {
  constructor(
    message: string,
    readonly metadata: Grpc.Metadata,
  ) {
    super(message);
  }
}
