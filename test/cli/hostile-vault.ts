import { createServer } from "node:http";
import type { AddressInfo } from "node:net";

/** What a server answers to a path, without its query. */
export type Answers = Record<string, { status?: number; body: unknown }>;

/** A server on loopback that says what it likes. Lists that are not among its answers are empty. */
export async function hostileVault(answers: Answers): Promise<{ url: string; close(): Promise<void> }> {
  const server = createServer((request, response) => {
    const path = (request.url ?? "").replace(/\?.*$/, "");
    const isList = /^\/(deleted)?(keys|secrets)$|\/versions$/.test(path);
    const { status = 200, body } = answers[path] ?? (isList ? { body: { value: [] } } : { status: 404, body: {} });
    response.writeHead(status, { "content-type": "application/json" }).end(JSON.stringify(body));
  });
  await new Promise<void>((done) => server.listen(0, "127.0.0.1", done));
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    close: () => new Promise((done) => server.close(() => done())),
  };
}

const VERSION = "0123456789abcdef0123456789abcdef";

/** A key as a vault lists it, by the name in its URL. */
export function listedKey(name: string, members: object = {}): object {
  return { kid: `https://v.vault.azure.net/keys/${name}`, attributes: { enabled: true }, ...members };
}

/** A key as a vault answers it. */
export function answeredKey(name: string, members: object = {}): object {
  return {
    key: {
      kid: `https://v.vault.azure.net/keys/${name}/${VERSION}`,
      kty: "EC",
      crv: "P-256",
      x: "AQ",
      y: "AQ",
      ...members,
    },
    attributes: { enabled: true, created: 1_700_000_000 },
  };
}
