import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { type Emulator, startEmulator } from "../../emulator/index.js";
import { Stack } from "./stack.js";

/** Two principals of one vault: the stack's own may do nothing, the partner's everything. */
describe("a resource with a credential of its own", () => {
  let vault: Emulator;
  let stack: Stack;
  beforeAll(async () => {
    vault = await startEmulator();
    vault.vault("emulator").configure({
      permissions: { principals: { stack: {}, partner: { keys: ["*"], secrets: ["*"] } } },
    });
    const tokenOf = async (principal: string) =>
      (await vault.credentialFor(principal).getToken("https://vault.azure.net/.default"))?.token ?? "";
    stack = await Stack.create({
      program: `
        const key = new keyvault.Key("orders", { name: "orders", credential: "partner", generate: { keyType: "EC" } });
        new keyvault.KeyBackup("orders", { key });
        const names = [];
        exports.listed = key.name.apply(async () => {
          for await (const { name } of keyvault.listKeys(undefined, { credential: "partner" })) names.push(name);
          return names;
        });
      `,
      config: { "keyvault:vaultUrl": vault.url, "keyvault:credential": "token" },
      env: { KEYVAULT_TOKEN: await tokenOf("stack"), PARTNER_TOKEN: await tokenOf("partner") },
    });
    await stack.pulumi("config", "set", "--path", "keyvault:credentials.partner.type", "token");
    await stack.pulumi("config", "set", "--path", "keyvault:credentials.partner.token.env", "PARTNER_TOKEN");
  });
  afterAll(async () => {
    await stack?.remove();
    await vault?.close();
  });

  it("lives by the entry that the stack's configuration names, its backup and lists too", async () => {
    const up = await stack.pulumi("up", "--yes");
    expect(up.text).not.toContain("error");
    expect(up.exitCode).toBe(0);
    const outputs = JSON.parse((await stack.pulumi("stack", "output", "--json")).stdout);
    expect(outputs).toEqual({ listed: ["orders"] });
    const refresh = await stack.pulumi("preview", "--refresh", "--expect-no-changes");
    expect(refresh.exitCode, refresh.text).toBe(0);
  });

  it("has the name of the credential in its state, and no token", async () => {
    const state = (await stack.pulumi("stack", "export", "--show-secrets")).stdout;
    expect(state).toContain('"credential": "partner"');
    expect(state).not.toContain(
      (await vault.credentialFor("partner").getToken("https://vault.azure.net/.default"))?.token,
    );
  });

  it("is deleted by the same one", async () => {
    const destroy = await stack.pulumi("destroy", "--yes");
    expect(destroy.exitCode, destroy.text).toBe(0);
  });
});
