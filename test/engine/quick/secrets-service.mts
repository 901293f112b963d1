import { once } from "node:events";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { DATA_KEY } from "./new-stack.mts";

/**
 * Opens the key of a stack's secrets, as HashiCorp's Vault does: the engine asks once a run. From a passphrase it derives
 * the key in a million rounds, a third of what it does in a small run.
 */
export async function serveSecrets(): Promise<number> {
  const server = createServer((request, response) => {
    request.resume().on("end", () => {
      response.setHeader("content-type", "application/json");
      response.end(JSON.stringify({ data: { plaintext: DATA_KEY.toString("base64") } }));
    });
  });
  await once(server.listen(0, "127.0.0.1"), "listening");
  return (server.address() as AddressInfo).port;
}
