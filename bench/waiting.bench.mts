/**
 * npm run build && node bench/waiting.bench.mts: what twelve keys cost a provider's process that wait for a busy name, on a server that says 409 and no more. In
 * the end each of them has to fail for lack of time.
 *
 *   --quick   waits for 2 seconds and not for 60: shows that it runs
 */
import { fork } from "node:child_process";
import { once } from "node:events";
import { createServer } from "node:http";
import { key } from "pulumi-keyvault/dynamic-v1";
import { ONCE, record } from "./record.mts";

const KEYS = 12;
const SECONDS = process.argv.includes("--quick") ? 2 : 60;

if (process.argv[2] === "server") {
  const challenge = 'Bearer authorization="https://login.microsoftonline.com/t", resource="https://vault.azure.net"';
  const json = { "content-type": "application/json" };
  const error = (code: string, message: string) => JSON.stringify({ error: { code, message } });
  let requests = 0;
  const server = createServer((request, response) => {
    requests++;
    request.resume().on("end", () => {
      if (request.headers.authorization === undefined) response.writeHead(401, { "www-authenticate": challenge }).end();
      else if (request.method === "GET")
        response.writeHead(404, json).end(error("KeyNotFound", "There is no such key."));
      else response.writeHead(409, json).end(error("Conflict", "The name is taken."));
    });
  });
  server.listen(0, "127.0.0.1", () => process.send?.(server.address()));
  process.on("message", () => process.send?.({ requests }));
  process.on("disconnect", () => process.exit());
} else await run();

async function run(): Promise<void> {
  Object.assign(process.env, { KEYVAULT_CREDENTIAL: "token", KEYVAULT_TOKEN: "a-token-for-benchmarks" });
  const server = fork(new URL(import.meta.url).pathname, ["server"]);
  const [{ port }] = (await once(server, "message")) as [{ port: number }];
  const wait = async (name: string, timeout: string): Promise<void> => {
    const args = {
      vaultUrl: `http://127.0.0.1:${port}`,
      name,
      generate: { keyType: "EC" },
      timeouts: { create: timeout },
    };
    const { inputs, failures } = await key.check({}, args);
    if (failures.length > 0) throw new Error(failures.map(({ reason }) => reason).join("; "));
    const outcome = await key.create(inputs).then(
      () => "it was created",
      (error: Error) => error.message,
    );
    if (!outcome.startsWith("KV_TIMEOUT")) throw new Error(`it did not wait to the end: ${outcome}`);
  };
  // What the first one loads is not what waiting costs.
  await wait("first", "1s");
  const memory = process.memoryUsage().rss;
  const start = process.cpuUsage();
  let peak = memory;
  const watch = setInterval(() => {
    peak = Math.max(peak, process.memoryUsage().rss);
  }, 250);
  await Promise.all(Array.from({ length: KEYS }, (_, index) => wait(`key-${index}`, `${SECONDS}s`)));
  clearInterval(watch);
  const { user, system } = process.cpuUsage(start);
  server.send("count");
  const [{ requests }] = (await once(server, "message")) as [{ requests: number }];
  server.disconnect();
  const share = ((user + system) / 1e6 / SECONDS) * 100;
  const growth = (peak - memory) / 1024 / 1024;
  console.log(
    `${KEYS} keys wait ${SECONDS} s for busy names: ${share.toFixed(2)} % of a core, ${growth.toFixed(1)} MB more at most, ${requests} requests`,
  );
  record({
    measure: `${KEYS} keys that wait ${SECONDS} s for busy names: share of a core; growth of memory`,
    figure: `${share.toFixed(2)} %; ${growth.toFixed(1)} MB`,
    spread: ONCE,
    goal: "at most 2 %; 30 MB",
  });
  if (SECONDS === 60 && (share > 2 || growth > 30)) process.exitCode = 1;
}
