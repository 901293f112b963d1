import { afterEach, expect, it } from "vitest";
import { newestKeyVersion } from "../../provider/backup/newest-key-version.js";
import { type Answer, VaultServer } from "../keyvault/vault-server.js";

let server: VaultServer | undefined;
afterEach(async () => {
  await server?.close();
  server = undefined;
});

const version = (digit: string, created: number, enabled: boolean) => ({
  kid: `https://v.vault.azure.net/keys/orders/${digit.repeat(32)}`,
  attributes: { enabled, created, updated: created },
});

async function newest(refusal: Answer, versions: Answer) {
  server = await VaultServer.start(({ url }) => (url.includes("/versions") ? versions : refusal));
  return newestKeyVersion(server.client(), "orders");
}

const refused = (innererror?: { code: string }): Answer => ({
  status: 403,
  body: { error: { code: "Forbidden", message: "no", ...(innererror && { innererror }) } },
});

it("finds a disabled key that a server does not show among its versions", async () => {
  const list = {
    status: 200,
    body: { value: [version("a", 1, false), version("b", 3, false), version("c", 2, true)] },
  };
  expect(await newest(refused(), list)).toMatchObject({ version: "b".repeat(32), updatedOn: new Date(3000) });
});

it.each([
  ["may not be read", refused({ code: "AccessDenied" }), { status: 200, body: { value: [version("a", 1, false)] } }],
  ["is not disabled", refused(), { status: 200, body: { value: [version("a", 1, true)] } }],
  ["has versions that may not be listed", refused(), refused({ code: "AccessDenied" })],
])("passes the refusal on where a key %s", async (_what, refusal, versions) => {
  await expect(newest(refusal, versions)).rejects.toMatchObject({ code: "KV_FORBIDDEN", operation: "getKey" });
});
