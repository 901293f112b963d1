import { afterEach, describe, expect, it } from "vitest";
import { configureVaultSettings } from "../../provider/engine/vault-settings.js";
import { key } from "./providers.js";

/** As the dynamic provider host hands on a stack's configuration. */
function configure(rawConfig: Record<string, string>): void {
  configureVaultSettings(Object.assign({ get: (name: string) => rawConfig[name] }, { rawConfig }));
}

const args = { vaultUrl: "https://contoso.vault.azure.net", name: "orders", generate: { keyType: "EC" } };
const reasons = async () => (await key.check({}, args)).failures.map(({ reason }) => reason);

describe("a keyvault: setting of the stack", () => {
  afterEach(() => configure({}));

  it.each([
    ["credential-s", "credentials"],
    ["vault-url", "vaultUrl"],
    ["VaultURL", "vaultUrl"],
    ["ownertags", "ownerTag"],
  ])("that is misspelled as %s is refused with the nearest name, %s, and without its value", async (wrong, right) => {
    configure({ [`keyvault:${wrong}`]: "hunter2-not-to-be-shown" });
    const [reason = "", ...more] = await reasons();
    expect(more).toEqual([]);
    expect(reason).toMatch(
      new RegExp(`^KV_INVALID_INPUT: keyvault:${wrong} is no setting; did you mean keyvault:${right}\\?`),
    );
    expect(reason).not.toContain("hunter2");
  });

  it("is taken where it is one, and other namespaces are none of ours", async () => {
    configure({
      "keyvault:credential": "azure-cli",
      "keyvault:ownerTag": "false",
      "azure:location": "west",
      "app:x": "1",
    });
    expect(await reasons()).toEqual([]);
  });

  it("turns owner tags off by one word alone", async () => {
    configure({ "keyvault:ownerTag": "no" });
    expect(await reasons()).toEqual([expect.stringMatching(/ownerTag must be "true" or "false"/)]);
  });

  it.each([
    [{ "keyvault:credentials": "azure-cli" }, "keyvault:credentials must be a map"],
    [{ "keyvault:credential": "azurecli" }, "keyvault:credential is none of default, arm"],
    [{ "keyvault:apiVersion": "7.3" }, "keyvault:apiVersion (or KEYVAULT_API_VERSION) must be one of 7.4, 7.5"],
    [
      { "keyvault:credentials": JSON.stringify({ partner: { type: "client-secret", clientSecret: "CANARY" } }) },
      'keyvault:credentials.partner: "tenantId"',
    ],
  ])("that says what nobody can follow is refused in the preview, without its value (%#)", async (settings, reason) => {
    configure(settings);
    const told = await reasons();
    expect(told.join("\n")).toContain(reason);
    expect(told.join("\n")).not.toContain("CANARY");
  });

  it("names credentials that a resource may take, and no other", async () => {
    configure({ "keyvault:credentials": JSON.stringify({ partner: { type: "managed-identity" } }) });
    const of = async (credential: unknown) =>
      (await key.check({}, { ...args, credential })).failures.map(({ reason }) => reason);
    expect(await of("partner")).toEqual([]);
    expect(await of("azure-cli")).toEqual([]);
    expect(await of("partnr")).toEqual([expect.stringMatching(/credential must be one of default, arm, .*, partner$/)]);
    expect(await of(7)).toEqual([expect.stringContaining("must be the name of a credential")]);
  });
});
