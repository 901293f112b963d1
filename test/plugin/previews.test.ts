import { describe, expect, it } from "vitest";
import { readProperties, type WireProperties, writeProperties } from "../../plugin/wire-properties.js";
import type { Properties } from "../../provider/engine/lifecycle.js";
import { messages, type ProviderMessages } from "../../provider/engine/sdk-protocol.js";
import { UNKNOWN } from "../../provider/engine/unknown.js";
import { packRecords } from "../../provider/key-set/packed-records.js";
import { answered, pluginClient } from "./wired-provider.js";

const vaultUrl = "https://contoso.vault.azure.net";
const version = "0123456789abcdef0123456789abcdef";

/** The outputs that a preview tells of an update from what state has. */
async function previewed(
  className: string,
  id: string,
  olds: Properties,
  news: Properties,
  oldInputs?: Properties,
): Promise<WireProperties> {
  const request = new messages.UpdateRequest();
  request.setUrn(`urn:pulumi:prod::shop::keyvault:index:${className}::all`);
  request.setId(id);
  request.setOlds(writeProperties(olds));
  request.setNews(writeProperties(news));
  if (oldInputs !== undefined) request.setOldInputs(writeProperties(oldInputs));
  request.setPreview(true);
  const client = await pluginClient();
  const response = await answered<ProviderMessages.UpdateResponse>((answer) => client.update(request, answer));
  return readProperties(response.getProperties());
}

describe("a preview through the plugin", () => {
  const ofVault = {
    vaultUrl,
    keys: ["*"],
    covered: { keys: { orders: `${version} 2026-01-01T00:00:00.000Z` }, secrets: {} },
    blobs: { keys: { orders: "b3JkZXJz" }, secrets: {} },
    failed: { keys: {}, secrets: {} },
    takenOn: "2026-01-01T00:00:00Z",
    digest: "sha256:abc",
  };
  const ofKey = {
    vaultUrl,
    name: "orders",
    covered: { version },
    blob: "b3JkZXJz",
    file: "",
    takenOn: "2026-01-01T00:00:00Z",
    digest: "sha256:abc",
  };

  const ofInventory = { vaultUrl, count: 1, unmanaged: ["theirs"], missing: [], digest: "sha256:abc" };

  it.each([
    ["VaultBackup", "blobs", ofVault, { vaultUrl, keys: ["*"] }],
    ["KeyBackup", "blob", ofKey, { vaultUrl, name: "orders" }],
    ["SecretBackup", "blob", ofKey, { vaultUrl, name: "orders" }],
    ["KeyInventory", "unmanaged", ofInventory, { vaultUrl }],
    ["SecretInventory", "unmanaged", ofInventory, { vaultUrl }],
  ])(
    "knows nothing of what a %s takes anew, though nothing but the credential changes",
    async (type, first, olds, news) => {
      const id = `${vaultUrl}/of-it`;
      for (const before of [{ credential: "cli" }, { __provider: "code" }]) {
        const { values } = await previewed(
          type,
          id,
          { ...olds, ...before },
          { ...news, credential: "token" },
          { ...news, ...before },
        );
        expect(values).toMatchObject({ ...news, [first]: UNKNOWN, digest: UNKNOWN });
      }
    },
  );

  const records = (version: string, facts: Properties = {}) =>
    packRecords(new Map([["orders", { entry: { generate: { keyType: "EC" } }, facts: { version, ...facts } }]]));
  const generate = { keyType: "EC" };

  it.each<[what: string, olds: Properties, keys: Properties, isKnown: boolean]>([
    ["has all of its keys", { records: records(version) }, { orders: { generate } }, true],
    ["lacks one", { records: records(version) }, { orders: { generate }, ledger: { generate } }, false],
    ["lacks one that has the place of another", { records: records(version) }, { ledger: { generate } }, false],
    ["has one of another source", { records: records(version) }, { orders: { thumbprint: "t" } }, false],
    [
      "has one of a strange version",
      { records: records(version, { foreignVersion: true }) },
      { orders: { generate } },
      false,
    ],
  ])("knows the versions of a set only as far as it %s", async (_what, olds, keys, isKnown) => {
    const inputs = { vaultUrl, keys };
    const state = { ...inputs, ...olds, credential: "cli" };
    const { values } = await previewed("KeySet", `${vaultUrl}/keys`, state, { ...inputs, credential: "token" });
    const ids = { orders: `${vaultUrl}/keys/orders/${version}` };
    expect(values.versionIds).toEqual(isKnown ? ids : UNKNOWN);
  });

  it("knows the version of a key only where none of another is left to be taken back", async () => {
    const inputs = { vaultUrl, name: "orders", generate };
    const news = { ...inputs, credential: "token" };
    const id = `${vaultUrl}/keys/orders`;
    const settled = await previewed("Key", id, { ...inputs, version, publicKey: {} }, news, inputs);
    expect(settled.values.version).toBe(version);
    const open = await previewed("Key", id, { ...inputs, version, publicKey: {}, foreignVersion: true }, news, inputs);
    expect(open.values.version).toBe(UNKNOWN);
  });
});
