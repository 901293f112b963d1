import type { AccessTokens } from "./access-tokens.js";
import { readApiVersion } from "./api-version.js";
import { challengeFor } from "./challenge.js";
import { catchUp } from "./clock-work.js";
import type { EmulatorClock } from "./emulator-clock.js";
import type { Answer, Context } from "./operation.js";
import { readTarget } from "./request-target.js";
import { route } from "./router.js";
import { ServiceError } from "./service-error.js";
import type { Store } from "./store/store.js";
import type { Address } from "./vault-directory.js";

/** A request before its body is read. */
export interface ApiRequest {
  readonly method: string;
  readonly url: string;
  readonly address: Address;
  readonly authorization: string | undefined;
  /** Reads the body up to a limit. @throws ServiceError 413. */
  readonly readBody: (limit: number) => Promise<Buffer>;
}

/** An answer and what to write down of it. */
export interface Outcome extends Answer {
  readonly operation: string;
  readonly headers?: Readonly<Record<string, string>>;
}

export interface Surroundings {
  readonly store: Store;
  readonly clock: EmulatorClock;
  readonly tokens: AccessTokens;
  /** Told of what should not happen; the caller gets a bare 500, for its text may hold anything. */
  readonly onFailure: (error: unknown) => void;
}

const bodyLimit = 1024 * 1024;
const largeBodyLimit = 16 * 1024 * 1024;

/** An encoded percent sign never reaches the service: its web server fails on it, on both planes. */
const percentInName = /^[^?]*%25/;
const frontEndFailure = {
  status: 400,
  headers: { "Content-Type": "text/html; charset=utf-8" },
  text: "<!DOCTYPE html>\r\n<html>\r\n    <head>\r\n        <title>Runtime Error</title>\r\n    </head>\r\n    <body>\r\n        <h1>Server Error in '/' Application.</h1>\r\n    </body>\r\n</html>\r\n",
};

/** One request from challenge to answer, in the service's order: who, what, whether, then the body. */
export async function answer(surroundings: Surroundings, request: ApiRequest): Promise<Outcome> {
  const { address } = request;
  const challenge = challengeFor(surroundings.tokens, address, request.authorization);
  if (challenge !== undefined) return challenge;
  if (percentInName.test(request.url)) return { operation: "refused", ...frontEndFailure };
  let operation = "refused";
  try {
    const target = readTarget(request.url);
    const { operation: found, name, version } = route(address.vault.plane, request.method, target.segments);
    operation = found.name;
    const apiVersionText = target.query.get("api-version") ?? undefined;
    const apiVersion = readApiVersion(apiVersionText);
    const body = await request.readBody(found.largeBody ? largeBodyLimit : bodyLimit);
    const now = surroundings.clock.now();
    catchUp(surroundings.store, now);
    const context: Context = {
      vault: address.vault,
      store: surroundings.store,
      clock: surroundings.clock,
      now,
      seconds: Math.floor(now / 1000),
      apiVersion,
      apiVersionText: apiVersionText ?? "",
      origin: address.origin,
      pageOrigin: address.pageOrigin,
      path: `/${target.segments.join("/")}`,
      name,
      version,
      query: target.query,
    };
    return { operation, ...(await found.run(context, body)) };
  } catch (error) {
    if (!(error instanceof ServiceError)) surroundings.onFailure(error);
    return { operation, ...refusal(address.vault.plane, error) };
  }
}

/** The service's envelope. What is not one of its refusals is a fault of the emulator, and its text may hold anything. */
export function refusal(plane: "vault" | "managedhsm", error: unknown): Answer {
  const known =
    error instanceof ServiceError
      ? error
      : new ServiceError(500, "InternalServerError", "The emulator failed to process the request.");
  const message =
    plane === "managedhsm" ? `${known.message} (Activity ID: ${globalThis.crypto.randomUUID()})` : known.message;
  const inner = known.innerCode === undefined ? {} : { innererror: { code: known.innerCode } };
  return { status: known.status, body: { error: { code: known.code, message, ...inner } } };
}
