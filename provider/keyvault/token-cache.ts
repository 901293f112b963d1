import { abandonOnAbort, type Clock } from "./clock.js";
import type { TokenSource } from "./token-source.js";

export interface TokenRequest {
  readonly scope: string;
  readonly tenantId?: string;
  readonly claims?: string;
  /** The resource that the token has to be for; absent for servers on loopback, whose resource says nothing. */
  readonly audience?: string;
}

interface CachedToken {
  token: string;
  expiresAt: number;
}

/** A token is renewed while it still works, so that no request goes out with one that expires on the way. */
const RENEW_BEFORE_EXPIRY_MS = 5 * 60_000;
/** A renewal that hangs must not hold up every call for good. */
const ACQUIRE_TIMEOUT_MS = 90_000;

/** Tokens of one source by tenant and resource. Parallel calls share one acquisition, and one token. */
export class TokenCache {
  readonly #source: TokenSource;
  readonly #clock: Clock;
  readonly #tokens = new Map<string, CachedToken>();
  readonly #pending = new Map<string, Promise<CachedToken>>();

  constructor(source: TokenSource, clock: Clock) {
    this.#source = source;
    this.#clock = clock;
  }

  /** The token that a request needs, where it is at hand and good for a while. */
  peek(request: TokenRequest): string | undefined {
    const cached = this.#tokens.get(cacheKey(request));
    const isGood = cached !== undefined && request.claims === undefined;
    return isGood && cached.expiresAt - this.#clock.now() > RENEW_BEFORE_EXPIRY_MS ? cached.token : undefined;
  }

  async get(request: TokenRequest, signal: AbortSignal): Promise<string> {
    const key = cacheKey(request);
    const cached = this.#tokens.get(key);
    const left = cached === undefined ? 0 : cached.expiresAt - this.#clock.now();
    if (cached !== undefined && request.claims === undefined && left > RENEW_BEFORE_EXPIRY_MS) return cached.token;
    try {
      return (await abandonOnAbort(this.#acquire(key, request), signal)).token;
    } catch (error) {
      // Renewal failed ahead of time: the old token is still good.
      if (cached !== undefined && request.claims === undefined && left > 30_000 && !signal.aborted) return cached.token;
      throw error;
    }
  }

  /** Forgets a token that the service refused, unless it was replaced in the meantime. */
  discard(request: TokenRequest, token: string): void {
    const key = cacheKey(request);
    if (this.#tokens.get(key)?.token === token) this.#tokens.delete(key);
  }

  #acquire(key: string, request: TokenRequest): Promise<CachedToken> {
    const pendingKey = request.claims === undefined ? key : `${key}\n${request.claims}`;
    const running = this.#pending.get(pendingKey);
    if (running !== undefined) return running;
    const controller = new AbortController();
    const cancel = this.#clock.schedule(ACQUIRE_TIMEOUT_MS, () => controller.abort(new Error("no token within 90 s")));
    const acquisition = this.#source
      .getToken(request.scope, {
        signal: controller.signal,
        ...(request.tenantId === undefined ? {} : { tenantId: request.tenantId }),
        ...(request.claims === undefined ? {} : { claims: request.claims }),
        ...(request.audience === undefined ? {} : { audience: request.audience }),
      })
      .then(({ token, expiresOn }) => {
        const acquired = { token, expiresAt: expiresOn.getTime() };
        this.#tokens.set(key, acquired);
        return acquired;
      })
      .finally(() => {
        cancel();
        this.#pending.delete(pendingKey);
      });
    this.#pending.set(pendingKey, acquisition);
    return acquisition;
  }
}

const cacheKeys = new WeakMap<TokenRequest, string>();

/** A client asks with the same request for every call. */
function cacheKey(request: TokenRequest): string {
  let key = cacheKeys.get(request);
  if (key === undefined) {
    const { scope, tenantId, audience } = request;
    key = `${tenantId?.toLowerCase() ?? ""}\n${scope}\n${audience ?? ""}`;
    cacheKeys.set(request, key);
  }
  return key;
}

const caches = new WeakMap<TokenSource, TokenCache>();

/** The cache of a source, shared by every client that uses the source. */
export function sharedTokenCache(source: TokenSource, clock: Clock): TokenCache {
  let cache = caches.get(source);
  if (cache === undefined) {
    cache = new TokenCache(source, clock);
    caches.set(source, cache);
  }
  return cache;
}
