import { createServer, type IncomingMessage, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import type { Emulator } from "../../emulator/index.js";

/** What the gateway has of one exchange. */
export interface Exchange {
  body: string;
  headers: string;
  answer: string;
}

export interface Told {
  status: number;
  type?: string;
  text: string;
}

const refusal = (status: number, code: string, message: string, inner?: string): Told => ({
  status,
  text: JSON.stringify({ error: { code, message, ...(inner ? { innererror: { code: inner } } : {}) } }),
});
const all = ({ body, headers, answer }: Exchange): string => `${headers} ${body} ${answer}`;

/** A gateway that says back what it was told, in many forms. */
export const ECHOES: Record<string, (exchange: Exchange) => Told> = {
  "400 in the service's form": (it) => refusal(400, "BadParameter", `Property has invalid value ${all(it)}`),
  "403 in the service's form": (it) => refusal(403, "Forbidden", all(it), it.body.slice(0, 100)),
  "404 in words of its own": (it) => refusal(404, it.body.slice(0, 80), all(it)),
  "409 in the service's form": (it) => refusal(409, "Conflict", all(it), it.answer.slice(0, 400)),
  "418 and a page": (it) => ({ status: 418, type: "text/html", text: `<html>${all(it)}</html>` }),
  "500 with the request": (it) => refusal(500, it.body.slice(0, 200), all(it)),
  "502 and a page": (it) => ({ status: 502, type: "text/html", text: `<html>${all(it)}</html>` }),
  "200 and a page": (it) => ({ status: 200, type: "text/html", text: `<html>${all(it)}</html>` }),
  "200 and JSON that stops": (it) => ({ status: 200, text: `{"error":{"message":${JSON.stringify(all(it))}` }),
  "200 and wrong kinds": ({ body, answer }) => ({
    status: 200,
    text: JSON.stringify({ key: body, id: [body], kid: answer, value: { body, answer }, attributes: body }),
  }),
  "a redirect": (it) => ({ status: 302, text: all(it) }),
};

/** A gateway before a vault: passes on what it is asked, and answers the requests that are spoiled in its own way. */
export class Gateway {
  readonly exchanges: Exchange[] = [];
  spoil: ((exchange: Exchange, index: number) => Told | undefined) | undefined;
  readonly #server = createServer();

  static async before(vault: Emulator): Promise<Gateway> {
    const gateway = new Gateway();
    gateway.#server.on("request", (request, response) => {
      // Who asked may have gone meanwhile.
      gateway.#answer(vault, request, response).catch(() => response.destroy());
    });
    await new Promise<void>((listening) => gateway.#server.listen(0, "127.0.0.1", listening));
    return gateway;
  }

  async #answer(vault: Emulator, request: IncomingMessage, response: ServerResponse): Promise<void> {
    const chunks: Buffer[] = [];
    for await (const chunk of request) chunks.push(chunk as Buffer);
    const { method = "GET", url = "/" } = request;
    const { authorization } = request.headers;
    const body = Buffer.concat(chunks).toString("utf8");
    const answer = await fetch(`${vault.url}${url}`, {
      method,
      headers: { "content-type": "application/json", ...(authorization ? { authorization } : {}) },
      ...(body === "" ? {} : { body }),
    });
    const text = await answer.text();
    if (answer.status === 401) {
      response.writeHead(401, { "www-authenticate": answer.headers.get("www-authenticate") ?? "" }).end();
      return;
    }
    const exchange = { body, headers: JSON.stringify(request.headers), answer: text };
    const told = this.spoil?.(exchange, this.exchanges.length);
    this.exchanges.push(exchange);
    const type = told?.type ?? "application/json";
    response.writeHead(told?.status ?? answer.status, { "content-type": type }).end(told?.text ?? text);
  }

  get url(): string {
    return `http://127.0.0.1:${(this.#server.address() as AddressInfo).port}`;
  }

  async close(): Promise<void> {
    this.#server.closeAllConnections();
    await new Promise((closed) => this.#server.close(closed));
  }
}
