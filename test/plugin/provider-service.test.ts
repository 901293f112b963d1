import { describe, expect, it } from "vitest";
import { grpc, messages, type ProviderMessages } from "../../plugin/sdk-protocol.js";
import { readProperties, writeProperties } from "../../plugin/wire-properties.js";
import { SECRET_SIGNATURE, SIGNATURE_KEY } from "../../provider/engine/pulumi-secret.js";
import { answered, pluginClient } from "./wired-provider.js";

const CANARY = "hunter2-very-secret";
const secret = (value: unknown) => ({ [SIGNATURE_KEY]: SECRET_SIGNATURE, value });
const urnOf = (className: string): string => `urn:pulumi:prod::shop::keyvault:index:${className}::orders`;

async function schema(version: number, subpackage = ""): Promise<string> {
  const request = new messages.GetSchemaRequest();
  request.setVersion(version);
  request.setSubpackageName(subpackage);
  const client = await pluginClient();
  const response = await answered<ProviderMessages.GetSchemaResponse>((answer) => client.getSchema(request, answer));
  return response.getSchema();
}

async function check(className: string, news: Record<string, unknown>): Promise<ProviderMessages.CheckResponse> {
  const request = new messages.CheckRequest();
  request.setUrn(urnOf(className));
  request.setNews(writeProperties(news));
  const client = await pluginClient();
  return answered<ProviderMessages.CheckResponse>((answer) => client.check(request, answer));
}

describe("the plugin's server", () => {
  it("has a schema of the form that there is, and says of others what to do", async () => {
    expect(JSON.parse(await schema(0)).name).toBe("keyvault");
    await expect(schema(1)).rejects.toThrow(/^KV_INVALID_INPUT: .*no schema of that form: .*later pulumi-keyvault/);
    await expect(schema(0, "planted")).rejects.toThrow(/^KV_INVALID_INPUT: .*no schema of that form/);
  });

  it("tells the engine of a call that it does not serve", async () => {
    const client = await pluginClient();
    const request = new messages.ConstructRequest();
    const { code } = await new Promise<{ code?: number }>((done) =>
      client.construct(request, (error) => done(error ?? {})),
    );
    expect(code).toBe(grpc.status.UNIMPLEMENTED);
  });

  it.each([
    ["Key", { import: { pem: CANARY } }],
    ["Key", { generate: CANARY }],
    ["KeySet", { keys: { a: { import: { pem: CANARY } } } }],
    ["Secret", { value: { nested: CANARY } }],
    ["VaultBackup", { keys: { nested: CANARY } }],
    ["SecretInventory", { expect: { nested: CANARY } }],
  ])(
    "names no property in a refusal of a %s, since the engine would print its value: %j",
    async (className, inputs) => {
      const news = Object.entries({ vaultUrl: "https://contoso.vault.azure.net", ...inputs });
      const response = await check(className, Object.fromEntries(news.map(([name, value]) => [name, secret(value)])));
      const failures = response.getFailuresList();
      expect(failures.length).toBeGreaterThan(0);
      for (const failure of failures) {
        expect(failure.getProperty()).toBe("");
        expect(failure.getReason()).toMatch(/^KV_/);
        expect(failure.getReason()).not.toContain(CANARY);
      }
    },
  );

  it("answers as secret what a program gave as one, at any depth, and what is one by nature", async () => {
    const vaultUrl = "https://contoso.vault.azure.net";
    const generate = { keyType: "EC", keepers: { a: secret(CANARY) } };
    const tags = { t: secret(CANARY) };
    const key = readProperties((await check("Key", { vaultUrl, generate, tags })).getInputs());
    expect([...key.secrets].sort()).toEqual(["generate", "tags"]);
    const value = readProperties(
      (await check("Secret", { vaultUrl, value: CANARY, contentType: secret("a") })).getInputs(),
    );
    expect([...value.secrets].sort()).toEqual(["contentType", "valueDigest"]);
    expect(JSON.stringify(value.values)).not.toContain(CANARY);
    const inventory = { vaultUrl, expect: secret(["orders"]), ignore: [secret("fleet-*")] };
    const watched = readProperties((await check("KeyInventory", inventory)).getInputs());
    expect([...watched.secrets].sort()).toEqual(["expect", "ignore"]);
    const set = { vaultUrl, keys: { a: { generate } }, tags };
    expect([...readProperties((await check("KeySet", set)).getInputs()).secrets]).toContain("tags");
  });

  it("answers a provider's credentials as they came: secret", async () => {
    const request = new messages.CheckRequest();
    request.setUrn("urn:pulumi:prod::shop::pulumi:providers:keyvault::own");
    const credentials = { own: { type: "token", token: { env: "OWN_TOKEN" } } };
    request.setNews(writeProperties({ credentials: secret(credentials), credential: secret("own") }));
    const client = await pluginClient();
    const response = await answered<ProviderMessages.CheckResponse>((answer) => client.checkConfig(request, answer));
    expect(response.getFailuresList()).toEqual([]);
    const { secrets, values } = readProperties(response.getInputs());
    expect([...secrets].sort()).toEqual(["credential", "credentials"]);
    expect(values).toEqual({ credentials, credential: "own" });
  });
});
