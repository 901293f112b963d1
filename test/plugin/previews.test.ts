import { describe, expect, it } from "vitest";
import { messages, type ProviderMessages } from "../../plugin/sdk-protocol.js";
import { readProperties, type WireProperties, writeProperties } from "../../plugin/wire-properties.js";
import type { Properties } from "../../provider/engine/lifecycle.js";
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

  it("shows what a backup of the dynamic provider covers as the plugin will have it", async () => {
    const olds = { ...ofVault, __provider: "code" };
    const news = { vaultUrl, keys: ["*"] };
    const { values } = await previewed("VaultBackup", `${vaultUrl}/backup`, olds, news, {
      ...news,
      __provider: "code",
    });
    expect(values.covered).toEqual({ keys: { orders: version }, secrets: {} });
  });

  it("shows what the plugin derives of a backup of the dynamic provider", async () => {
    const olds = { ...ofKey, __provider: "code", credential: "cli" };
    const news = { vaultUrl, name: "orders", credential: "token" };
    const { values } = await previewed("KeyBackup", `${vaultUrl}/keys/orders/backup`, olds, news);
    expect(values).toMatchObject({ version, sourceId: `${vaultUrl}/keys/orders` });
  });

  it.each([
    ["VaultBackup", `${vaultUrl}/backup`, "blobs", ofVault, { vaultUrl, keys: ["*"] }],
    ["KeyBackup", `${vaultUrl}/keys/orders/backup`, "blob", ofKey, { vaultUrl, name: "orders" }],
  ])(
    "marks what a %s keeps as secret where nothing but the credential changes",
    async (...[type, id, blob, olds, news]) => {
      const { values, secrets } = await previewed(
        type,
        id,
        { ...olds, credential: "cli" },
        { ...news, credential: "token" },
      );
      expect(values[blob]).toEqual(Reflect.get(olds, blob));
      expect([...secrets]).toEqual([blob]);
    },
  );
});
