import { createServer } from "node:http";
import type { AddressInfo } from "node:net";

// A process of its own: a vault that answers Get Keys from memory, so that the benchmark measures the reader alone.
// Arguments: how many keys, and after how many milliseconds a page is answered. Every third page is an empty one.

const [keys = "10000", latency = "0"] = process.argv.slice(2);
const PAGE = 25;
const pages = Math.ceil(Number(keys) / PAGE);

const bodies = new Map<string, string>();
const server = createServer((request, response) => {
  const url = new URL(request.url ?? "/", "http://vault");
  const page = url.searchParams.get("$skiptoken") ?? "0";
  response.writeHead(200, { "content-type": "application/json; charset=utf-8" });
  const answer = () => response.end(bodies.get(page));
  if (latency === "0") answer();
  else setTimeout(answer, Number(latency));
});

server.listen(0, "127.0.0.1", () => {
  const { port } = server.address() as AddressInfo;
  const link = (token: string) => `https://vault.vault.azure.net:443/keys?api-version=7.4&$skiptoken=${token}`;
  for (let page = 0; page < pages; page++) {
    const hasGap = page % 3 === 2;
    const next = page + 1 < pages ? link(String(page + 1)) : null;
    const value = Array.from({ length: Math.min(PAGE, Number(keys) - page * PAGE) }, (_, index) =>
      item(page * PAGE + index),
    );
    const body = JSON.stringify({ value, nextLink: next });
    if (hasGap) bodies.set(String(page), JSON.stringify({ value: [], nextLink: link(`${page}-`) }));
    bodies.set(hasGap ? `${page}-` : String(page), body);
  }
  process.send?.({ port });
});

function item(index: number) {
  return {
    kid: `https://vault.vault.azure.net/keys/service-${String(index).padStart(5, "0")}-signing`,
    attributes: {
      enabled: true,
      exp: 1_830_000_000 + index,
      created: 1_700_000_000 + index,
      updated: 1_700_000_000 + index,
      recoveryLevel: "Recoverable+Purgeable",
      recoverableDays: 90,
      exportable: false,
    },
    tags: { team: "orders", index: String(index) },
  };
}
