import { once } from "node:events";
import type { AddressInfo, Server } from "node:net";
import { secretsService } from "./secrets-service.mts";
import { warmNodes } from "./warm-nodes.mts";

// The process that global-setup.ts starts, and that ends with it.

process.on("disconnect", () => process.exit());
process.send?.({ secrets: await portOf(secretsService()), warmNodes: await portOf(warmNodes()) });

async function portOf(server: Server): Promise<number> {
  await once(server.listen(0, "127.0.0.1"), "listening");
  return (server.address() as AddressInfo).port;
}
