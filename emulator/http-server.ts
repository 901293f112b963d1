import { randomUUID } from "node:crypto";
import { createServer, type IncomingMessage, type Server, type ServerResponse } from "node:http";
import { createServer as createTlsServer } from "node:https";
import type { Socket } from "node:net";
import { control, controlPrefix } from "./control-endpoint.js";
import type { RequestLog } from "./request-log.js";
import { answer, type Outcome, refusal, type Surroundings } from "./request-pipeline.js";
import { badParameter, ServiceError } from "./service-error.js";
import type { Vault } from "./vault.js";
import type { VaultDirectory } from "./vault-directory.js";

export interface ServerOptions extends Surroundings {
  readonly directory: VaultDirectory;
  readonly requests: RequestLog;
  readonly tls: { readonly key: string; readonly cert: string } | undefined;
}

const serviceVersion = "1.9.1000.1";
const headersMilliseconds = 15_000;
const requestMilliseconds = 60_000;
const drainedBytes = 32 * 1024 * 1024;
const drainedMilliseconds = 10_000;
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

async function serve(options: ServerOptions, request: IncomingMessage, response: ServerResponse): Promise<void> {
  const method = request.method ?? "GET";
  const url = request.url ?? "/";
  if (isFromPage(request)) {
    send(response, { operation: "refused", ...refusal("vault", fromPage()) }, "local", "vault");
    drain(request, response);
    return;
  }
  if (url.startsWith(controlPrefix)) {
    send(response, await controlled(options, request, method, url), "local", "vault");
    drain(request, response);
    return;
  }
  const address = options.directory.locate(request.headers.host, request.socket.localPort ?? 0);
  if (address === undefined) {
    send(response, { operation: "refused", ...refusal("vault", unknownVault()) }, "local", "vault");
    drain(request, response);
    return;
  }
  const { authorization } = request.headers;
  const outcome = await answer(options, {
    method,
    url,
    address,
    authorization,
    readBody: (limit) => readBody(request, limit),
  });
  const path = url.split("?", 1)[0] ?? "/";
  const { operation, status } = outcome;
  options.requests.add({ method, path, operation, status, vault: address.vault.name });
  await deliver(response, outcome, address.vault);
  drain(request, response);
}

