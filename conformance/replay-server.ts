import { createServer, type IncomingMessage, type Server, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import { isObject, stringAt } from "./json.js";
import type { Exchange } from "./recording.js";

/** What the client sent while an exchange was played. */
export interface Played {
  requestId: string;
  requests: { method: string; path: string; target: string; authorization: string | undefined; body: string }[];
}

const CHALLENGE =
  'Bearer authorization="https://login.microsoftonline.com/00000000-0000-0000-0000-000000000000", resource="https://vault.azure.net"';
/** Recorded headers that the bytes of this answer decide, not those of the recorded one. */
const OWN_HEADERS: ReadonlySet<string> = new Set([
  "content-length",
  "content-encoding",
  "transfer-encoding",
  "connection",
]);

/** Gives one recorded answer at a time, on loopback. */
export class ReplayServer {
  readonly #server: Server;
  #exchange: Exchange | undefined;
  #played: Played = { requestId: "", requests: [] };
  #count = 0;
  /** Error messages repeat the request, token and all, as a careless service might. */
  #echo = false;

  private constructor(server: Server) {
    this.#server = server;
  }

  static async start(): Promise<ReplayServer> {
    const server = createServer();
    const replay = new ReplayServer(server);
    server.on("request", (incoming, outgoing) => replay.#answer(incoming, outgoing));
    await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
    return replay;
  }

  get url(): string {
    return `http://127.0.0.1:${(this.#server.address() as AddressInfo).port}`;
  }

  nextRequestId(): string {
    this.#count++;
    return `00000000-0000-4000-8000-${String(this.#count).padStart(12, "0")}`;
  }

  /** Plays this exchange from now on: a challenge, the recorded answer, and an empty page for a next link. */
  serve(exchange: Exchange, options: { echo?: boolean } = {}): Played {
    this.#echo = options.echo ?? false;
    const recorded = exchange.response.headers["x-ms-request-id"];
    this.#exchange = exchange;
    this.#played = { requestId: recorded ?? this.nextRequestId(), requests: [] };
    return this.#played;
  }

  async close(): Promise<void> {
    this.#server.closeAllConnections();
    await new Promise((resolve) => this.#server.close(resolve));
  }

  async #answer(incoming: IncomingMessage, outgoing: ServerResponse): Promise<void> {
    const chunks: Buffer[] = [];
    for await (const chunk of incoming) chunks.push(chunk as Buffer);
    const target = incoming.url ?? "";
    const firstPage = this.#played.requests[1]?.target ?? target;
    this.#played.requests.push({
      method: incoming.method ?? "",
      path: target.replace(/\?.*$/s, ""),
      target,
      authorization: incoming.headers.authorization,
      body: Buffer.concat(chunks).toString("utf8"),
    });
    const exchange = this.#exchange;
    if (exchange === undefined) outgoing.writeHead(500).end();
    else if (exchange.response.status === 401) this.#challenge(outgoing, exchange, this.#played.requests.length);
    else if (incoming.headers.authorization === undefined) send(outgoing, 401, { "www-authenticate": CHALLENGE }, "");
    else if (target !== firstPage) send(outgoing, 200, {}, JSON.stringify({ value: [], nextLink: null }));
    else this.#recorded(outgoing, exchange);
  }

  /** The recorded challenge, then an answer that ends the call. */
  #challenge(outgoing: ServerResponse, exchange: Exchange, request: number): void {
    if (request === 1) this.#recorded(outgoing, exchange);
    else
      send(
        outgoing,
        400,
        {},
        JSON.stringify({ error: { code: "EndOfRecording", message: "The recording ends here." } }),
      );
  }

  #recorded(outgoing: ServerResponse, { response }: Exchange): void {
    const headers = Object.fromEntries(
      Object.entries(response.headers).filter(
        ([name, value]) => !OWN_HEADERS.has(name) && /^[\x20-\x7e]*$/.test(value),
      ),
    );
    send(
      outgoing,
      response.status,
      { ...headers, "x-ms-request-id": this.#played.requestId },
      this.#bodyOf(response.body),
    );
  }

  #bodyOf(body: unknown): string {
    const last = this.#played.requests.at(-1);
    if (!this.#echo || last === undefined || !isObject(body) || !isObject(body.error)) return textOf(body);
    const message = `${stringAt(body.error, "message")} Headers: {authorization: ${last.authorization}} Body: ${last.body}`;
    return JSON.stringify({ ...body, error: { ...body.error, message } });
  }
}

/** Recorders write a body of text as a string or as its lines. */
function textOf(body: unknown): string {
  if (body === null || body === undefined) return "";
  if (typeof body === "string") return body;
  if (Array.isArray(body) && body.every((line) => typeof line === "string")) return body.join("");
  return JSON.stringify(body);
}

function send(outgoing: ServerResponse, status: number, headers: Record<string, string>, body: string): void {
  outgoing.writeHead(status, { "content-type": "application/json; charset=utf-8", ...headers });
  outgoing.end(status === 204 ? undefined : body);
}
