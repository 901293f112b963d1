import { createServer, type IncomingMessage, type Server } from "node:http";
import type { AddressInfo } from "node:net";
import { KeyVaultClient, type KeyVaultClientOptions } from "../../provider/keyvault/client.js";

export interface SeenRequest {
  method: string;
  /** Path and query. */
  url: string;
  authorization?: string;
  body: string;
}

export interface Answer {
  status: number;
  body?: unknown;
  headers?: Record<string, string>;
  /** Closes the connection in place of an answer. */
  drop?: boolean;
}

export const CHALLENGE =
  'Bearer authorization="https://login.microsoftonline.com/11111111-2222-3333-4444-555555555555", resource="https://vault.azure.net"';

export const unauthorized = (challenge: string = CHALLENGE): Answer => ({
  status: 401,
  body: { error: { code: "Unauthorized", message: "AKV10000: Request is missing a Bearer or PoP token." } },
  headers: { "www-authenticate": challenge },
});

/** A server on loopback that answers as it is told and remembers what it was asked. */
export class VaultServer {
  readonly requests: SeenRequest[] = [];
  readonly #server: Server;
  readonly #clients: KeyVaultClient[] = [];

  private constructor(server: Server) {
    this.#server = server;
  }

  /** With `authenticate`, requests without a token get the usual challenge and do not reach `answer`. */
  static async start(
    answer: (request: SeenRequest, index: number) => Answer | Promise<Answer>,
    { authenticate = true }: { authenticate?: boolean } = {},
  ): Promise<VaultServer> {
    const server = createServer();
    const vault = new VaultServer(server);
    let index = 0;
    server.on("request", async (incoming, outgoing) => {
      const request = await read(incoming);
      vault.requests.push(request);
      const challenged = authenticate && request.authorization === undefined;
      const told = challenged ? unauthorized() : await answer(request, index++);
      if (told.drop) {
        incoming.socket.destroy();
        return;
      }
      outgoing.writeHead(told.status, {
        "content-type": "application/json; charset=utf-8",
        "x-ms-request-id": "2b0c2f3c-0000-4000-8000-000000000001",
        ...told.headers,
      });
      outgoing.end(
        typeof told.body === "string" ? told.body : told.body === undefined ? "" : JSON.stringify(told.body),
      );
    });
    await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
    return vault;
  }

  get url(): string {
    return `http://127.0.0.1:${(this.#server.address() as AddressInfo).port}`;
  }

  /** The requests that carried a token. */
  get authorized(): SeenRequest[] {
    return this.requests.filter(({ authorization }) => authorization !== undefined);
  }

  client(options: Partial<KeyVaultClientOptions> = {}): KeyVaultClient {
    const client = new KeyVaultClient({ vaultUrl: this.url, credential: countingSource(), ...options });
    this.#clients.push(client);
    return client;
  }

  async close(): Promise<void> {
    await Promise.all(this.#clients.map((client) => client.close()));
    this.#server.closeAllConnections();
    await new Promise((resolve) => this.#server.close(resolve));
  }
}

export interface CountingSource {
  requests: { scope: string; tenantId?: string; claims?: string }[];
  getToken(
    scope: string,
    options: { tenantId?: string; claims?: string; signal?: AbortSignal },
  ): Promise<{ token: string; expiresOn: Date }>;
}

/** Gives `token-1`, `token-2`, … and remembers for what. */
export function countingSource(lifetimeMs = 3_600_000, now = () => Date.now()): CountingSource {
  const requests: CountingSource["requests"] = [];
  return {
    requests,
    async getToken(scope, { tenantId, claims }) {
      requests.push({ scope, ...(tenantId ? { tenantId } : {}), ...(claims ? { claims } : {}) });
      return { token: `token-${requests.length}`, expiresOn: new Date(now() + lifetimeMs) };
    },
  };
}

async function read(incoming: IncomingMessage): Promise<SeenRequest> {
  const chunks: Buffer[] = [];
  for await (const chunk of incoming) chunks.push(chunk as Buffer);
  const { authorization } = incoming.headers;
  return {
    method: incoming.method ?? "",
    url: incoming.url ?? "",
    body: Buffer.concat(chunks).toString("utf8"),
    ...(authorization === undefined ? {} : { authorization }),
  };
}
