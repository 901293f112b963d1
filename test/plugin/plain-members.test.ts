import { describe, expect, it } from "vitest";
import { checkResource } from "../../plugin/resource-calls.js";

const vaultUrl = "https://contoso.vault.azure.net";

describe("a plain member of another type", () => {
  it.each([
    [
      "KeySet",
      "keyResources",
      { keys: { a: { generate: { keyType: "EC" } } } },
      { b: { generate: { keyType: "EC" } } },
    ],
    ["KeySet", "secretResources", { keys: { a: { generate: { keyType: "EC" } } } }, ["b"]],
    ["KeyInventory", "keyResources", { expect: ["orders"] }, true],
    ["Key", "valueFrom", { name: "orders", generate: { keyType: "EC" } }, { env: "VALUE" }],
    ["KeyBackup", "secretResources", { name: "orders" }, ["b"]],
  ])("is refused of a %s under its own name: %s", async (className, member, inputs, value) => {
    const urn = `urn:pulumi:dev::shop::keyvault:index:${className}::orders`;
    const news = { vaultUrl, ...inputs };
    const { failures } = await checkResource(urn, {}, { ...news, [member]: value }, undefined);
    expect(failures).toEqual([
      { property: "", reason: `KV_INVALID_INPUT: "${member}" is not a property of this resource` },
    ]);
  });
});
