import { type Dispatch, TransportFailure, type VaultResponse } from "./dispatch.js";
import { KeyVaultError } from "./errors.js";
import { isLoopbackHost } from "./identifier.js";

type Undici = typeof import("undici");
type Dispatcher = InstanceType<Undici["Dispatcher"]>;

/** A backup of 500 versions is a few MB, and a page of 25 secrets with all their tags less than one; more than this is not an answer of Key Vault. */
const LONGEST_BACKUP = 32 * 1024 * 1024;
const LONGEST_BODY = 4 * 1024 * 1024;
/** One attempt that hangs must leave time in the budget for another one. */
const ATTEMPT_TIMEOUT_MS = 45_000;
const CONNECT_TIMEOUT_MS = 10_000;

export interface SocketDispatch {
  dispatch: Dispatch;
  close(): Promise<void>;
}

/** The innermost layer: one undici pool for the vault's origin, through the environment's proxy if there is one. Redirects are never followed. */
export function socketDispatch(origin: string, connections = 64): SocketDispatch {
  let dispatcher: Promise<Dispatcher> | undefined;
  let opened: Dispatcher | undefined;
  const open = async () => {
    dispatcher ??= openDispatcher(origin, connections).catch((failure: unknown) => {
      dispatcher = undefined;
      throw failure;
    });
    opened = await dispatcher;
    return opened;
  };
  return {
    dispatch: async (request) => {
      const pool = opened ?? (await open());
      const longest = request.operation.startsWith("backup") ? LONGEST_BACKUP : LONGEST_BODY;
      return await new Promise<VaultResponse>((resolve, reject) => {
        let sent = false;
        let response: { status: number; headers: Record<string, string> } | undefined;
        let length = 0;
        const chunks: Buffer[] = [];
        let abort: (() => void) | undefined;
        const fail = (cause: unknown) => reject(new TransportFailure(cause, sent));
        const onAbort = () => {
          abort?.();
          fail(request.deadline.reason);
        };
        if (request.deadline.ended) {
          onAbort();
          return;
        }
        const settle = request.deadline.onEnd(onAbort);
        pool.dispatch(
          {
            origin,
            method: request.method,
            path: request.path,
            headers: request.headers,
            body: request.body ?? null,
            headersTimeout: ATTEMPT_TIMEOUT_MS,
            bodyTimeout: ATTEMPT_TIMEOUT_MS,
          },
          {
            onRequestStart(controller) {
              abort = () => controller.abort(new Error("aborted"));
              if (request.deadline.ended) abort();
              else sent = true;
            },
            onResponseStart(_controller, status, headers) {
              response = { status, headers: flatten(headers) };
            },
            onResponseData(controller, chunk) {
              length += chunk.length;
              if (length <= longest) chunks.push(chunk);
              else {
                settle();
                if (response) resolve({ ...response, body: "", overlong: true });
                controller.abort(new Error("the answer is too long"));
              }
            },
            onResponseEnd() {
              settle();
              if (response === undefined) fail(new Error("the answer has no status"));
              else resolve({ ...response, body: textOf(chunks) });
            },
            onResponseError(_controller, error) {
              settle();
              fail(error);
            },
          },
        );
      });
    },
    async close() {
      await (await dispatcher)?.close();
    },
  };
}

/** undici is loaded with the first request. */
async function openDispatcher(origin: string, connections: number): Promise<Dispatcher> {
  const { hostname } = new URL(origin);
  if (!isLoopbackHost(hostname)) refuseUnverified(origin);
  if (isLoopbackHost(hostname)) {
    const connect = hostname.endsWith(".localhost")
      ? { timeout: CONNECT_TIMEOUT_MS, lookup: lookupLoopback }
      : { timeout: CONNECT_TIMEOUT_MS };
    return openPool(origin, { connections, connect });
  }
  const connect = { timeout: CONNECT_TIMEOUT_MS };
  const proxies = environmentProxies(process.env);
  if (proxies === undefined) return openPool(origin, { connections, connect });
  const { EnvHttpProxyAgent } = await import("undici");
  return new EnvHttpProxyAgent({ connections, connect, ...proxies });
}

/** Without a proxy a pool is all that is used: it loads in a third of the time that undici takes with fetch, WebSockets and mocks. Its file has this name in the one version that this package depends on. */
async function openPool(origin: string, options: import("undici").Pool.Options): Promise<Dispatcher> {
  const { default: Pool } = await import("undici/lib/dispatcher/pool.js");
  return new Pool(origin, options);
}

/** The variable takes the check of certificates away from the whole process, so that whoever is on the way gets the tokens and the keys. */
function refuseUnverified(origin: string): void {
  if (process.env.NODE_TLS_REJECT_UNAUTHORIZED !== "0") return;
  throw new KeyVaultError("KV_INVALID_INPUT", `${origin} is not called while NODE_TLS_REJECT_UNAUTHORIZED=0 is set`, {
    vaultUrl: origin,
    hint: "unset the variable: with it no certificate is checked, and anybody on the way could read tokens and keys. For a server with its own CA set NODE_EXTRA_CA_CERTS.",
  });
}

/** Upper or lower case, and an empty variable is as good as none, which undici sees otherwise. */
function environmentProxies(env: NodeJS.ProcessEnv) {
  const httpProxy = env.http_proxy || env.HTTP_PROXY;
  const httpsProxy = env.https_proxy || env.HTTPS_PROXY || httpProxy;
  if (!httpsProxy) return undefined;
  return { httpsProxy, httpProxy: httpProxy || httpsProxy, noProxy: env.no_proxy || env.NO_PROXY || "" };
}

type LookupAnswer = (error: null, address: string | { address: string; family: number }[], family?: number) => void;

/** Not every resolver knows names under `.localhost`, and asking one could send the request elsewhere: they are loopback by RFC 6761. */
function lookupLoopback(_hostname: string, options: { all?: boolean | undefined }, answer: LookupAnswer): void {
  if (options.all) {
    answer(null, [
      { address: "127.0.0.1", family: 4 },
      { address: "::1", family: 6 },
    ]);
  } else answer(null, "127.0.0.1", 4);
}

/** Most answers come in one piece, which needs no copy. */
function textOf(chunks: readonly Buffer[]): string {
  const [only] = chunks;
  return only !== undefined && chunks.length === 1 ? only.toString("utf8") : Buffer.concat(chunks).toString("utf8");
}

/** undici writes names in lower case, and nearly every one has one value. */
function flatten(headers: Record<string, string | string[] | undefined>): Record<string, string> {
  if (isFlat(headers)) return headers;
  const flat: Record<string, string> = {};
  for (const [name, value] of Object.entries(headers)) {
    if (value !== undefined) flat[name] = Array.isArray(value) ? value.join(", ") : value;
  }
  return flat;
}

function isFlat(headers: Record<string, string | string[] | undefined>): headers is Record<string, string> {
  for (const name in headers) if (typeof headers[name] !== "string") return false;
  return true;
}
