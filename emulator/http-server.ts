import { randomUUID } from "node:crypto";
import { createServer, type IncomingMessage, type Server, type ServerResponse } from "node:http";
import { createServer as createTlsServer } from "node:https";
import type { Socket } from "node:net";
import type { RequestLog } from "./request-log.js";
import { type ApiRequest, answer, type Outcome, refusal, type Surroundings } from "./request-pipeline.js";
import { badParameter, ServiceError } from "./service-error.js";
import type { VaultDirectory } from "./vault-directory.js";

export interface ServerOptions extends Surroundings {
  readonly directory: VaultDirectory;
  readonly requests: RequestLog;
  readonly tls: { readonly key: string; readonly cert: string } | undefined;
}

const serviceVersion = "1.9.1000.1";
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

async function serve(options: ServerOptions, request: IncomingMessage, response: ServerResponse): Promise<void> {
  const method = request.method ?? "GET";
  const url = request.url ?? "/";
  const address = options.directory.locate(request.headers.host, request.socket.localPort ?? 0);
  if (address === undefined) {
    send(response, { operation: "refused", ...refusal("vault", unknownVault()) }, "local", "vault");
    drain(request, response);
    return;
  }
  const api: ApiRequest = {
    method,
    url,
    address,
    authorization: request.headers.authorization,
    readBody: (limit) => readBody(request, limit),
  };
  const outcome = await answer(options, api);
  const path = url.split("?", 1)[0] ?? "/";
  options.requests.add({
    method,
    path,
    operation: outcome.operation,
    status: outcome.status,
    vault: address.vault.name,
  });
  send(response, outcome, address.vault.location, address.vault.plane);
  drain(request, response);
}

const unknownVault = () => new ServiceError(404, "NotFound", "No vault of this emulator has that host name.");

function send(response: ServerResponse, outcome: Outcome, location: string, plane: "vault" | "managedhsm"): void {
  const text = outcome.text ?? (outcome.body === undefined ? "" : JSON.stringify(outcome.body));
  const headers: Record<string, string> = {
    "Cache-Control": "no-cache",
    Pragma: "no-cache",
    Expires: "-1",
    "x-ms-keyvault-region": location,
    "x-ms-request-id": randomUUID(),
    "x-ms-keyvault-service-version": serviceVersion,
    "X-Content-Type-Options": "nosniff",
    "Strict-Transport-Security": "max-age=31536000;includeSubDomains",
    ...(plane === "managedhsm" ? { "x-ms-server-latency": "1", "x-ms-build-version": serviceVersion } : {}),
    ...outcome.headers,
  };
  if (outcome.status !== 204) {
    headers["Content-Type"] ??= "application/json; charset=utf-8";
    headers["Content-Length"] = String(Buffer.byteLength(text));
  }
  response.writeHead(outcome.status, headers);
  response.end(text);
}

/** A refusal may come before the body: what is left of it is thrown away, and a flood is cut off. */
function drain(request: IncomingMessage, response: ServerResponse): void {
  if (request.complete) return;
  let left = 1024 * 1024;
  request.on("data", (chunk: Buffer) => {
    left -= chunk.length;
    if (left < 0) request.destroy();
  });
  request.on("error", () => response.destroy());
  request.resume();
}

async function readBody(request: IncomingMessage, limit: number): Promise<Buffer> {
  if (Number(request.headers["content-length"] ?? 0) > limit) throw tooLarge(limit);
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
    request.on("close", () => reject(badParameter("The request ended before its body did.")));
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
