import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import type { Emulator } from "../../emulator/index.js";

/** One exchange with a vault: what was asked, and what the vault answers. */
export interface Exchange {
  method: string;
  path: string;
  /** The body of the request. */
  sent: string;
  status: number;
  body: Record<string, unknown> | undefined;
}

export interface OtherServer {
  url: string;
  close(): void;
}

/** A server that does some things differently: the emulator behind a change of its answers. Its 401 has no body. */
export async function startOtherServer(
  vault: Emulator,
  change: (exchange: Exchange) => Pick<Exchange, "status" | "body">,
): Promise<OtherServer> {
  const server = createServer(async (request, response) => {
    const chunks: Buffer[] = [];
    for await (const chunk of request) chunks.push(chunk as Buffer);
    const { method = "GET", url = "/" } = request;
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
    const body = text.startsWith("{") ? (JSON.parse(text) as Record<string, unknown>) : undefined;
    const path = url.replace(/\?.*/, "");
    const changed = change({ method, path, sent: Buffer.concat(chunks).toString(), status: answer.status, body });
    response
      .writeHead(changed.status, { "content-type": "application/json" })
      .end(changed.body === undefined ? text : JSON.stringify(changed.body));
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
