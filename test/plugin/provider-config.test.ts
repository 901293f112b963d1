import { afterEach, describe, expect, it } from "vitest";
import { configProblems, configure } from "../../plugin/provider-config.js";
import { UNKNOWN } from "../../provider/engine/unknown.js";
import { vaultSettings } from "../../provider/engine/vault-settings.js";

const ENTRIES = { partner: { type: "token", token: { env: "PARTNER_TOKEN" } } };
const CANARY = "hunter2-very-secret";

afterEach(() => configure({}));

describe("the credentials of an explicit provider", () => {
  it.each<[form: string, given: unknown]>([
    ["an object", ENTRIES],
    ["its JSON", JSON.stringify(ENTRIES)],
    ["that JSON as a generated SDK writes a text", JSON.stringify(JSON.stringify(ENTRIES))],
  ])("are read from %s", async (_form, credentials) => {
    expect(await configProblems({ credentials, credential: "partner" })).toEqual([]);
    expect(JSON.parse(vaultSettings().credentials ?? "")).toEqual(ENTRIES);
  });

  it.each<[what: string, config: Record<string, unknown>, problem: RegExp]>([
    ["no map", { credentials: CANARY }, /keyvault:credentials must be a map of names/],
    ["a list", { credentials: [CANARY] }, /keyvault:credentials must be a map of names/],
    ["half a JSON text", { credentials: `"${CANARY}` }, /keyvault:credentials must be a map of names/],
    [
      "a secret in the place of its name",
      { credentials: { own: { type: "token", token: CANARY } } },
      /keyvault:credentials\.own: "token" must say where it stands/,
    ],
    [
      "a credential that there is not",
      { credential: CANARY, credentials: ENTRIES },
      /keyvault:credential is none of .*partner/,
    ],
  ])("are refused with the provider, and not shown: %s", async (_what, config, problem) => {
    const problems = await configProblems(config);
    expect(problems).toEqual([expect.stringMatching(problem)]);
    expect(problems[0]).toMatch(/^KV_INVALID_INPUT: /);
    expect(problems.join()).not.toContain(CANARY);
  });
});

describe("the configuration of a provider", () => {
  it.each<[what: string, config: Record<string, unknown>, problem: RegExp]>([
    ["a number for a URL", { vaultUrl: 5 }, /keyvault:vaultUrl must be text/],
    ["a list for domains", { allowedDomains: [CANARY] }, /keyvault:allowedDomains must be text/],
    ["a word for true or false", { ownerTag: CANARY }, /keyvault:ownerTag must be "true" or "false"/],
    ["a version that there is not", { apiVersion: CANARY }, /keyvault:apiVersion .* must be one of/],
    ["another name", { vaultUri: CANARY }, /keyvault:vaultUri is no setting; did you mean keyvault:vaultUrl/],
  ])("is refused for %s, without the value", async (_what, config, problem) => {
    const problems = await configProblems(config);
    expect(problems).toEqual([expect.stringMatching(problem)]);
    expect(problems.join()).not.toContain(CANARY);
  });

  it("may be unknown in a preview, wholly or within", async () => {
    for (const name of ["vaultUrl", "apiVersion", "credential", "allowedDomains", "ownerTag", "credentials"]) {
      expect(await configProblems({ [name]: UNKNOWN }), name).toEqual([]);
    }
    const credentials = {
      own: { type: "client-secret", tenantId: UNKNOWN, clientId: "a", clientSecret: { env: "A" } },
    };
    expect(await configProblems({ credential: "own", credentials })).toEqual([]);
  });

  it("has what the engine adds of its own", async () => {
    const config = { version: "1.2.3", pluginDownloadURL: "https://example.com", __internal: { a: 1 }, vaultUrl: null };
    expect(await configProblems(config)).toEqual([]);
  });
});
