import type { VaultResponse } from "./dispatch.js";
import { type ConflictKind, KeyVaultError, type KeyVaultErrorCode } from "./errors.js";
import { hintFor } from "./hints.js";
import { isDeeperThan } from "./json-depth.js";
import { notFoundCode, OPERATIONS, type OperationName } from "./operations.js";
import { printableLine } from "./printable-text.js";
import { redact } from "./redaction.js";
import { retryAfterMs } from "./retry-after.js";
import { type ErrorEnvelope, readErrorEnvelope } from "./wire/error-envelope.js";

/** Of which call an error speaks. */
export interface CallContext {
  operation: OperationName;
  /** What errors call the vault. */
  vaultUrl: string;
  /** The vault's address, where errors call it something else: what the service says must not show it either. */
  address?: string | undefined;
  /** True for a server on loopback, whose refusals may be in words of its own. */
  isLoopback: boolean;
  plane: "vault" | "managedhsm";
  objectName?: string | undefined;
  version?: string | undefined;
  /** Texts that the request carried and that must not show. */
  secrets: readonly string[];
  /** Texts that the request carried and that may be secrets to the program: withheld where the answer repeats them. */
  echoes?: readonly string[];
}

const REASONS: Record<number, string> = {
  400: "Bad Request",
  401: "Unauthorized",
  403: "Forbidden",
  404: "Not Found",
  405: "Method Not Allowed",
  408: "Request Timeout",
  409: "Conflict",
  429: "Too Many Requests",
  500: "Internal Server Error",
  502: "Bad Gateway",
  503: "Service Unavailable",
  504: "Gateway Timeout",
};

/** Makes an error of an answer that is not a success; `now` is for a `Retry-After` that names a date. */
export function serviceError(response: VaultResponse, context: CallContext, now: number): KeyVaultError {
  const body = response.overlong ? undefined : parseJson(response.body);
  const envelope = readErrorEnvelope(body);
  const isRefusal = context.isLoopback ? isJsonOrEmpty(response, body) : envelope?.code !== undefined;
  const code = codeFor(response.status, isRefusal, envelope, context);
  const status = [String(response.status), REASONS[response.status]].filter((part) => part !== undefined).join(" ");
  const codes = codesToTell(response.status, envelope);
  // Before it is cut and folded: half a secret would no longer be known for one.
  const told = oneLine(
    redact(withoutBodies(withoutAddress(envelope?.message ?? "", context)), {
      secrets: [...context.secrets, ...(context.echoes ?? [])],
      name: context.objectName,
    }),
  );
  return new KeyVaultError(
    code,
    `${describe(context)} ${VERBS[code] ?? "failed"} (${[status, ...codes].join(", ")})${told}`,
    {
      operation: context.operation,
      vaultUrl: context.vaultUrl,
      objectName: context.objectName,
      version: context.version,
      requestId: requestIdOf(response),
      status: response.status,
      serviceCode: knownCode(envelope?.code),
      innerCode: knownCode(envelope?.innerCode),
      conflict: response.status === 409 ? conflictKind(envelope) : undefined,
      objectDisabled: code === "KV_FORBIDDEN" && saysDisabled(envelope),
      retryAfterMs: retryAfterMs(response, now),
      hint:
        code === "KV_PROTOCOL"
          ? strangerHint(response.status)
          : hintFor(code, { ...context, innerCode: envelope?.innerCode }),
      mayHaveHappened: mayHaveHappened(code, response, context),
      secrets: context.secrets,
    },
  );
}

/** `importKey "orders" in https://v.vault.azure.net`, the subject of every message. */
export function describe({ operation, objectName, version, vaultUrl }: CallContext): string {
  const object =
    objectName === undefined ? "" : ` "${version === undefined ? objectName : `${objectName}/${version}`}"`;
  return `${operation}${object} in ${vaultUrl}`;
}

/** The service's request id, for support requests. */
export function requestIdOf({ headers }: VaultResponse): string | undefined {
  const id = headers["x-ms-request-id"];
  return id !== undefined && /^[\w-]{1,128}$/.test(id) ? id : undefined;
}

/** No answer of the service is deeper than ten or so; a deep one costs far more than its length. */
const DEEPEST = 100;
/** Shorter ones cost nothing however deep they are. */
const WORTH_A_LOOK = 64 * 1024;

