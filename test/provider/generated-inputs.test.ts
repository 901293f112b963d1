import { inspect } from "node:util";
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { UNKNOWN } from "../../provider/engine/unknown.js";
import { holdsInFlatMemory, INPUTS, SHARES } from "../generated/generated-run.js";
import { key, keyInventory, secret, vaultBackup } from "./providers.js";

const count = Math.ceil(INPUTS * SHARES.checks);
const milliseconds = 50;
/** The digest of a secret's value is made dear on purpose. */
const millisecondsOfDigest = 2_000;
const CANARY = "canary-e2b7!";

type Properties = Record<string, unknown>;

/** JSON, its rare corners more often than by chance. */
const json: fc.Arbitrary<unknown> = fc.oneof(
  fc.jsonValue({ maxDepth: 3 }),
  fc.constantFrom<unknown[]>(
    null,
    "",
    UNKNOWN,
    CANARY,
    { toString: 1, valueOf: "x" },
    [{ toString: null }],
    JSON.parse('{"__proto__": {"a": 1}, "constructor": 2}'),
    [[[[UNKNOWN]]]],
    1e308,
    -0,
    "\uD800",
    "x".repeat(30_000),
    Array(300).fill("sign"),
  ),
);
const orJson = (...likely: unknown[]) =>
  fc.oneof({ weight: 3, arbitrary: fc.constantFrom(...likely) }, { weight: 2, arbitrary: json });
const map = (values: fc.Arbitrary<unknown>, ...names: string[]) =>
  fc.oneof(fc.dictionary(fc.oneof(fc.constantFrom(...names), fc.string()), values, { maxKeys: 20 }), json);

const moment = orJson(
  "2027-06-30T00:00:00Z",
  "2027-02-31T00:00:00Z",
  "9999-12-31T23:59:59-14:00",
  "2027-06-30",
  UNKNOWN,
);
const duration = orJson("P90D", "P52W", "PT1H", "10m", "1h30m", "", UNKNOWN);
const shared = {
  vaultUrl: orJson("https://contoso.vault.azure.net", "http://localhost:1", "embedded:x", `https://a:${CANARY}@b`),
  name: orJson("orders", "a_b", UNKNOWN),
  enabled: orJson(true, false),
  notBefore: moment,
  expiresOn: moment,
  tags: map(orJson("text"), "a", "b", CANARY),
  onDelete: orJson("delete", "purge"),
  ifSoftDeleted: orJson("recover", "fail"),
  timeouts: map(duration, "create", "read", "update", "delete"),
  restore: map(orJson("text"), "blob", "sourceName", "version"),
  claimant: orJson("one", "two"),
  owner: json,
  autoName: orJson("a-name"),
  // Whatever adopts asks the vault.
  adopt: json.filter((value) => value !== true),
  [CANARY]: json,
};
const keyInputs = fc.record(
  {
    ...shared,
    generate: map(orJson("RSA", "EC-HSM", "oct-HSM", 2048, "P-256"), "keyType", "keySize", "curve", "keepers"),
    import: map(
      orJson("text", "{}", "-----BEGIN PRIVATE KEY-----", UNKNOWN),
      "jwk",
      "pem",
      "pfx",
      "byok",
      "passphrase",
    ),
    thumbprint: orJson("recorded"),
    keyOps: orJson(["sign"], ["encrypt", "sign"], ["import"], [CANARY], [UNKNOWN]),
    hardwareProtected: orJson(true),
    exportable: orJson(true),
    releasePolicy: map(orJson('{"version":"1.0.0"}', { version: "1.0.0" }), "data", "contentType", "immutable"),
    rotationPolicy: map(duration, "rotateAfter", "rotateBeforeExpiry", "expireAfter", "notifyBeforeExpiry"),
  },
  { requiredKeys: [] },
);
const recorded = fc.record(
  {
    vaultUrl: shared.vaultUrl,
    name: shared.name,
    thumbprint: orJson("recorded"),
    valueDigest: orJson("recorded"),
    expiresOn: moment,
    restore: json,
    generate: json,
  },
  { requiredKeys: [] },
);
const secretInputs = fc.record(
  { ...shared, value: json, valueDigest: orJson("recorded"), contentType: orJson("text/plain") },
  { requiredKeys: [] },
);
const names = orJson(
  "*",
  "orders-*",
  "[",
  ["a", "!b"],
  [{ name: "a", vaultUrl: "https://b.vault.azure.net" }],
  [{ name: "a", vaultUrl: { toString: 1 } }],
  [{ name: { toString: 1 }, vaultUrl: "https://b.vault.azure.net" }],
);
const vaultInputs = fc.record(
  {
    vaultUrl: shared.vaultUrl,
    keys: names,
    secrets: names,
    to: map(orJson("x".repeat(20)), "other"),
    onFailure: orJson("fail"),
    allowEmpty: orJson(true),
    expect: names,
    expectResources: names,
    ignore: names,
    onUnmanaged: orJson("fail"),
    expiresWithin: duration,
  },
  { requiredKeys: [] },
);

