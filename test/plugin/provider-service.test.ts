import { describe, expect, it } from "vitest";
import { readProperties, writeProperties } from "../../plugin/wire-properties.js";
import { SECRET_SIGNATURE, SIGNATURE_KEY } from "../../provider/engine/pulumi-secret.js";
import { grpc, messages, type ProviderMessages } from "../../provider/engine/sdk-protocol.js";
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

  // What a host of YAML has let through: it knows types and members, and no rules.
  it.each<[className: string, inputs: Record<string, unknown>, reason: RegExp]>([
    [
      "Key",
      { generate: { keyType: "EC" }, adopt: true },
      /a key takes one source, and this one has generate and adopt/,
    ],
    ["Key", {}, /a key needs one source/],
    ["Key", { import: { pem: CANARY, file: "a.pem" } }, /import/],
    ["Key", { import: {} }, /import/],
    ["Key", { import: { file: "a.pem", passphrase: CANARY, passphraseFrom: { env: "A" } } }, /passphrase/],
    ["Key", { generate: { keyType: "EC" }, tags: { year: 2027 } }, /tags: the value of tag "year" must be text/],
    ["Key", { generate: { keyType: "EC" }, expiresOn: 2027 }, /expiresOn/],
    ["Key", { generate: { keyType: "RSA", keySize: "large" } }, /keySize/],
    ["Key", { generate: { keyType: "EC" }, notAProperty: CANARY }, /notAProperty/],
    ["Secret", { value: CANARY, valueFrom: { env: "A" } }, /value/],
    ["Secret", { value: { nested: CANARY } }, /value/],
    ["Secret", { value: CANARY, timeouts: { create: [5] } }, /timeouts/],
    ["KeySet", { keys: { a: { generate: { keyType: "EC" }, adopt: true } } }, /one source/],
    ["KeySet", { keys: { a: { import: { pem: CANARY, file: "b" } } } }, /import/],
    ["KeySet", { keys: { a: CANARY } }, /keys/],
    ["KeySet", { keys: [CANARY] }, /keys/],
    ["KeySet", {}, /keys|import/],
    ["KeyBackup", {}, /name/],
    ["KeyBackup", { name: "orders", to: CANARY }, /to/],
    ["SecretBackup", { name: ["orders"] }, /name/],
    ["VaultBackup", {}, /keys/],
    ["VaultBackup", { keys: ["["] }, /keys/],
    ["VaultBackup", { keys: ["*"], keyResources: [{ vaultUrl: 5 }] }, /keys/],
    ["VaultBackup", { keys: ["*"], onFailure: CANARY }, /onFailure/],
    ["KeyInventory", { ignore: ["["] }, /ignore/],
    ["KeyInventory", { expect: { a: CANARY } }, /expect/],
    ["SecretInventory", { expiresWithin: CANARY }, /expiresWithin/],
    ["SecretInventory", { expectResources: [5, { nested: CANARY }] }, /expect/],
  ])("refuses of a %s with a code, and without the value: %j", async (className, inputs, reason) => {
    const response = await check(className, { vaultUrl: "https://contoso.vault.azure.net", ...inputs });
    const told = response.getFailuresList().map((failure) => failure.getReason());
    expect(told).toContainEqual(expect.stringMatching(reason));
    for (const each of told) expect(each).toMatch(/^KV_INVALID_(INPUT|KEY_MATERIAL): /);
    expect(told.join()).not.toContain(CANARY);
  });

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