/** The JSON of an answer; undefined where it is none, or one too deep to be the service's. */
export function parseJson(text: string): unknown {
  if (text.length > WORTH_A_LOOK && isDeeperThan(DEEPEST, text)) return undefined;
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

const VERBS: Partial<Record<KeyVaultErrorCode, string>> = {
  KV_UNAUTHENTICATED: "was refused",
  KV_FORBIDDEN: "was refused",
  KV_BACKUP_REJECTED: "was refused",
  KV_INVALID_INPUT: "was rejected",
  KV_NOT_FOUND: "found nothing",
  KV_THROTTLED: "was throttled",
  KV_PROTOCOL: "got an answer that is not Key Vault's",
};

function isJsonOrEmpty(response: VaultResponse, body: unknown): boolean {
  return body !== undefined || (response.body.trim() === "" && response.overlong !== true);
}

/**
 * What a status means. The service explains each refusal in its envelope: one without that is somebody else's, a proxy's or a gateway's, and says nothing of the
 * vault (`isRefusal`). Servers on loopback may leave the body away, or have an envelope of their own.
 */
function codeFor(
  status: number,
  isRefusal: boolean,
  envelope: ErrorEnvelope | undefined,
  context: CallContext,
): KeyVaultErrorCode {
  if (status === 401) return "KV_UNAUTHENTICATED";
  if (status === 429) return "KV_THROTTLED";
  if (status === 408 || (status >= 500 && status < 600)) return "KV_UNAVAILABLE";
  if (status < 400 || status >= 600 || !isRefusal) return "KV_PROTOCOL";
  switch (status) {
    case 400:
      return context.operation.startsWith("restore") ? "KV_BACKUP_REJECTED" : "KV_INVALID_INPUT";
    case 403:
      return "KV_FORBIDDEN";
    case 404:
      return saysNotFound(envelope, context) ? "KV_NOT_FOUND" : "KV_PROTOCOL";
    case 409:
      return conflictCode(envelope?.innerCode);
    case 412:
      return "KV_CONFLICT";
    default:
      return "KV_INVALID_INPUT";
  }
}

/**
 * A 404 means "absent" only in the service's own word for what was asked for. Any proxy or wrong URL answers 404 too, and taking that for absence would have a
 * program create again what is there. Servers on loopback may say it in other words.
 */
function saysNotFound(envelope: ErrorEnvelope | undefined, { isLoopback, operation }: CallContext): boolean {
  return isLoopback || (envelope?.code !== undefined && envelope.code === notFoundCode(operation));
}

/** The inner codes of a 409 that tell in which state the object is. */
const CONFLICTS: ReadonlyMap<string | undefined, KeyVaultErrorCode> = new Map([
  ["ObjectIsBeingDeleted", "KV_BUSY"],
  ["ObjectIsBeingRecovered", "KV_BUSY"],
  ["ObjectIsBeingPurged", "KV_BUSY"],
  ["ObjectIsDeletedButRecoverable", "KV_DELETED_RECOVERABLE"],
]);

function conflictCode(innerCode: string | undefined): KeyVaultErrorCode {
  return CONFLICTS.get(innerCode) ?? "KV_CONFLICT";
}

function conflictKind(envelope: ErrorEnvelope | undefined): ConflictKind {
  if (conflictCode(envelope?.innerCode) !== "KV_CONFLICT") return "known";
  return envelope?.code === "Conflict" && envelope.innerCode === undefined ? "unnamed" : "foreign";
}

/** With the same inner code the service tells a caller that it may not: here its words alone make the difference. */
const DISABLED_WORDS: ReadonlySet<string> = new Set([
  "operation get is not permitted on this object",
  "operation get is not allowed on a disabled secret",
]);

/** Whether a 403 is about the object and not about who asks: only a disabled secret is refused so, deleted or not. */
function saysDisabled({ code, innerCode, message }: ErrorEnvelope = {}): boolean {
  if (code !== "Forbidden") return false;
  if (innerCode === "SecretDisabled") return true;
  if (innerCode !== undefined && innerCode !== "AccessDenied") return false;
  return DISABLED_WORDS.has((message ?? "").trim().replace(/\.$/, "").toLowerCase());
}

function strangerHint(status: number): string {
  return status >= 300 && status < 400
    ? "redirects are never followed: a vault sends none. Check the vault URL and any proxy in between."
    : "check the vault URL and any proxy or gateway in between.";
}

/** A write may have happened after anything but a refusal in the service's own form. */
function mayHaveHappened(
  code: KeyVaultErrorCode,
  { neverAccepted }: VaultResponse,
  { operation }: CallContext,
): boolean {
  if (!OPERATIONS[operation].write || neverAccepted === true) return false;
  return code === "KV_UNAVAILABLE" || code === "KV_PROTOCOL";
}

/** Outer and inner code, without what the status says already. */
function codesToTell(status: number, envelope: ErrorEnvelope | undefined): string[] {
  const said = REASONS[status]?.replaceAll(" ", "").toLowerCase();
  const told = [knownCode(envelope?.code), knownCode(envelope?.innerCode)];
  return [...new Set(told)].filter((code) => code !== undefined).filter((code) => code.toLowerCase() !== said);
}

/** Codes are words; anything else is not repeated. */
function knownCode(code: string | undefined): string | undefined {
  return code !== undefined && /^[\w.:() -]{1,80}$/.test(code) ? code : undefined;
}

/** An embedded vault names objects by the address that it has inside, which nobody can use. */
function withoutAddress(message: string, { address, vaultUrl }: CallContext): string {
  return address === undefined ? message : message.replaceAll(address, vaultUrl);
}

/**
 * The service's words hold no JSON. A gateway's may: the body of a request, or of the vault's answer, whose values nobody knows for secrets by their looks, nor
 * by what this request carried.
 */
function withoutBodies(message: string): string {
  return message.replace(/\{\s*\\*["'][\s\S]*/, "[redacted]");
}

function oneLine(message: string): string {
  const text = printableLine(message);
  if (text === "") return "";
  return `: ${text.length > 600 ? `${text.slice(0, 600)}…` : text}`;
}
