import { type Challenge, DEFAULT_RESOURCE, parseChallenge, refuseResource } from "./challenge.js";
import { abandonOnAbort } from "./clock.js";
import { type Dispatch, type Layer, TransportFailure, type VaultRequest, type VaultResponse } from "./dispatch.js";
import { isKeyVaultError, KeyVaultError } from "./errors.js";
import { isLoopbackHost } from "./identifier.js";
import { OPERATIONS } from "./operations.js";
import { printableLine } from "./printable-text.js";
import { redact } from "./redaction.js";
import { parseJson, requestIdOf } from "./service-error.js";
import type { TokenCache, TokenRequest } from "./token-cache.js";
import { readErrorEnvelope } from "./wire/error-envelope.js";

/** One for claims, one for a tenant that moved or a token that was revoked; more would be a loop. */
const MOST_CHALLENGES = 2;

export interface AuthLayerOptions {
  vaultUrl: string;
  /** What errors call the vault. Default: its URL. */
  label?: string;
  /** Domains of vaults beside those of Azure's clouds. */
  allowedDomains?: readonly string[];
  plane: "vault" | "managedhsm";
  tokens: TokenCache;
}

/**
 * Challenge authentication.
 *
 * The first request to a vault goes out without a token and without its body, so that neither reaches a host that has not said who it is. Its 401 names
 * tenant and resource; all requests from then on carry a token for these. A 401 refuses a request before anything is done, so any request may be repeated after it.
 *
 * A host that answers without such a challenge is not a vault, whatever it says, and gets nothing more. Servers on loopback may do without authentication.
 */
export function authLayer(options: AuthLayerOptions): Layer {
  return (next) => {
    const authenticator = new Authenticator(options, next);
    return (request) => authenticator.send(request);
  };
}

class Authenticator {
  readonly #options: AuthLayerOptions;
  readonly #next: Dispatch;
  readonly #isLoopback: boolean;
  readonly #label: string;
  /** Undefined: not asked yet. Null: the server asks for no token. */
  #tokenRequest: TokenRequest | null | undefined;
  #asking: Promise<unknown> | undefined;

  constructor(options: AuthLayerOptions, next: Dispatch) {
    this.#options = options;
    this.#next = next;
    this.#isLoopback = isLoopbackHost(new URL(options.vaultUrl).hostname);
    this.#label = options.label ?? options.vaultUrl;
  }

  send(request: VaultRequest): Promise<VaultResponse> {
    return this.#tokenRequest === undefined ? this.#askFirst(request) : this.#sendWithToken(request);
  }

  async #askFirst(request: VaultRequest): Promise<VaultResponse> {
    while (this.#tokenRequest === undefined && this.#asking !== undefined) {
      await abandonOnAbort(this.#asking, request.deadline.signal);
    }
    if (this.#tokenRequest === undefined) {
      const answered = await this.#ask(request);
      if (answered !== undefined) return answered;
    }
    return this.#sendWithToken(request);
  }

  /** Sends the request without token and body. Undefined once the server has said what it wants; else its answer, which then is the request's own. */
  async #ask(request: VaultRequest): Promise<VaultResponse | undefined> {
    const { body, ...bare } = request;
    const asked = this.#next({ ...bare, headers: withoutBodyHeaders(request) });
    const settled = asked.then(
      () => undefined,
      () => undefined,
    );
    this.#asking = settled;
    try {
      const response = await asked;
      if (response.status === 401) {
        this.#tokenRequest = this.#accept(request, response);
        return undefined;
      }
      const refused = body === undefined ? response : { ...response, neverAccepted: true };
      if (response.status === 408 || response.status === 429 || response.status >= 500) return refused;
      if (!this.#isLoopback) {
        if (isRefusedNetwork(response)) return refused;
        throw this.#unchallenged(request, response);
      }
      if (response.status < 300) this.#tokenRequest = null;
      return body === undefined ? response : undefined;
    } catch (failure) {
      if (body === undefined || !(failure instanceof TransportFailure)) throw failure;
      throw new TransportFailure(failure.cause, false);
    } finally {
      if (this.#asking === settled) this.#asking = undefined;
    }
  }

