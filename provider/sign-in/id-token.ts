import { type Clock, delay, systemClock } from "../keyvault/clock.js";
import { isKeyVaultError, KeyVaultError } from "../keyvault/errors.js";
import { isLoopbackHost } from "../keyvault/identifier.js";
import { type IdTokenRequest, idTokenRequest } from "./id-token-request.js";
import type { IdTokenSource } from "./sign-in.js";
import { readText } from "./text-source.js";

/** What a federated credential of Entra ID expects as the audience of a pipeline's token. */
const AUDIENCE = "api://AzureADTokenExchange";
const REQUEST_TIMEOUT_MS = 30_000;
const LONGEST_ANSWER = 256 * 1024;

/**
 * A pipeline's own token, which Entra ID exchanges for one of its own. Read or requested anew each time: such tokens
 * live for minutes.
 *
 * @throws KeyVaultError `KV_UNAUTHENTICATED`
 */
export async function idToken(
  source: IdTokenSource,
  env: NodeJS.ProcessEnv,
  clock: Clock = systemClock,
): Promise<string> {
  if (!("request" in source)) return readText(source, "the pipeline's OIDC token", env).trim();
  const request = idTokenRequest(env);
  if (request === undefined) {
    throw new KeyVaultError("KV_UNAUTHENTICATED", "The environment has no request for the pipeline's OIDC token", {
      hint: "set ARM_OIDC_REQUEST_URL and ARM_OIDC_REQUEST_TOKEN; in GitHub Actions the job's permission `id-token: write` sets ACTIONS_ID_TOKEN_REQUEST_URL and _TOKEN.",
    });
  }
  for (let attempt = 1; ; attempt++) {
    try {
      return await requestIdToken(request, source.audience ?? AUDIENCE);
    } catch (error) {
      if (attempt === MOST_ATTEMPTS || !isKeyVaultError(error) || !passing.has(error)) throw error;
      await delay(clock, FIRST_DELAY_MS * 2 ** (attempt - 1));
    }
  }
}

/** Asking again gives another token and nothing else: a pipeline's server that is busy for a moment ends no run. */
const MOST_ATTEMPTS = 3;
/** Failures that may pass. Here alone: for whoever asks a vault, to be without a token is none of these. */
const passing = new WeakSet<KeyVaultError>();
const FIRST_DELAY_MS = 1_000;

/** As GitHub describes it: a GET with the request's own bearer token; the answer has the token as `value`. */
async function requestIdToken(request: IdTokenRequest, audience: string): Promise<string> {
  const url = tokenAddress(request.url);
  url.searchParams.set("audience", audience);
  const authorization = `Bearer ${request.token.trim()}`;
  if (/[^\x20-\x7e]/.test(authorization)) throw refused(url, "the request's own token has control characters");
  const { EnvHttpProxyAgent, fetch } = await import("undici");
  const dispatcher = new EnvHttpProxyAgent();
  try {
    const response = await fetch(url, {
      headers: { accept: "application/json", authorization },
      redirect: "error",
      signal: AbortSignal.timeout(REQUEST_TIMEOUT_MS),
      dispatcher,
    }).catch((failure: unknown) => {
      const code = failureCode(failure);
      throw refused(url, `it could not be asked (${code})`, TRANSIENT_FAILURES.has(code));
    });
    if (response.status !== 200) {
      const { status } = response;
      throw refused(url, `it answered ${status}`, status === 408 || status === 429 || status >= 500);
    }
    return tokenOf(await boundedText(response, url), url);
  } finally {
    await dispatcher.destroy();
  }
}

/** Only where nobody on the way can read it does the request's token go. */
function tokenAddress(requestUrl: string): URL {
  const url = URL.canParse(requestUrl) ? new URL(requestUrl) : undefined;
  const isSafe =
    url !== undefined &&
    url.username === "" &&
    (url.protocol === "https:" || (url.protocol === "http:" && isLoopbackHost(url.hostname)));
  if (isSafe) return url;
  throw new KeyVaultError(
    "KV_UNAUTHENTICATED",
    "The address that gives the pipeline's OIDC token is not an HTTPS URL",
    {
      hint: "ARM_OIDC_REQUEST_URL or ACTIONS_ID_TOKEN_REQUEST_URL has to be as the pipeline sets it; in GitHub Actions the job needs the permission `id-token: write`.",
    },
  );
}

async function boundedText(response: { body: AsyncIterable<Uint8Array> | null }, url: URL): Promise<string> {
  const parts: Uint8Array[] = [];
  let length = 0;
  for await (const part of response.body ?? []) {
    length += part.length;
    if (length > LONGEST_ANSWER) throw refused(url, "its answer is longer than any token");
    parts.push(part);
  }
  return Buffer.concat(parts).toString("utf8");
}

function tokenOf(body: string, url: URL): string {
  try {
    const answer: unknown = JSON.parse(body);
    const value: unknown =
      typeof answer === "object" && answer !== null && "value" in answer ? answer.value : undefined;
    if (typeof value === "string" && /^[\x21-\x7e]+$/.test(value)) return value;
  } catch {
    // Told below, without the text: it may hold a token.
  }
  throw refused(url, "its answer holds no token");
}

/** The code alone: a message of the transport may repeat what was sent. */
function failureCode(failure: unknown): string {
  const cause = failure instanceof Error && failure.cause instanceof Error ? failure.cause : failure;
  if (cause instanceof Error && "code" in cause && typeof cause.code === "string") return cause.code;
  return cause instanceof Error ? cause.name : "unknown error";
}

/** Of the transport: another attempt may have the answer. */
const TRANSIENT_FAILURES: ReadonlySet<string> = new Set([
  "ECONNREFUSED",
  "ECONNRESET",
  "EAI_AGAIN",
  "ETIMEDOUT",
  "UND_ERR_SOCKET",
  "UND_ERR_CONNECT_TIMEOUT",
]);

function refused({ host }: URL, why: string, mayPass = false): KeyVaultError {
  const failure = new KeyVaultError("KV_UNAUTHENTICATED", `${host} gave no OIDC token of the pipeline: ${why}`, {
    hint: "in GitHub Actions the job needs the permission `id-token: write`; elsewhere put the token into ARM_OIDC_TOKEN or the file that ARM_OIDC_TOKEN_FILE_PATH names.",
  });
  if (mayPass) passing.add(failure);
  return failure;
}
