import { printableText } from "./printable-text.js";
import { redact, sanitizeCause } from "./redaction.js";

/** What went wrong, in one word to switch on. `docs/errors.md` has a row for each. */
export type KeyVaultErrorCode =
  | "KV_INVALID_INPUT"
  | "KV_INVALID_KEY_MATERIAL"
  | "KV_UNAUTHENTICATED"
  | "KV_FORBIDDEN"
  | "KV_NOT_FOUND"
  | "KV_ALREADY_EXISTS"
  | "KV_DELETED_RECOVERABLE"
  | "KV_UNMANAGED"
  | "KV_BUSY"
  | "KV_CONFLICT"
  | "KV_BACKUP_REJECTED"
  | "KV_THROTTLED"
  | "KV_UNAVAILABLE"
  | "KV_TIMEOUT"
  | "KV_TRANSPORT"
  | "KV_UNCERTAIN"
  | "KV_PROTOCOL";

const RETRYABLE: ReadonlySet<KeyVaultErrorCode> = new Set([
  "KV_BUSY",
  "KV_THROTTLED",
  "KV_UNAVAILABLE",
  "KV_TRANSPORT",
]);

/**
 * How well a 409 explains itself: `known` by an inner code of the service, `unnamed` where the service gave none (a restore, a recover, a parallel write),
 * `foreign` in words that are not the service's, as emulators have them. Only `known` says in which state the object is: after the others, look.
 */
export type ConflictKind = "known" | "unnamed" | "foreign";

export interface KeyVaultErrorDetails {
  operation?: string | undefined;
  vaultUrl?: string | undefined;
  objectName?: string | undefined;
  version?: string | undefined;
  requestId?: string | undefined;
  status?: number | undefined;
  /** `error.code` of the service's answer. */
  serviceCode?: string | undefined;
  /** `error.innererror.code` of the service's answer. */
  innerCode?: string | undefined;
  /** For a 409. */
  conflict?: ConflictKind | undefined;
  /** For a 403: that it is about the object, which is disabled. */
  objectDisabled?: boolean | undefined;
  /** How long the service asks to wait, where it says so. */
  retryAfterMs?: number | undefined;
  /** Default: by code (busy, throttled, unavailable and transport failures are worth repeating). */
  retryable?: boolean | undefined;
  /** What to do about it. Appended to the message. */
  hint?: string | undefined;
  /** Default: true for `KV_UNCERTAIN` alone. */
  mayHaveHappened?: boolean | undefined;
  cause?: unknown;
  /** Texts that the request carried and that must not show, whatever the service echoes. Not kept. */
  secrets?: readonly string[] | undefined;
}

/**
 * The one error of this room: what failed, on what, why, what to do.
 *
 * The constructor redacts the message, the hint and the cause, so that no token, private number, blob or value can travel in an error, and writes out control
 * and escape sequences, so that no answer can speak to a terminal.
 */
export class KeyVaultError extends Error {
  override readonly name = "KeyVaultError";
  readonly code: KeyVaultErrorCode;
  declare readonly operation?: string;
  declare readonly vaultUrl?: string;
  /** Name of the key or secret. */
  declare readonly objectName?: string;
  declare readonly version?: string;
  /** The service's `x-ms-request-id`, to quote in a support request. */
  declare readonly requestId?: string;
  declare readonly status?: number;
  declare readonly serviceCode?: string;
  declare readonly innerCode?: string;
  /** For a 409: how well it explains itself. */
  declare readonly conflict?: ConflictKind;
  /** For a 403: true where the service says that the object is disabled, and so that it is there. Else it is about the caller, or untold. */
  declare readonly objectDisabled?: boolean;
  /** Milliseconds that the service asked to wait (`Retry-After`); absent where it did not, which is the rule. */
  declare readonly retryAfterMs?: number;
  /** True where the same call may succeed later without anything being changed. */
  readonly retryable: boolean;
  readonly hint: string;
  /** A write whose answer was lost: it may or may not have been carried out. Look before anything else is sent. */
  readonly mayHaveHappened: boolean;

  constructor(code: KeyVaultErrorCode, message: string, details: KeyVaultErrorDetails = {}) {
    const redaction = { secrets: details.secrets ?? [], name: details.objectName };
    const clean = (text: string) => printableText(redact(text, redaction));
    const hint = clean(details.hint ?? "");
    const cause = sanitizeCause(details.cause, redaction);
    super(withHint(clean(message), hint), cause === undefined ? undefined : { cause });
    this.code = code;
    this.hint = hint;
    this.retryable = details.retryable ?? RETRYABLE.has(code);
    this.mayHaveHappened = details.mayHaveHappened ?? code === "KV_UNCERTAIN";
    if (details.operation !== undefined) this.operation = details.operation;
    if (details.vaultUrl !== undefined) this.vaultUrl = clean(details.vaultUrl);
    if (details.objectName !== undefined) this.objectName = clean(details.objectName);
    if (details.version !== undefined) this.version = clean(details.version);
    if (details.requestId !== undefined) this.requestId = clean(details.requestId);
    if (details.status !== undefined) this.status = details.status;
    if (details.serviceCode !== undefined) this.serviceCode = clean(details.serviceCode);
    if (details.innerCode !== undefined) this.innerCode = clean(details.innerCode);
    if (details.conflict !== undefined) this.conflict = details.conflict;
    if (details.objectDisabled === true) this.objectDisabled = true;
    if (details.retryAfterMs !== undefined) this.retryAfterMs = details.retryAfterMs;
  }
}

function withHint(message: string, hint: string): string {
  if (hint === "" || message.includes(hint)) return message;
  if (!/[.!?]$/.test(message)) return `${message}: ${hint}`;
  return `${message} ${hint.charAt(0).toUpperCase()}${hint.slice(1)}`;
}

/** Narrows a caught value to a KeyVaultError, of one code if given. */
export function isKeyVaultError(error: unknown, code?: KeyVaultErrorCode): error is KeyVaultError {
  return error instanceof KeyVaultError && (code === undefined || error.code === code);
}
