import { createServer, type IncomingMessage, type Server, type ServerResponse } from "node:http";
import { createServer as createTlsServer } from "node:https";
import type { Socket } from "node:net";
import { ServiceError } from "../service-error.js";
import { deliver, type Sender, send } from "./answer-delivery.js";
import { control, controlPrefix } from "./control-endpoint.js";
import { type Outcome, refusal } from "./outcome.js";
import { drain, readBody } from "./request-body.js";
import type { RequestLog } from "./request-log.js";
import { answer, type Surroundings } from "./request-pipeline.js";
import type { ServedHosts } from "./served-hosts.js";
import type { VaultDirectory } from "./vault-directory.js";

export interface ServerOptions extends Surroundings {
  readonly directory: VaultDirectory;
  readonly hosts: ServedHosts;
  readonly requests: RequestLog;
  readonly tls: { readonly key: string; readonly cert: string } | undefined;
}

const headersMilliseconds = 15_000;
const requestMilliseconds = 60_000;
const headerBytes = 64 * 1024;

/** The HTTP side: sockets, limits, headers. What a request means is the pipeline's business. */
export function createEmulatorServer(options: ServerOptions): Server {
  const settings = {
    keepAliveTimeout: 30_000,
    headersTimeout: headersMilliseconds,
    requestTimeout: requestMilliseconds,
    connectionsCheckingInterval: 5_000,
    maxHeaderSize: headerBytes,
    insecureHTTPParser: false,
  };
  const handle = (request: IncomingMessage, response: ServerResponse) => {
    serve(options, request, response).catch(() => response.destroy());
  };
  const server =
    options.tls === undefined
      ? createServer(settings, handle)
      : createTlsServer({ ...settings, ...options.tls }, handle);
  server.on("clientError", (error: NodeJS.ErrnoException, socket) => answerGarbage(error, socket as Socket));
  server.on("connect", (_request, socket) => answerGarbage({ code: "CONNECT" }, socket as Socket));
  server.on("upgrade", (_request, socket) => answerGarbage({ code: "UPGRADE" }, socket as Socket));
  return server;
}

/** Who answers where no vault does. */
const nobody: Sender = { location: "local", plane: "vault" };

async function serve(options: ServerOptions, request: IncomingMessage, response: ServerResponse): Promise<void> {
  const url = request.url ?? "/";
  if (!options.hosts.serves(request.headers.host)) {
    refuse(response, 421, "MisdirectedRequest", "The emulator does not serve that host name.");
  } else if (isFromPage(request))
    refuse(response, 403, "Forbidden", "The emulator does not answer pages in a browser.");
  else if (url.startsWith(controlPrefix)) send(response, await controlled(options, request, url), nobody);
  else await serveVault(options, request, response, url);
  drain(request, response);
}

async function serveVault(
  options: ServerOptions,
  request: IncomingMessage,
  response: ServerResponse,
  url: string,
): Promise<void> {
  const address = options.directory.locate(request.headers.host, request.socket.localPort ?? 0);
  if (address === undefined) {
    refuse(response, 404, "NotFound", "No vault of this emulator has that host name.");
    return;
  }
  const { vault } = address;
  const method = request.method ?? "GET";
  const { authorization } = request.headers;
  const outcome = await answer(options, {
    method,
    url,
    address,
    authorization,
    readBody: (limit) => readBody(request, limit),
  });
  const { operation, status } = outcome;
  options.requests.add({ method, path: url.split("?", 1)[0] ?? "/", operation, status, vault: vault.name });
  await deliver(response, outcome, vault);
}

function refuse(response: ServerResponse, status: number, code: string, message: string): void {
  send(response, { operation: "refused", ...refusal("vault", new ServiceError(status, code, message)) }, nobody);
}

async function controlled(options: ServerOptions, request: IncomingMessage, url: string): Promise<Outcome> {
  try {
    const answered = await control(options, {
      method: request.method ?? "GET",
      url,
      remoteAddress: request.socket.remoteAddress,
      contentType: request.headers["content-type"],
      readBody: (limit) => readBody(request, limit),
    });
    return { operation: "control", ...answered };
  } catch (error) {
    return { operation: "control", ...refusal("vault", error) };
  }
}

/** No client of the service runs in a page, and browsers mark what pages send. */
function isFromPage({ headers }: IncomingMessage): boolean {
  const site = headers["sec-fetch-site"];
  return headers.origin !== undefined || (site !== undefined && site !== "none");
}

/** Bytes that are no HTTP request still get the envelope, and then the door. */
function answerGarbage(error: { code?: string | undefined }, socket: Socket): void {
  if (!socket.writable || error.code === "ECONNRESET") {
    socket.destroy();
    return;
  }
  const status =
    error.code === "HPE_HEADER_OVERFLOW"
      ? "431 Request Header Fields Too Large"
      : error.code === "ERR_HTTP_REQUEST_TIMEOUT"
        ? "408 Request Timeout"
        : "400 Bad Request";
  const body = JSON.stringify({ error: { code: "BadParameter", message: "The request is not valid HTTP." } });
  socket.on("error", () => socket.destroy());
  socket.end(
    `HTTP/1.1 ${status}\r\nContent-Type: application/json; charset=utf-8\r\nContent-Length: ${body.length}\r\nConnection: close\r\n\r\n${body}`,
  );
}
