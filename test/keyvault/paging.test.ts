import { afterEach, expect, test } from "vitest";
import { type Answer, VaultServer } from "./vault-server.js";

let server: VaultServer;
afterEach(() => server.close());

const item = (name: string) => ({ kid: `https://v.vault.azure.net/keys/${name}`, attributes: { enabled: true } });

/** Serves pages by their number in `$skiptoken`. */
async function servePages(pages: Answer["body"][]) {
  server = await VaultServer.start(({ url }) => ({
    status: 200,
    body: pages[Number(/skiptoken=(\d+)/.exec(url)?.[1] ?? 0)],
  }));
  return server.client();
}

const link = (page: number, host = "https://v.vault.azure.net:443") =>
  `${host}/keys?api-version=7.4&$skiptoken=${page}&maxresults=2`;

async function names(items: AsyncIterable<{ name: string }>): Promise<string[]> {
  const found: string[] = [];
  for await (const { name } of items) found.push(name);
  return found;
}

test("empty pages are passed over, the first one too, and value may be null", async () => {
  const client = await servePages([
    { value: [], nextLink: link(1) },
    { value: null, nextLink: link(2) },
    { value: [item("a"), item("b")], nextLink: link(3) },
    { value: [item("c")], nextLink: null },
  ]);
  expect(await names(client.getKeys({ maxPageSize: 2 }))).toEqual(["a", "b", "c"]);
});

test.each([
  ["the public host with :443", "https://v.vault.azure.net:443"],
  ["a hostile host", "https://evil.example"],
  ["a host that is none", "https://<vault name>.vault.azure.net:443"],
  ["no host", ""],
])("a next link to %s is asked of the vault's own origin", async (_name, host) => {
  const client = await servePages([{ value: [item("a")], nextLink: link(1, host) }, { value: [item("b")] }]);
  expect(await names(client.getKeys())).toEqual(["a", "b"]);
  expect(server.authorized.map(({ url }) => url)).toEqual([
    "/keys?api-version=7.4",
    "/keys?api-version=7.4&$skiptoken=1&maxresults=2",
  ]);
});

test("a next link without api-version gets it, and one with odd characters is encoded", async () => {
  const client = await servePages([{ value: [], nextLink: "/keys?$skiptoken=1 ä" }, { value: [] }]);
  expect(await names(client.getKeys())).toEqual([]);
  expect(server.authorized[1]?.url).toBe("/keys?$skiptoken=1%20%c3%a4&api-version=7.4");
});

test("a list that leads back to a page it has shown is refused", async () => {
  const client = await servePages([
    { value: [], nextLink: link(1) },
    { value: [], nextLink: link(2) },
    { value: [], nextLink: link(1) },
  ]);
  await expect(names(client.getKeys())).rejects.toMatchObject({ code: "KV_PROTOCOL", operation: "getKeys" });
});

test.each(["//evil.example/keys", "keys?$skiptoken=1", "https://v"])("%s is no next page", async (nextLink) => {
  const client = await servePages([{ value: [item("a")], nextLink }]);
  await expect(names(client.getKeys())).rejects.toMatchObject({ code: "KV_PROTOCOL" });
  expect(server.authorized).toHaveLength(1);
});

test("an answer without a list is no empty list: the server is no vault", async () => {
  const client = await servePages([{ hello: 1 }]);
  const first = client.getKeys()[Symbol.asyncIterator]().next();
  await expect(first).rejects.toMatchObject({ code: "KV_PROTOCOL" });
});

test("a list of empty pages without end is refused, and so is one of pages that are none", async () => {
  let asked = 0;
  const dispatch = async () => {
    asked++;
    return { status: 200, headers: {}, body: JSON.stringify({ value: [], nextLink: link(asked) }) };
  };
  server = await VaultServer.start(() => ({ status: 500 }));
  await expect(names(server.client({ dispatch }).getKeys())).rejects.toMatchObject({
    code: "KV_PROTOCOL",
    message: expect.stringContaining("without end"),
  });
  expect(asked).toBeLessThan(25_000);
  for (const body of [[], { value: {} }, { value: [], nextLink: 7 }, { value: "", nextLink: null }]) {
    const stranger = server.client({
      dispatch: async () => ({ status: 200, headers: {}, body: JSON.stringify(body) }),
    });
    await expect(names(stranger.getKeys())).rejects.toMatchObject({ code: "KV_PROTOCOL" });
  }
});

const ODD: readonly [string, unknown, string | undefined][] = [
  ["a name that no vault takes", { kid: "https://v/keys/a%2Fb" }, "a/b"],
  ["a name that turns text around", { kid: "https://v/keys/%E2%80%AEx%1B%5B2J" }, "\\u202ex\\u001b[2J"],
  ["a moment without end", { ...item("late"), attributes: { exp: 1e300 } }, "late"],
  ["tags that are none", { ...item("tagged"), tags: [1] }, "tagged"],
  ["no name", { attributes: {} }, undefined],
  ["nothing", null, undefined],
];

test.each(ODD)("a line with %s is told by name, and the others are listed", async (_what, line, name) => {
  const client = await servePages([
    { value: [item("a"), line, item("b")], nextLink: link(1) },
    { value: [item("c")], nextLink: null },
  ]);
  const told: unknown[] = [];
  expect(await names(client.getKeys({ onOddLine: (error) => told.push(error) }))).toEqual(["a", "b", "c"]);
  expect(told).toMatchObject([{ code: "KV_PROTOCOL", operation: "getKeys" }]);
  expect(told).toHaveLength(1);
  expect((told[0] as { objectName?: string }).objectName).toBe(name);
  const refused = await names(client.getKeys()).catch((error: unknown) => error);
  expect(refused).toMatchObject({ code: "KV_PROTOCOL", message: (told[0] as Error).message });
});

test("a list of odd lines alone is that of no vault", async () => {
  const client = await servePages([{ value: Array(1_001).fill({ kid: "https://v/keys/_" }), nextLink: null }]);
  let told = 0;
  await expect(names(client.getKeys({ onOddLine: () => told++ }))).rejects.toMatchObject({ code: "KV_PROTOCOL" });
  expect(told).toBe(1_000);
});

test("a list asks for no more pages than are read", async () => {
  const client = await servePages([{ value: [item("a")], nextLink: link(1) }, { value: [item("b")] }]);
  for await (const { name } of client.getKeys()) {
    expect(name).toBe("a");
    break;
  }
  expect(server.authorized).toHaveLength(1);
});

test("a page that fails ends the list with its error", async () => {
  server = await VaultServer.start((_request, index) =>
    index === 0
      ? { status: 200, body: { value: [item("a")], nextLink: link(1) } }
      : { status: 403, body: { error: { code: "Forbidden", message: "no", innererror: { code: "AccessDenied" } } } },
  );
  await expect(names(server.client().getDeletedKeys())).rejects.toMatchObject({ code: "KV_FORBIDDEN" });
});
