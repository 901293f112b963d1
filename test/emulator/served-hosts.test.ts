import { expect, it } from "vitest";
import { openVault, refusal } from "./open-vault.js";

const own = [
  "localhost",
  "LOCALHOST:PORT",
  "127.0.0.1:PORT",
  "127.8.8.8",
  "[::1]:PORT",
  "orders.localhost:PORT",
  "anything.localhost",
  "Orders.vault.azure.net",
  "orders.vault.azure.cn:443",
  "orders.managedhsm.azure.net",
  "localhost.:PORT",
];
const strange = [
  "evil.example",
  "evil.example:PORT",
  "evil",
  "localhost.evil.example",
  "127.0.0.1.evil.example",
  "127.0.0.1.nip.io:PORT",
  "orders.vault.azure.net.evil.example",
  "other.vault.azure.net",
  "notlocalhost:PORT",
  ".localhost",
  "localhost:PORT:PORT",
  "localhost@evil.example",
  "[evil]:PORT",
  "[::1",
  "<script>",
  "localhost/..",
];

it.each(own)("a request to %s is served", async (host) => {
  const { call, emulator } = await openVault({ vaults: ["orders"] });
  const headers = { host: host.replaceAll("PORT", String(emulator.port)) };
  expect((await call("GET", "/keys", undefined, { headers })).status).toBe(200);
});

it.each(strange)("a request to %j is refused before anything else", async (host) => {
  const { call, emulator } = await openVault({ vaults: ["orders"] });
  const headers = { host: host.replaceAll("PORT", String(emulator.port)) };
  const misdirected = refusal(421, "MisdirectedRequest");
  expect(await call("GET", "/keys", undefined, { headers })).toMatchObject(misdirected);
  expect(await call("PUT", "/secrets/a", { value: "x" }, { headers, token: null })).toMatchObject(misdirected);
  expect(await call("GET", "/_emulator/requests", undefined, { headers })).toMatchObject(misdirected);
  expect(emulator.requests.count).toBe(0);
});

it("takes back nothing that it said of itself: every URL of its own is served", async () => {
  const { call, emulator } = await openVault({ vaults: ["one", { name: "two", plane: "managedhsm" }] });
  for (const url of [emulator.url, emulator.vault("one").url, emulator.vault("two").url]) {
    expect((await call("GET", "/keys", undefined, { headers: { host: new URL(url).host } })).status).toBe(200);
  }
});
