import { describe, expect, it } from "vitest";
import { changedProperties, type PropertyChange, rootOf } from "../../plugin/detailed-diff.js";
import { writeProperties } from "../../plugin/wire-properties.js";
import type { Properties } from "../../provider/engine/lifecycle.js";
import { messages, type ProviderMessages } from "../../provider/engine/sdk-protocol.js";
import { answered, pluginClient } from "./wired-provider.js";

const vaultUrl = "https://contoso.vault.azure.net";
const { Kind } = messages.PropertyDiff;
const { DIFF_NONE, DIFF_SOME } = messages.DiffResponse.DiffChanges;

describe("what differs between two sets of inputs", () => {
  it.each<[what: string, before: Properties, after: Properties, changes: PropertyChange[]]>([
    ["nothing", { a: 1, b: { c: [1] } }, { b: { c: [1] }, a: 1 }, []],
    ["nothing, where one is left out and the other undefined", { a: undefined }, {}, []],
    ["a property more", {}, { tags: { a: "1" } }, [{ path: "tags", kind: "add" }]],
    ["a property less", { tags: { a: "1" } }, {}, [{ path: "tags", kind: "delete" }]],
    ["another value", { a: 1 }, { a: 2 }, [{ path: "a", kind: "update" }]],
    ["another type", { a: [1] }, { a: { b: 1 } }, [{ path: "a", kind: "update" }]],
    [
      "members, by name",
      { tags: { kept: "1", gone: "1", other: "1" } },
      { tags: { kept: "1", added: "1", other: "2" } },
      [
        { path: "tags.added", kind: "add" },
        { path: "tags.gone", kind: "delete" },
        { path: "tags.other", kind: "update" },
      ],
    ],
    [
      "members that every object has by itself",
      { keys: { kept: {}, valueOf: {} }, tags: { a: "1" } },
      { keys: { kept: {}, constructor: {}, toString: {} }, tags: { a: "1" } },
      [
        { path: "keys.constructor", kind: "add" },
        { path: "keys.toString", kind: "add" },
        { path: "keys.valueOf", kind: "delete" },
      ],
    ],
    [
      "items of a list, by place",
      { keyOps: ["sign", "verify"], names: ["a", "b"] },
      { keyOps: ["sign", "decrypt", "encrypt"], names: ["a"] },
      [
        { path: "keyOps[1]", kind: "update" },
        { path: "keyOps[2]", kind: "add" },
        { path: "names[1]", kind: "delete" },
      ],
    ],
    [
      "names that are no words, in quotes",
      { tags: { "a.b": "1", 'a"b': "1", "1": "1" } },
      { tags: { "a.b": "2", 'a"b': "2", "1": "2" } },
      [
        { path: 'tags["1"]', kind: "update" },
        { path: 'tags["a\\"b"]', kind: "update" },
        { path: 'tags["a.b"]', kind: "update" },
      ],
    ],
    ["a name in quotes at the top", { "a.b": 1 }, { "a.b": 2 }, [{ path: '["a.b"]', kind: "update" }]],
    [
      "members of items",
      { lists: [{ "a-b": { c: 1 } }] },
      { lists: [{ "a-b": { c: 2 } }] },
      [{ path: 'lists[0]["a-b"].c', kind: "update" }],
    ],
  ])("is %s", (_what, before, after, changes) => {
    expect(changedProperties(before, after)).toEqual(changes);
  });

  it.each([
    ["tags", "tags"],
    ["tags.team", "tags"],
    ['tags["a.b"]', "tags"],
    ["keyOps[1]", "keyOps"],
  ])("of %s is a change of %s", (path, root) => {
    expect(rootOf(path)).toBe(root);
  });
});

