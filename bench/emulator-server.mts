/** One server for the benchmark, in a process of its own: the emulator, or an empty `node:http(s)` server. */
import { createServer } from "node:http";
import { createServer as createTlsServer } from "node:https";

type EmulatorModule = typeof import("../emulator/index.js");
const [kind = "emulator", scheme = "http", store = ""] = process.argv.slice(2);
const load = async (name: string): Promise<unknown> =>
  import(new URL(`../dist/emulator/${name}.js`, import.meta.url).href);

if (kind === "emulator") {
  const { startEmulator } = (await load("index")) as EmulatorModule;
  const emulator = await startEmulator({ tls: scheme === "https", ...(store === "" ? {} : { store }) });
  process.send?.({ url: emulator.url, ca: emulator.caCertificate, token: emulator.token });
} else {
  const body = JSON.stringify({ empty: "x".repeat(900) });
  const handle = (_request: unknown, response: import("node:http").ServerResponse) => {
    response.writeHead(200, { "Content-Type": "application/json", "Content-Length": body.length });
    response.end(body);
  };
  const authority = (await load(
    "server/certificate-authority",
  )) as typeof import("../emulator/server/certificate-authority.js");
  const identity = scheme === "https" ? await authority.createServerIdentity(["localhost", "127.0.0.1"]) : undefined;
  const server = identity === undefined ? createServer(handle) : createTlsServer(identity, handle);
  server.listen(0, "127.0.0.1", () => {
    const address = server.address();
    const port = typeof address === "object" && address !== null ? address.port : 0;
    process.send?.({ url: `${scheme}://localhost:${port}`, ca: identity?.caCertificate });
  });
}
process.on("message", (message) => {
  const { user, system } = process.cpuUsage();
  if (message === "usage") process.send?.({ memory: process.memoryUsage().rss, cpu: user + system });
});
process.on("disconnect", () => process.exit(0));
