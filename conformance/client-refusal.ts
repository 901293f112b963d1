import { inspect } from "node:util";
import { KeyVaultError } from "../provider/keyvault/errors.js";
import { errorOf, isObject, objectAt, stringAt } from "./json.js";
import { operationOf } from "./operation.js";
import type { Exchange } from "./recording.js";

export interface Refusal {
  exchange: Exchange;
  /** The request id that the server sent. */
  requestId: string;
  /** The bearer token that the client used. */
  token: string;
}

/** A refusal has to be an error with the code that status and inner code demand, the request id, and no secret. */
export function compareRefusal(error: unknown, { exchange, requestId, token }: Refusal): string[] {
  if (!(error instanceof KeyVaultError))
    return [`no KeyVaultError: ${error instanceof Error ? error.name : typeof error}`];
  const { status, body } = exchange.response;
  const answer = errorOf(body) ?? errorOf({ error: body });
  const failures: string[] = [];
  const expect = (what: string, found: unknown, expected: unknown) => {
    if (found !== expected) failures.push(`${what}: ${String(found)} for ${String(expected)}`);
  };
  expect("code", error.code, demandedCode(exchange));
  expect("status", error.status, status);
  expect("service code", error.serviceCode, answer?.code);
  expect("inner code", error.innerCode, answer?.innerCode);
  expect("request id", error.requestId, requestId);
  expect("mayHaveHappened", error.mayHaveHappened, (status >= 500 || isPage(exchange.response)) && isWrite(exchange));
  const shown = [error.message, error.hint, error.stack, JSON.stringify(error), inspect(error, { depth: 10 })].join(
    "\n",
  );
  if ([token, ...secretsIn(exchange)].some((secret) => shown.includes(secret))) failures.push("a secret shows");
  if (error.hint === "") failures.push("no hint");
  return failures;
}

const READS: ReadonlySet<string> = new Set(["backup", "crypto", "release"]);

/** Some of what is posted changes nothing. */
function isWrite({ request }: Exchange): boolean {
  return request.method !== "GET" && !READS.has(operationOf(request.method, request.path).kind);
}

/** A front end's page in place of the service's refusal: nothing that is known to be the vault's. */
function isPage({ status, headers }: Exchange["response"]): boolean {
  return status >= 400 && status < 500 && /^text\/html/i.test(headers["content-type"] ?? "");
}

function demandedCode({ request, response }: Exchange): string {
  const innerCode = errorOf(response.body)?.innerCode;
  if (isPage(response)) return "KV_PROTOCOL";
  switch (response.status) {
    case 400:
      return operationOf(request.method, request.path).kind === "restore" ? "KV_BACKUP_REJECTED" : "KV_INVALID_INPUT";
    case 401:
      return "KV_UNAUTHENTICATED";
    case 403:
      return "KV_FORBIDDEN";
    case 404:
      return "KV_NOT_FOUND";
    case 409:
      if (innerCode === "ObjectIsDeletedButRecoverable") return "KV_DELETED_RECOVERABLE";
      return innerCode?.startsWith("ObjectIsBeing") ? "KV_BUSY" : "KV_CONFLICT";
    case 429:
      return "KV_THROTTLED";
    default:
      return response.status >= 500 ? "KV_UNAVAILABLE" : "KV_INVALID_INPUT";
  }
}

/** Private members, values and blobs of the request. Short ones occur in texts by chance. */
function secretsIn({ request }: Exchange): string[] {
  const { body } = request;
  if (!isObject(body)) return [];
  const privates = ["d", "p", "q", "dp", "dq", "qi", "k", "key_hsm"].map((member) =>
    stringAt(objectAt(body, "key"), member),
  );
  return [...privates, stringAt(body, "value")].filter(
    (secret) => secret !== undefined && secret.length >= 4,
  ) as string[];
}