describe("a difference as the engine is told it", () => {
  async function diff(inputs: Properties, news: Properties) {
    const request = new messages.DiffRequest();
    request.setUrn("urn:pulumi:prod::shop::keyvault:index:KeyBackup::orders");
    request.setId(`${vaultUrl}/keys/orders/backup`);
    request.setOlds(writeProperties({ ...inputs, blob: "b3JkZXJz" }));
    request.setOldInputs(writeProperties(inputs));
    request.setNews(writeProperties(news));
    const client = await pluginClient();
    const response = await answered<ProviderMessages.DiffResponse>((answer) => client.diff(request, answer));
    const kinds = response.getDetaileddiffMap().toArray();
    return {
      changes: response.getChanges(),
      replaces: response.getReplacesList(),
      named: response.getDiffsList(),
      kinds: Object.fromEntries(kinds.map(([path]) => [path, response.getDetaileddiffMap().get(path)?.getKind()])),
    };
  }

  const inputs = { vaultUrl, name: "orders" };

  it("is none where nothing differs", async () => {
    expect(await diff(inputs, inputs)).toEqual({ changes: DIFF_NONE, replaces: [], named: [], kinds: {} });
  });

  it("names what is added, taken away and changed", async () => {
    const before = { ...inputs, version: "a", to: { folder: "one" } };
    const after = { ...inputs, updatedOn: "2026-01-01T00:00:00Z", to: { folder: "two" } };
    expect(await diff(before, after)).toEqual({
      changes: DIFF_SOME,
      replaces: [],
      // By the property a line of the CLI names it, by the path replaceOnChanges finds it.
      named: ["to", "to.folder", "updatedOn", "version"],
      kinds: { updatedOn: Kind.ADD, version: Kind.DELETE, "to.folder": Kind.UPDATE },
    });
  });

  it("says of each that makes another resource that it does", async () => {
    const { replaces, kinds } = await diff(inputs, { ...inputs, name: "other" });
    expect(replaces).toEqual(["name"]);
    expect(kinds).toEqual({ name: Kind.UPDATE_REPLACE });
    const added = await diff({ vaultUrl }, inputs);
    expect(added).toMatchObject({ replaces: ["name"], kinds: { name: Kind.ADD_REPLACE } });
    const gone = await diff(inputs, { vaultUrl });
    expect(gone).toMatchObject({ replaces: ["name"], kinds: { name: Kind.DELETE_REPLACE } });
  });
});

describe("another configuration of an explicit provider", () => {
  async function diffConfig(before: Properties, after: Properties): Promise<ProviderMessages.DiffResponse> {
    const request = new messages.DiffRequest();
    request.setUrn("urn:pulumi:prod::shop::pulumi:providers:keyvault::partner");
    request.setId("0f9c9d2e");
    request.setOlds(writeProperties(before));
    request.setOldInputs(writeProperties(before));
    request.setNews(writeProperties(after));
    const client = await pluginClient();
    return answered<ProviderMessages.DiffResponse>((answer) => client.diffConfig(request, answer));
  }

  const config = { vaultUrl, credential: "own", credentials: { own: { type: "cli" } } };

  it.each<[what: string, after: Properties, diffs: string[]]>([
    ["vaultUrl", { ...config, vaultUrl: "https://partner.vault.azure.net" }, ["vaultUrl"]],
    ["no vaultUrl", { credential: config.credential, credentials: config.credentials }, ["vaultUrl"]],
    ["credential", { ...config, credential: "cli" }, ["credential"]],
    ["credentials", { ...config, credentials: { own: { type: "vm" } } }, ["credentials", "credentials.own.type"]],
    ["setting that is new", { ...config, ownerTag: "false" }, ["ownerTag"]],
  ])("replaces nothing, and so no key of it: another %s", async (_what, after, diffs) => {
    const response = await diffConfig(config, after);
    expect(response.getChanges()).toBe(DIFF_SOME);
    expect(response.getDiffsList()).toEqual(diffs);
    expect(response.getReplacesList()).toEqual([]);
    expect(response.getDeletebeforereplace()).toBe(false);
    expect(response.getDetaileddiffMap().getLength()).toBe(0);
  });

  it("is none where nothing differs", async () => {
    const response = await diffConfig(config, config);
    expect(response.getChanges()).toBe(DIFF_NONE);
    expect(response.getReplacesList()).toEqual([]);
  });
});
