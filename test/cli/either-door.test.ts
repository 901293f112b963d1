import { describe, expect, it } from "vitest";
import { identify, isKeyVaultType } from "../../cli/drift/resource-identity.js";
import { throughEitherDoor } from "../../cli/stack/either-door.js";
import { knownOf } from "../../cli/stack/known-objects.js";

describe("a resource of the plugin, as the commands see it", () => {
  const vaultUrl = "https://contoso.vault.azure.net";
  const urn = "urn:pulumi:prod::shop::keyvault:index:Key::orders";
  const outputs = {
    vaultUrl,
    name: "orders",
    keyOps: ["sign", "verify"],
    thumbprint: "shown",
    tags: null,
    __shown: { keyOps: null, thumbprint: "recorded", tags: null },
  };

  it("has the type and the outputs that the dynamic provider records", () => {
    expect(throughEitherDoor({ type: "keyvault:index:Key", outputs })).toEqual({
      type: "pulumi-nodejs:dynamic/keyvault:Key",
      outputs: { vaultUrl, name: "orders", thumbprint: "recorded" },
    });
  });

  it("is one of ours by its URN, and one that adopt leaves out", () => {
    expect(isKeyVaultType({ urn })).toBe(true);
    expect(identify(urn, outputs).object).toEqual({ kind: "key", name: "orders", vaultUrl });
    const known = knownOf([throughEitherDoor({ urn, type: "keyvault:index:Key", outputs })]);
    expect(known.has(vaultUrl, "keys", "Orders")).toBe(true);
  });

  it("of another package stays what it is", () => {
    const other = { type: "keyvault:other:Key", outputs: { a: 1 } };
    expect(throughEitherDoor(other)).toEqual(other);
    expect(isKeyVaultType({ urn: "urn:pulumi:prod::shop::azure-native:keyvault:Key::orders" })).toBe(false);
  });
});
