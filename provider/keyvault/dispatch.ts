import type { Deadline } from "./deadline.js";
import type { OperationName } from "./operations.js";

/** One request on its way through the layers. */
export interface VaultRequest {
  readonly operation: OperationName;
  readonly method: "GET" | "PUT" | "POST" | "PATCH" | "DELETE";
  /** Path and query, always sent to the vault's own origin. */
  readonly path: string;
  readonly body?: string;
  readonly headers: Readonly<Record<string, string>>;
  readonly deadline: Deadline;
  /** Ends waiting for a turn or for another try, and nothing that is on its way. */
  readonly stop?: AbortSignal | undefined;
  /** The look that a write rests on. */
  readonly ground?: Ground | undefined;
}

/** What was looked at before a write was decided on, to be looked at again where the write has to wait. */
export interface Ground {
  /** By the client's clock. */
  lookedAt: number;
  /** Throws where the write must not be sent any more. */
  lookAgain(): Promise<void>;
}

export interface VaultResponse {
  status: number;
  /** Names in lower case; repeated headers joined with a comma. */
  headers: Readonly<Record<string, string>>;
  body: string;
  /** True where the body was longer than any answer of the service, and was not read to its end. */
  overlong?: boolean;
  /** True where the service cannot have carried the request out, whatever the status says: it had been sent without its body. */
  neverAccepted?: boolean;
}

/** Sends a request and resolves with whatever was answered; rejects with a {@link TransportFailure} when nothing was. */
export type Dispatch = (request: VaultRequest) => Promise<VaultResponse>;

/** A behaviour composed around dispatch. */
export type Layer = (next: Dispatch) => Dispatch;

/** Composes layers around dispatch; the first one listed is the outermost. */
export function compose(dispatch: Dispatch, ...layers: Layer[]): Dispatch {
  return layers.reduceRight((next, layer) => layer(next), dispatch);
}

/** No answer came: a socket, DNS, TLS or proxy failure. */
export class TransportFailure extends Error {
  override readonly name = "TransportFailure";
  /** False where not one byte of the request can have reached the service. */
  readonly sent: boolean;
  readonly reason: string;

  constructor(cause: unknown, sent: boolean) {
    super("no answer came from the vault", { cause });
    this.sent = sent;
    this.reason = failureCode(cause);
  }
}

/** The system's or undici's code of a failure (`ECONNREFUSED`, `ENOTFOUND`, …), however deep it lies. */
function failureCode(cause: unknown, depth = 0): string {
  if (!(cause instanceof Error) || depth > 3) return "UNKNOWN";
  const code: unknown = "code" in cause ? cause.code : undefined;
  if (typeof code === "string") return code;
  if (cause instanceof AggregateError && cause.errors.length > 0) return failureCode(cause.errors[0], depth + 1);
  return failureCode(cause.cause, depth + 1);
}