async function holds(lifecycle: typeof key, olds: Properties, news: Properties, limit: number): Promise<void> {
  let took = Number.POSITIVE_INFINITY;
  for (let attempt = 0; attempt < 8 && took > limit; attempt++) {
    const start = process.threadCpuUsage();
    const { inputs, failures } = await lifecycle.check(olds, structuredClone(news));
    const { user, system } = process.threadCpuUsage(start);
    took = Math.min(took, (user + system) / 1000);
    for (const { property, reason } of failures) {
      expect(property).toBe("");
      expect(reason).toMatch(/^KV_[A-Z_]+: (?!KV_)\S/);
    }
    if (inspect(failures).includes("canary")) throw new Error("a secret is in a reason");
    if (failures.length === 0) expect(inputs).toBeTypeOf("object");
  }
  if (took > limit) throw new Error(`took ${Math.round(took)} ms`);
}

describe(`${count.toLocaleString("en-US")} generated inputs each give inputs or coded failures, at once, and no secret,`, () => {
  const olds = fc.oneof({ weight: 3, arbitrary: fc.constant<Properties>({}) }, { weight: 1, arbitrary: recorded });
  const run =
    (lifecycle: typeof key, inputs: fc.Arbitrary<Properties>, limit: (news: Properties) => number) => async () => {
      await lifecycle.check({}, {});
      const property = fc.asyncProperty(olds, inputs, (before, news) => holds(lifecycle, before, news, limit(news)));
      await holdsInFlatMemory(property, Math.ceil(count / 4));
    };
  const timeout = Math.max(60_000, count * 60);

  it(
    "of a Key",
    run(key, keyInputs, () => milliseconds),
    timeout,
  );
  it(
    "of a Secret",
    run(secret, secretInputs, ({ value }) => (typeof value === "string" ? millisecondsOfDigest : milliseconds)),
    timeout,
  );
  it(
    "of a KeyInventory",
    run(keyInventory, vaultInputs, () => milliseconds),
    timeout,
  );
  it(
    "of a VaultBackup",
    run(vaultBackup, vaultInputs, () => milliseconds),
    timeout,
  );

  it("of a size that nothing can be made of", async () => {
    const { failures } = await key.check({}, { generate: { keyType: "RSA", keySize: [{ toString: null }] } });
    expect(failures.map(({ reason }) => reason).join()).toMatch(/KV_INVALID_INPUT: generate: keySize/);
  });

  it("of a state whose name nothing can be made of", async () => {
    const vaultUrl = "http://localhost:1";
    const news = { vaultUrl, name: "orders", claimant: "two" };
    const { failures } = await key.check({ vaultUrl, name: [{ toString: null }] }, news);
    expect(failures.map(({ reason }) => reason).join()).toMatch(/^KV_/);
  });

  it("nested without end", async () => {
    let deep: unknown = CANARY;
    for (let i = 0; i < 50_000; i++) deep = i % 2 === 0 ? { deep } : [deep];
    for (const property of Object.keys({ ...shared, generate: 1, import: 1, releasePolicy: 1, rotationPolicy: 1 })) {
      const source = ["import", "restore"].includes(property) ? {} : { generate: { keyType: "RSA" } };
      const { failures } = await key.check({}, { ...source, [property]: deep });
      expect(failures.length).toBeGreaterThan(0);
    }
  });
});