  #unchallenged(request: VaultRequest, response: VaultResponse): KeyVaultError {
    return new KeyVaultError(
      "KV_PROTOCOL",
      `${request.operation} in ${this.#label} was answered (${response.status}) without being asked for authentication, which no vault does`,
      {
        operation: request.operation,
        vaultUrl: this.#label,
        status: response.status,
        requestId: requestIdOf(response),
        mayHaveHappened: OPERATIONS[request.operation].write && request.body === undefined,
        hint: "the answer is not believed, and neither a token nor content was sent. Check the vault URL and what answers in the vault's place.",
      },
    );
  }

  async #sendWithToken(request: VaultRequest): Promise<VaultResponse> {
    for (let challenges = 0; ; challenges++) {
      const tokenRequest = this.#tokenRequest;
      const token = tokenRequest
        ? (this.#options.tokens.peek(tokenRequest) ?? (await this.#token(request, tokenRequest)))
        : undefined;
      const response = await this.#next(withToken(request, token));
      if (response.status !== 401 || challenges >= MOST_CHALLENGES) return response;
      const answer = parseChallenge(response.headers["www-authenticate"]);
      if (!(await this.#mayTryAgain(request, response, answer, token))) return response;
    }
  }

  async #mayTryAgain(
    request: VaultRequest,
    response: VaultResponse,
    challenge: Challenge | undefined,
    token: string | undefined,
  ): Promise<boolean> {
    const known = this.#tokenRequest;
    if (!known || token === undefined) {
      this.#tokenRequest = this.#accept(request, response);
      return true;
    }
    if (challenge?.claims !== undefined) {
      const renewed = await this.#token(request, { ...known, claims: challenge.claims });
      return renewed !== token;
    }
    const asked = challenge?.resource === undefined ? known : this.#accept(request, response);
    this.#options.tokens.discard(known, token);
    this.#tokenRequest = asked;
    return (await this.#token(request, asked)) !== token;
  }

  /** Checks a 401 and makes of it the request for a token. */
  #accept(request: VaultRequest, response: VaultResponse): TokenRequest {
    const { vaultUrl, plane, allowedDomains } = this.#options;
    const challenge = parseChallenge(response.headers["www-authenticate"]);
    const resource = challenge?.resource ?? (this.#isLoopback ? DEFAULT_RESOURCE[plane] : undefined);
    const details = { operation: request.operation, vaultUrl: this.#label, status: 401 };
    if (resource === undefined) {
      throw new KeyVaultError(
        "KV_UNAUTHENTICATED",
        `${this.#label} asked for authentication, but not for which resource`,
        {
          ...details,
          hint: "check that the URL is that of a vault and that no proxy answers in its place.",
        },
      );
    }
    const refusal = refuseResource(resource, vaultUrl, allowedDomains);
    if (refusal !== undefined) {
      const asked = `${this.#label} asked for a token of ${JSON.stringify(resource.slice(0, 200))}`;
      throw refusal === "foreign"
        ? new KeyVaultError("KV_UNAUTHENTICATED", `${asked}, which does not belong to that host`, {
            ...details,
            hint: "no token was sent, since a host could use it on other vaults. Check the vault URL; an emulator has to listen on a loopback host.",
          })
        : new KeyVaultError("KV_UNAUTHENTICATED", `${asked}, which is not a domain of Azure Key Vault`, {
            ...details,
            hint: "no token was sent. Check the vault URL. Where vaults have a domain of their own, as on Azure Stack, name it with keyvault:allowedDomains or KEYVAULT_ALLOWED_DOMAINS.",
          });
    }
    return {
      scope: `${resource}/.default`,
      ...(this.#isLoopback ? {} : { audience: resource }),
      ...(challenge?.tenantId === undefined ? {} : { tenantId: challenge.tenantId }),
    };
  }

  async #token(request: VaultRequest, tokenRequest: TokenRequest): Promise<string> {
    try {
      return await this.#options.tokens.get(tokenRequest, request.deadline.signal);
    } catch (error) {
      if (request.deadline.ended || isKeyVaultError(error)) throw error;
      const tenant = tokenRequest.tenantId === undefined ? "" : ` in tenant ${tokenRequest.tenantId}`;
      const why = error instanceof Error ? `: ${reasonsOf(redact(error.message))}` : "";
      throw new KeyVaultError(
        "KV_UNAUTHENTICATED",
        `No token for ${tokenRequest.scope}${tenant} could be obtained${why}`,
        {
          operation: request.operation,
          vaultUrl: this.#label,
          hint: "sign in (for example with az login), or choose a credential with keyvault:credential.",
          cause: error,
        },
      );
    }
  }
}

/**
 * Why no credential had a token. A chain of credentials gives a line to each of them, and the one that the user meant to use may be the last, so each line is
 * cut and not the whole; the whole is in the cause.
 */
function reasonsOf(message: string): string {
  const lines = message
    .slice(0, 20_000)
    .split(/\r?\n/)
    .map((line) => printableLine(line.replace(/To troubleshoot, visit \S+/g, "")))
    .filter((line) => line !== "");
  return lines
    .slice(0, 20)
    .map((line) => (line.length > 300 ? `${line.slice(0, 300)}…` : line))
    .join(" | ");
}

/** The vault's network refuses callers that it may not have asked who they are. It says nothing of any object, so believing it costs nothing. */
function isRefusedNetwork({ status, body }: VaultResponse): boolean {
  const innerCode = status === 403 ? readErrorEnvelope(parseJson(body))?.innerCode : undefined;
  return innerCode === "ForbiddenByFirewall" || innerCode === "ForbiddenByConnection";
}

function withToken(request: VaultRequest, token: string | undefined): VaultRequest {
  return token === undefined
    ? request
    : { ...request, headers: { ...request.headers, authorization: `Bearer ${token}` } };
}

function withoutBodyHeaders({ headers }: VaultRequest): Record<string, string> {
  return Object.fromEntries(Object.entries(headers).filter(([name]) => name !== "content-type"));
}
