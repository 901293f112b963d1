import { afterEach, describe, expect, it, vi } from "vitest";
import { writeProperties } from "../../plugin/wire-properties.js";
import { engineTimeout } from "../../provider/engine/engine-timeout.js";
import { messages } from "../../provider/engine/sdk-protocol.js";
import { answered, pluginClient } from "./wired-provider.js";

const id = "https://contoso.vault.azure.net/keys/orders";
const seen: (number | undefined)[] = [];

vi.mock("../../provider/key/read-key.js", () => ({
  readKey: async () => {
    seen.push(engineTimeout());
    return { id: "", props: {} };
  },
}));
vi.mock("../../provider/key/adopt-key.js", () => ({
  importKey: async () => {
    seen.push(engineTimeout());
    return { id, inputs: {}, outputs: {} };
  },
}));

async function read(outputs: Record<string, unknown>, seconds: number): Promise<void> {
  const request = new messages.ReadRequest();
  request.setUrn("urn:pulumi:prod::shop::keyvault:index:Key::orders");
  request.setId(id);
  request.setProperties(writeProperties(outputs));
  request.setTimeout(seconds);
  const client = await pluginClient();
  await answered((answer) => client.read(request, answer));
}

/** By this an operation is limited that has no limit in the resource's own `timeouts`. */
describe("customTimeouts of a read, through the plugin", () => {
  afterEach(() => {
    seen.length = 0;
  });

  it("limit a refresh", async () => {
    await read({ name: "orders" }, 90);
    expect(seen).toEqual([90_000]);
  });

  it("limit an import", async () => {
    await read({}, 90);
    expect(seen).toEqual([90_000]);
  });

  it("limit nothing where none are given", async () => {
    await read({ name: "orders" }, 0);
    expect(seen).toEqual([undefined]);
  });
});