async function controlled(
  options: ServerOptions,
  request: IncomingMessage,
  method: string,
  url: string,
): Promise<Outcome> {
  try {
    const answered = await control(options, {
      method,
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

/**
 * A page in a browser that has tricked a name into leading here (DNS rebinding) could read everything. No client of the
 * service runs in a page, and browsers mark what pages send.
 */
function isFromPage({ headers }: IncomingMessage): boolean {
  const site = headers["sec-fetch-site"];
  return headers.origin !== undefined || (site !== undefined && site !== "none");
}

const fromPage = () => new ServiceError(403, "Forbidden", "The emulator does not answer pages in a browser.");

const unknownVault = () => new ServiceError(404, "NotFound", "No vault of this emulator has that host name.");

/** Sends the answer, with what its fault does to it on the way. */
async function deliver(response: ServerResponse, outcome: Outcome, vault: Vault): Promise<void> {
  const { fault } = outcome;
  switch (fault?.kind) {
    case "dropBefore":
    case "dropAfter":
      response.destroy();
      return;
    case "latency":
      await pause(fault.milliseconds ?? 1_000, response);
      break;
    case "slowBody":
      await trickle(response, outcome, vault, fault.milliseconds ?? 1_000);
      return;
    case "truncated":
      send(
        response,
        { ...outcome, text: textOf(outcome).slice(0, -Math.ceil(textOf(outcome).length / 2)) },
        vault.location,
        vault.plane,
      );
      return;
    case "contentType":
      send(
        response,
        { ...outcome, text: "<html></html>", headers: { ...outcome.headers, "Content-Type": "text/html" } },
        vault.location,
        vault.plane,
      );
      return;
    default:
  }
  if (!response.destroyed) send(response, outcome, vault.location, vault.plane);
}

/** Waits, and not for a client that has left. */
function pause(milliseconds: number, response: ServerResponse): Promise<void> {
  return new Promise((resolve) => {
    const timer = setTimeout(resolve, milliseconds);
    response.once("close", () => {
      clearTimeout(timer);
      resolve();
    });
  });
}

async function trickle(response: ServerResponse, outcome: Outcome, vault: Vault, milliseconds: number): Promise<void> {
  const bytes = Buffer.from(textOf(outcome));
  const parts = 10;
  const size = Math.max(1, Math.ceil(bytes.length / parts));
  response.writeHead(outcome.status, headersOf(outcome, bytes.length, vault.location, vault.plane));
  for (let start = 0; start < bytes.length && !response.destroyed; start += size) {
    response.write(bytes.subarray(start, start + size));
    await pause(milliseconds / parts, response);
  }
  response.end();
}

const textOf = (outcome: Outcome) => outcome.text ?? (outcome.body === undefined ? "" : JSON.stringify(outcome.body));

function send(response: ServerResponse, outcome: Outcome, location: string, plane: "vault" | "managedhsm"): void {
  const text = textOf(outcome);
  response.writeHead(outcome.status, headersOf(outcome, Buffer.byteLength(text), location, plane));
  response.end(text);
}

/** As a flat list: node writes that as it is. */
function headersOf(outcome: Outcome, length: number, location: string, plane: "vault" | "managedhsm"): string[] {
  const headers = [
    "Cache-Control",
    "no-cache",
    "Pragma",
    "no-cache",
    "Expires",
    "-1",
    "x-ms-keyvault-region",
    location,
    "x-ms-request-id",
    randomUUID(),
    "x-ms-keyvault-service-version",
    serviceVersion,
    "X-Content-Type-Options",
    "nosniff",
    "Strict-Transport-Security",
    "max-age=31536000;includeSubDomains",
  ];
  if (plane === "managedhsm") headers.push("x-ms-server-latency", "1", "x-ms-build-version", serviceVersion);
  for (const [name, value] of Object.entries(outcome.headers ?? {})) headers.push(name, value);
  if (outcome.status === 204) return headers;
  if (outcome.headers?.["Content-Type"] === undefined) headers.push("Content-Type", "application/json; charset=utf-8");
  headers.push("Content-Length", String(length));
  return headers;
}

/** A refusal may come before the body: what is left of it is thrown away for a while, and a flood is cut off. */
function drain(request: IncomingMessage, response: ServerResponse): void {
  if (request.complete) return;
  let left = drainedBytes;
  const timer = setTimeout(() => request.destroy(), drainedMilliseconds).unref();
  request.on("data", (chunk: Buffer) => {
    left -= chunk.length;
    if (left < 0) request.destroy();
  });
  request.on("close", () => clearTimeout(timer));
  request.on("error", () => response.destroy());
  request.resume();
}

const nothing = Buffer.alloc(0);

async function readBody(request: IncomingMessage, limit: number): Promise<Buffer> {
  const { "content-length": announced, "transfer-encoding": encoding } = request.headers;
  if (encoding === undefined && (announced === undefined || announced === "0")) return nothing;
  if (Number(announced ?? 0) > limit) throw tooLarge(limit);
  const chunks: Buffer[] = [];
  let length = 0;
  return new Promise((resolve, reject) => {
    request.on("data", (chunk: Buffer) => {
      length += chunk.length;
      if (length > limit) {
        request.removeAllListeners("data");
        request.resume();
        reject(tooLarge(limit));
        return;
      }
      chunks.push(chunk);
    });
    request.on("end", () => resolve(Buffer.concat(chunks)));
    request.on("error", reject);
    request.on("close", () => {
      if (!request.complete) reject(badParameter("The request ended before its body did."));
    });
  });
}

const tooLarge = (limit: number) =>
  new ServiceError(413, "RequestEntityTooLarge", `The request body is larger than ${limit} bytes.`);

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
