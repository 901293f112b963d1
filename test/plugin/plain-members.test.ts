import { describe, expect, it } from "vitest";
import { checkResource } from "../../plugin/resource-calls.js";
import { UNKNOWN } from "../../provider/engine/unknown.js";

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

describe("a place that a secret is read from", () => {
  const text = "hunter2";
  const pem = { pem: "-----BEGIN ENCRYPTED PRIVATE KEY-----" };
  const told = (member: string, what: string) =>
    `KV_INVALID_INPUT: ${member} must be { env } or { file }, and is ${what}`;

  it.each<[className: string, inputs: Record<string, unknown>, problem: string]>([
    ["Secret", { valueFrom: text }, told("valueFrom", "text of 7 characters")],
    ["Secret", { valueFrom: [text] }, told("valueFrom", "a list of 1")],
    ["Key", { import: { ...pem, passphraseFrom: text } }, told("import.passphraseFrom", "text of 7 characters")],
    [
      "KeySet",
      { import: { folder: "keys", passphraseFrom: text } },
      told("import.passphraseFrom", "text of 7 characters"),
    ],
    [
      "KeySet",
      { keys: { a: { import: { ...pem, passphraseFrom: text } } } },
      told("keys: a key's import.passphraseFrom", "text of 7 characters"),
    ],
  ])("is none where it is the text of a value, of a %s", async (className, inputs, problem) => {
    const urn = `urn:pulumi:dev::shop::keyvault:index:${className}::orders`;
    const { failures } = await checkResource(urn, {}, { vaultUrl, ...inputs }, undefined);
    expect(failures.map(({ reason }) => reason)).toEqual([problem]);
  });

  it("may be unknown in a preview", async () => {
    const urn = "urn:pulumi:dev::shop::keyvault:index:Secret::orders";
    expect((await checkResource(urn, {}, { vaultUrl, valueFrom: UNKNOWN }, undefined)).failures).toEqual([]);
  });
});
