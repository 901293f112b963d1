import { inspect } from "node:util";
import { describe, expect, it } from "vitest";
import { key, keyInventory, secret, vaultBackup } from "./providers.js";

const vaultUrl = "https://contoso.vault.azure.net";
const CANARY = "canary-5f1c07!";

/** What a check says of inputs of which some, or all, are a secret in the wrong place. */
async function told(lifecycle: typeof key, news: Record<string, unknown>): Promise<string[]> {
  const { failures } = await lifecycle.check({}, { vaultUrl, autoName: "a-name", ...news });
  expect(failures.length).toBeGreaterThan(0);
  for (const failure of failures) {
    expect(failure.property).toBe("");
    expect(failure.reason).toMatch(/^KV_[A-Z_]+: \S/);
    expect(inspect(failure, { depth: 9 })).not.toContain("canary");
  }
  return failures.map(({ reason }) => reason);
}

const generate = { keyType: "RSA" };

describe("the reason of a failed check, and the property that the engine would print,", () => {
  it.each<[string, Record<string, unknown>]>([
    ["a tag beside a secret one", { tags: { good: CANARY, bad: 5 } }],
    ["a tag that is too long", { tags: { good: CANARY.repeat(40) } }],
    ["tags", { tags: CANARY }],
    ["the name of a tag", { tags: { [`${CANARY} `.repeat(40)]: "" } }],
    ["keepers", { generate: { keyType: "RSA", keepers: CANARY } }],
    ["a keeper", { generate: { keyType: "RSA", keepers: { [`${CANARY} `]: [CANARY] } } }],
    ["a member of generate", { generate: { keyType: "RSA", keepers: { a: CANARY }, [CANARY]: 1 } }],
    ["a key type", { generate: { keyType: CANARY } }],
    ["a size", { generate: { keyType: "RSA", keySize: CANARY } }],
    ["a curve", { generate: { keyType: "EC", curve: CANARY } }],
    ["a vault URL with a password", { vaultUrl: `https://user:${CANARY}@contoso.vault.azure.net` }],
    ["a vault URL with a query", { vaultUrl: `https://contoso.vault.azure.net/?sig=${CANARY}` }],
    ["a vault URL with a path", { vaultUrl: `https://contoso.vault.azure.net/${CANARY}` }],
    ["a vault URL that is none", { vaultUrl: CANARY }],
    ["a vault URL of another scheme", { vaultUrl: `secret:${CANARY}` }],
    ["a vault URL that is a map", { vaultUrl: { toString: CANARY } }],
    ["a name", { name: CANARY }],
    ["key operations", { keyOps: ["sign", CANARY] }],
    ["key operations that are no list", { keyOps: CANARY }],
    ["a moment", { expiresOn: CANARY, notBefore: { CANARY } }],
    ["a flag", { enabled: CANARY, exportable: CANARY, hardwareProtected: CANARY }],
    ["an option", { onDelete: CANARY, ifSoftDeleted: CANARY }],
    ["timeouts", { timeouts: { create: CANARY, [CANARY]: "1m" } }],
    ["a rotation policy", { rotationPolicy: { rotateAfter: CANARY, [CANARY]: "P1D" } }],
    ["a release policy", { releasePolicy: { data: CANARY } }],
    ["a property that there is not", { [CANARY]: CANARY }],
  ])("never says %s of a Key", async (_place, news) => {
    await told(key, { generate, ...news });
  });

  it.each<[string, Record<string, unknown>]>([
    ["a value", { value: [CANARY] }],
    ["a content type", { value: CANARY, contentType: CANARY.repeat(30) }],
    ["tags", { value: CANARY, tags: { a: CANARY, b: [CANARY] } }],
    ["a value that is too long", { value: CANARY.repeat(3000) }],
  ])("never says %s of a Secret", async (_place, news) => {
    await told(secret, news);
  });

  it("never says values of the other resources", async () => {
    await told(keyInventory, { expect: [CANARY], ignore: CANARY, expiresWithin: CANARY, onUnmanaged: CANARY });
    await told(keyInventory, { expectResources: [{ name: CANARY, vaultUrl: `https://a:${CANARY}@b` }] });
    await told(vaultBackup, { keys: CANARY, secrets: [CANARY], to: CANARY, onFailure: CANARY, allowEmpty: CANARY });
    await told(vaultBackup, { keys: `${CANARY}[`, secrets: "canary[?" });
    await told(vaultBackup, { keys: [{ name: CANARY, vaultUrl: `https://a:${CANARY}@b` }] });
  });

  it("says what is wrong, of which property, and what stands there instead", async () => {
    expect(await told(key, { generate, tags: { ok: CANARY, bad: 5 }, enabled: "yes", keyOps: ["sing"] })).toEqual([
      "KV_INVALID_INPUT: enabled: must be true or false, and is text of 3 characters",
      expect.stringMatching(/^KV_INVALID_INPUT: keyOps: item 1 \(text of 4 characters\) is not one of encrypt, /),
      'KV_INVALID_INPUT: tags: the value of tag "bad" must be text, and is a number',
    ]);
  });
});
