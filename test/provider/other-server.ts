import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import type { Emulator } from "../../emulator/index.js";

interface Request {
  method: string;
  /** Without its query. */
  path: string;
  /** The body of the request. */
  sent: string;
}

interface Answer {
  status: number;
  body: Record<string, unknown> | undefined;
}

/** One exchange with a vault: what was asked, and what the vault answers. */
export interface Exchange extends Request, Answer {}

/** What one server does otherwise: it refuses before the request is carried out, or answers in another way. */
export type ServerHabit = () => {
  refuse?(request: Request): Answer | undefined;
  answer?(exchange: Exchange): Answer;
};

export interface OtherServer {
  url: string;
  close(): void;
}

/** A server that does some things differently: the emulator behind a change of its answers. Its 401 has no body. */
export async function startOtherServer(
  vault: Emulator,
  change: (exchange: Exchange) => Answer,
  refuse: (request: Request) => Answer | undefined = () => undefined,
): Promise<OtherServer> {
  const server = createServer(async (request, response) => {
    const chunks: Buffer[] = [];
    for await (const chunk of request) chunks.push(chunk as Buffer);
    const { method = "GET", url = "/" } = request;
    const sent = Buffer.concat(chunks).toString("utf8");
    const path = url.replace(/\?.*/, "");
    const refused = request.headers.authorization ? refuse({ method, path, sent }) : undefined;
    if (refused) {
      response.writeHead(refused.status, { "content-type": "application/json" }).end(JSON.stringify(refused.body));
      return;
    }
    const answer = await fetch(`${vault.url}${url}`, {
      method,
      headers: {
        "content-type": "application/json",
        ...(request.headers.authorization ? { authorization: request.headers.authorization } : {}),
      },
      ...(chunks.length > 0 ? { body: Buffer.concat(chunks) } : {}),
    });
    const text = await answer.text();
    if (answer.status === 401) {
      response.writeHead(401, { "www-authenticate": answer.headers.get("www-authenticate") ?? "" }).end();
      return;
    }
    const changed = change({ method, path, sent, status: answer.status, body: jsonOf(text) });
    const isEmpty = changed.status === 204;
    response
      .writeHead(changed.status, isEmpty ? {} : { "content-type": "application/json" })
      .end(isEmpty ? undefined : changed.body === undefined ? text : JSON.stringify(changed.body));
  });
  await new Promise<void>((listening) => server.listen(0, "127.0.0.1", listening));
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    close() {
      server.close();
      server.closeAllConnections();
    },
  };
}

/** A server with these habits. */
export function startServerWith(vault: Emulator, habits: readonly ServerHabit[]): Promise<OtherServer> {
  const own = habits.map((habit) => habit());
  return startOtherServer(
    vault,
    (exchange) => {
      let answered = exchange;
      for (const { answer } of own) answered = Object.assign(answered, answer?.(answered));
      return answered;
    },
    (request) => own.map(({ refuse }) => refuse?.(request)).find((refused) => refused !== undefined),
  );
}

function jsonOf(text: string): Record<string, unknown> | undefined {
  return text.startsWith("{") ? (JSON.parse(text) as Record<string, unknown>) : undefined;
}
