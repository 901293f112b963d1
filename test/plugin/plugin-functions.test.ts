import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from "vitest";
import { type Emulator, startEmulator } from "../../emulator/index.js";
import { callFunction } from "../../plugin/plugin-functions.js";
import { configure } from "../../plugin/provider-config.js";
import { functionSchemas } from "../../plugin/schema/function-schema.js";
import { requestCounts } from "../engine/vault-by-hand.js";

/** What a program says that no SDK has checked, or one of a later version. */
describe("an argument of a function through the plugin", () => {
  let vault: Emulator;

  beforeAll(async () => {
    vault = await startEmulator();
  });
  afterAll(() => vault?.close());
  beforeEach(() => {
    vault.requests.clear();
    configure({ vaultUrl: vault.url });
  });
  afterEach(() => configure({}));

  it.each(Object.keys(functionSchemas))("that %s has not is refused by its name, before a request", async (name) => {
    await expect(callFunction(`keyvault:index:${name}`, { planted: "hunter2", name: "orders" })).rejects.toMatchObject({
      code: "KV_INVALID_INPUT",
      message: expect.stringMatching(new RegExp(`^${name} is refused: it takes no "planted"(?!.*hunter2)`)),
    });
    expect(requestCounts(vault)).toEqual({});
  });

  it("names no vault that is then not asked", async () => {
    const args = { id: "https://partner.vault.azure.net/keys/orders", name: "orders" };
    await expect(callFunction("keyvault:index:listKeyVersions", args)).rejects.toThrow(/it takes no "id"/);
    expect(requestCounts(vault)).toEqual({});
  });

  it.each(["getSecret", "sign", "listKeys"])(
    "that says who asks is no other caller where %s cannot read it",
    async (name) => {
      const args = { ...(name === "listKeys" ? {} : { name: "orders" }), credential: ["hunter2"] };
      await expect(callFunction(`keyvault:index:${name}`, args)).rejects.toMatchObject({
        code: "KV_INVALID_INPUT",
        message: expect.stringContaining(`${name} is refused: the credential is a list of 1`),
      });
      expect(requestCounts(vault)).toEqual({});
    },
  );

  it("may be there with nothing in it", async () => {
    const args = { vaultUrl: null, credential: null, planted: null };
    await expect(callFunction("keyvault:index:listKeys", args)).rejects.not.toThrow(/it takes no|the credential is/);
  });
});
