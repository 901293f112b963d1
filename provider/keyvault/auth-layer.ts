import { type Challenge, DEFAULT_RESOURCE, parseChallenge, resourceMatchesVault } from "./challenge.js";
import { abandonOnAbort } from "./clock.js";
import { type Dispatch, type Layer, TransportFailure, type VaultRequest, type VaultResponse } from "./dispatch.js";
import { isKeyVaultError, KeyVaultError } from "./errors.js";
import { isLoopbackHost } from "./identifier.js";
import { redact } from "./redaction.js";
import type { TokenCache, TokenRequest } from "./token-cache.js";

/** One for claims, one for a tenant that moved or a token that was revoked; more would be a loop. */
const MOST_CHALLENGES = 2;

export interface AuthLayerOptions {
  vaultUrl: string;
  plane: "vault" | "managedhsm";
  tokens: TokenCache;
}

/**
 * Challenge authentication.
 *
 * The first request to a vault goes out without a token and without its body, so that neither reaches a host that has not said who it is. Its 401 names
 * tenant and resource; all requests from then on carry a token for these. A 401 refuses a request before anything is done, so any request may be repeated after it.
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
  /** Undefined: not asked yet. Null: the server asks for no token. */
  #tokenRequest: TokenRequest | null | undefined;
  #asking: Promise<unknown> | undefined;

  constructor(options: AuthLayerOptions, next: Dispatch) {
    this.#options = options;
    this.#next = next;
  }

  async send(request: VaultRequest): Promise<VaultResponse> {
    while (this.#tokenRequest === undefined && this.#asking !== undefined) {
      await abandonOnAbort(this.#asking, request.deadline.signal);
    }
    if (this.#tokenRequest === undefined) {
      const answered = await this.#ask(request);
      if (answered !== undefined) return answered;
    }
    return await this.#sendWithToken(request);
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
      if (response.status === 429 || response.status >= 500) {
        return body === undefined ? response : { ...response, neverAccepted: true };
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

  async #sendWithToken(request: VaultRequest): Promise<VaultResponse> {
    for (let challenges = 0; ; challenges++) {
      const tokenRequest = this.#tokenRequest;
      const token = tokenRequest ? await this.#token(request, tokenRequest) : undefined;
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
    const { vaultUrl, plane } = this.#options;
    const loopback = isLoopbackHost(new URL(vaultUrl).hostname);
    const challenge = parseChallenge(response.headers["www-authenticate"]);
    const resource = challenge?.resource ?? (loopback ? DEFAULT_RESOURCE[plane] : undefined);
    const details = { operation: request.operation, vaultUrl, status: 401 };
    if (resource === undefined) {
      throw new KeyVaultError(
        "KV_UNAUTHENTICATED",
        `${vaultUrl} asked for authentication, but not for which resource`,
        {
          ...details,
          hint: "check that the URL is that of a vault and that no proxy answers in its place.",
        },
      );
    }
    if (!resourceMatchesVault(resource, vaultUrl)) {
      throw new KeyVaultError(
        "KV_UNAUTHENTICATED",
        `${vaultUrl} asked for a token of ${JSON.stringify(resource.slice(0, 200))}, which does not belong to that host`,
        {
          ...details,
          hint: "no token was sent, since a host could use it on other vaults. Check the vault URL; an emulator has to listen on a loopback host.",
        },
      );
    }
    return {
      scope: `${resource}/.default`,
      ...(challenge?.tenantId === undefined ? {} : { tenantId: challenge.tenantId }),
    };
  }

  async #token(request: VaultRequest, tokenRequest: TokenRequest): Promise<string> {
    try {
      return await this.#options.tokens.get(tokenRequest, request.deadline.signal);
    } catch (error) {
      if (request.deadline.signal.aborted || isKeyVaultError(error)) throw error;
      const tenant = tokenRequest.tenantId === undefined ? "" : ` in tenant ${tokenRequest.tenantId}`;
      const why = error instanceof Error ? `: ${firstWords(redact(error.message))}` : "";
      throw new KeyVaultError(
        "KV_UNAUTHENTICATED",
        `No token for ${tokenRequest.scope}${tenant} could be obtained${why}`,
        {
          operation: request.operation,
          vaultUrl: this.#options.vaultUrl,
          hint: "sign in (for example with az login), or choose a credential with keyvault:credential.",
          cause: error,
        },
      );
    }
  }
}

/** Credentials explain themselves at length; the whole is in the cause. */
function firstWords(message: string): string {
  const text = message.replace(/\s+/g, " ").trim();
  return text.length > 400 ? `${text.slice(0, 400)}…` : text;
}

function withToken(request: VaultRequest, token: string | undefined): VaultRequest {
  return token === undefined
    ? request
    : { ...request, headers: { ...request.headers, authorization: `Bearer ${token}` } };
}

function withoutBodyHeaders({ headers }: VaultRequest): Record<string, string> {
  return Object.fromEntries(Object.entries(headers).filter(([name]) => name !== "content-type"));
}
