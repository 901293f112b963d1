import { createServer, type Server } from "node:http";
import { DATA_KEY } from "./new-stack.mts";

/**
 * Opens the key of a stack's secrets, as HashiCorp's Vault does: the engine asks once a run. From a passphrase it derives
 * the key in a million rounds, a third of what it does in a small run.
 */
export function secretsService(): Server {
  return createServer((request, response) => {
    request.resume().on("end", () => {
      response.setHeader("content-type", "application/json");
      response.end(JSON.stringify({ data: { plaintext: DATA_KEY.toString("base64") } }));
    });
  });
}
