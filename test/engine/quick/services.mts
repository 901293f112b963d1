import { serveSecrets } from "./secrets-service.mts";
import { serveWarmNodes } from "./warm-nodes.mts";

// The process that global-setup.ts starts, and that ends with it.

process.on("disconnect", () => process.exit());
process.send?.({ secrets: await serveSecrets(), warmNodes: await serveWarmNodes() });
