import { TransportFailure } from "./dispatch.js";
import { KeyVaultError } from "./errors.js";
import { OPERATIONS } from "./operations.js";
import { type CallContext, describe } from "./service-error.js";

/** How a call ended that got no answer. */
export interface CallEnd {
  timeoutMs: number;
  isExpired: boolean;
  /** By its caller. */
  isCancelled: boolean;
  reason: unknown;
}

/** Makes an error of a call that got no answer. */
export function callFailure(
  failure: unknown,
  context: CallContext,
  { timeoutMs, isExpired, isCancelled, reason: endReason }: CallEnd,
): KeyVaultError {
  const sent = failure instanceof TransportFailure && failure.sent;
  const mayHaveHappened = sent && OPERATIONS[context.operation].write;
  const { operation, vaultUrl, objectName, version, secrets } = context;
  const details = { operation, vaultUrl, objectName, version, secrets, mayHaveHappened };
  const doubt = mayHaveHappened ? " The request may have been carried out: look before it is sent again." : "";
  if (isExpired || isCancelled) {
    const why = isExpired ? `did not end within ${timeoutMs / 1000} s` : "was cancelled";
    return new KeyVaultError("KV_TIMEOUT", `${describe(context)} ${why}`, {
      ...details,
      retryable: isExpired && !sent && OPERATIONS[context.operation].write,
      hint: `${isExpired ? "allow more time, or check the connection to the vault." : "the caller ended it."}${doubt}`,
      cause: isExpired ? failureCause(failure) : endReason,
    });
  }
  const reason = failure instanceof TransportFailure ? failure.reason : "UNKNOWN";
  return new KeyVaultError("KV_TRANSPORT", `${describe(context)} got no answer (${reason})`, {
    ...details,
    retryable: !mayHaveHappened && !reason.includes("CERT"),
    hint: `${hintForReason(reason)}${doubt}`,
    cause: failureCause(failure),
  });
}

function failureCause(failure: unknown): unknown {
  return failure instanceof TransportFailure ? failure.cause : failure;
}

function hintForReason(reason: string): string {
  switch (reason) {
    case "ENOTFOUND":
    case "EAI_AGAIN":
      return "the vault's name does not resolve: check its spelling, or the private DNS zone of a private endpoint.";
    case "ECONNREFUSED":
      return "nothing listens at that address.";
    case "DEPTH_ZERO_SELF_SIGNED_CERT":
    case "SELF_SIGNED_CERT_IN_CHAIN":
    case "UNABLE_TO_GET_ISSUER_CERT":
    case "UNABLE_TO_GET_ISSUER_CERT_LOCALLY":
    case "UNABLE_TO_VERIFY_LEAF_SIGNATURE":
      return "the server's certificate is not trusted: name its CA in NODE_EXTRA_CA_CERTS before the process starts.";
    case "ERR_TLS_CERT_ALTNAME_INVALID":
    case "CERT_HAS_EXPIRED":
      return "the server's certificate is not valid for this host and time.";
    default:
      return "check the network, the proxy and the firewall between here and the vault.";
  }
}
