import { describe, expect, it } from "vitest";
import { openVault, refusal } from "../open-vault.js";

const policy = (version: string) =>
  Buffer.from(
    JSON.stringify({ version, anyOf: [{ authority: "https://attest.example", anyOf: [{ claim: "a", equals: "b" }] }] }),
  ).toString("base64url");

describe("createKey", () => {
  it("makes RSA 2048 by default, with the service's operations in the service's order", async () => {
    const { call } = await openVault({ vaults: [{ name: "seven", retentionDays: 7 }] });
    const { body, text } = await call("POST", "/keys/a/create", { kty: "RSA" });
    expect(body.key).toMatchObject({
      kty: "RSA",
      key_ops: ["encrypt", "decrypt", "sign", "verify", "wrapKey", "unwrapKey"],
      e: "AQAB",
      n: expect.stringMatching(/^[\w-]{342}$/),
    });
    expect(body.attributes).toEqual({
      enabled: true,
      created: expect.any(Number),
      updated: expect.any(Number),
      recoveryLevel: "CustomizedRecoverable+Purgeable",
      recoverableDays: 7,
      exportable: false,
    });
    expect(Object.keys(body)).toEqual(["key", "attributes"]);
    expect(Object.keys(body.key as object)).toEqual(["kid", "kty", "key_ops", "n", "e"]);
    expect(text).not.toContain("null");
  });

  it("makes a symmetric key in a premium vault since 2026, and takes none", async () => {
    const { call } = await openVault();
    const of2026 = { apiVersion: "2026-04-01" };
    const invalid = refusal(400, "BadParameter", "Property  has invalid value\r\n");
    expect(await call("POST", "/keys/a/create", { kty: "oct-HSM", key_size: 128 }, of2026)).toMatchObject({
      status: 200,
      body: { key: { kty: "oct-HSM" }, attributes: { key_size: 128 } },
    });
    expect(await call("POST", "/keys/b/create", { kty: "oct-HSM" })).toMatchObject(invalid);
    expect(await call("POST", "/keys/b/create", { kty: "oct" }, of2026)).toMatchObject(invalid);
    const key = { kty: "oct-HSM", k: "AAAAAAAAAAAAAAAAAAAAAA" };
    expect(await call("PUT", "/keys/b", { key }, of2026)).toMatchObject(invalid);
    const standard = await openVault({ vaults: [{ name: "standard", sku: "standard" }] });
    expect(await standard.call("POST", "/keys/a/create", { kty: "oct-HSM" }, of2026)).toMatchObject(
      refusal(403, "Forbidden", undefined, "HardwareKeysNotSupported"),
    );
  });

  it("ignores a public exponent", async () => {
    const { call } = await openVault();
    expect(await call("POST", "/keys/a/create", { kty: "RSA", public_exponent: 3 })).toMatchObject({
      status: 200,
      body: { key: { e: "AQAB" } },
    });
  });

  it("makes P-256 by default and every other curve at full width, named as it was asked for", async () => {
    const { call } = await openVault();
    expect(await call("POST", "/keys/a/create", { kty: "EC" })).toMatchObject({
      body: { key: { crv: "P-256", key_ops: ["sign", "verify"] } },
    });
    for (const [crv, width] of [
      ["P-384", 64],
      ["P-521", 88],
      ["P-256K", 43],
      ["SECP256K1", 43],
    ] as const) {
      const { body } = await call("POST", "/keys/a/create", { kty: "EC", crv });
      const key = body.key as { crv: string; x: string; y: string };
      expect([key.crv, key.x.length, key.y.length]).toEqual([crv, width, width]);
    }
  });

  it("adds a version that inherits nothing", async () => {
    const { call } = await openVault();
    const first = await call("POST", "/keys/a/create", {
      kty: "EC",
      tags: { a: "b" },
      attributes: { exp: 4_000_000_000 },
    });
    const second = await call("POST", "/keys/A/create", { kty: "EC" });
    expect(second.body.tags).toBeUndefined();
    expect(second.body.attributes).not.toHaveProperty("exp");
    expect((second.body.key as { kid: string }).kid).toMatch(/\/keys\/a\/[0-9a-f]{32}$/);
    expect(second.body.key).not.toMatchObject({ kid: (first.body.key as { kid: string }).kid });
  });

  it("gives a key exchange key two days", async () => {
    const { call } = await openVault();
    const { body } = await call("POST", "/keys/kek/create", { kty: "RSA-HSM", key_ops: ["import"] });
    const { exp, created } = body.attributes as { exp: number; created: number };
    expect(exp - created).toBe(48 * 3600);
  });

  it("echoes empty tags and keeps absent ones absent", async () => {
    const { call } = await openVault();
    expect((await call("POST", "/keys/a/create", { kty: "EC", tags: {} })).body.tags).toEqual({});
    expect((await call("POST", "/keys/b/create", { kty: "EC" })).body).not.toHaveProperty("tags");
  });

  it("refuses what the service does not make, one sentence for each bad member", async () => {
    const { call } = await openVault();
    const once = "Property  has invalid value\r\n";
    for (const body of [
      { kty: "oct" },
      { kty: "oct-HSM" },
      { kty: "OKP" },
      {},
      { kty: "EC", crv: "P-1" },
      { kty: "EC", tags: 3 },
    ]) {
      expect(await call("POST", "/keys/a/create", body)).toMatchObject(refusal(400, "BadParameter", once));
    }
    expect(await call("POST", "/keys/a/create", { kty: 5, key_size: "x" })).toMatchObject(
      refusal(400, "BadParameter", once.repeat(2)),
    );
    expect(await call("POST", "/keys/a/create", { kty: "RSA", key_size: 1024 })).toMatchObject(
      refusal(
        400,
        "BadParameter",
        "Unsupported key size (1024). Supported sizes are [2048, 3072, 4096]",
        "KeySizeNotSupported",
      ),
    );
    const tags = Object.fromEntries(Array.from({ length: 16 }, (_, index) => [`t${index}`, "x"]));
    expect(await call("POST", "/keys/a/create", { kty: "EC", tags })).toMatchObject(refusal(400, "BadParameter", once));
    expect((await call("GET", "/keys")).body.value).toEqual([]);
  });

  it("refuses hardware keys in a standard vault", async () => {
    const { call } = await openVault({ vaults: [{ name: "standard", sku: "standard" }] });
    expect(await call("POST", "/keys/a/create", { kty: "RSA-HSM" })).toMatchObject(
      refusal(403, "Forbidden", "Hardware key operation not allowed on standard vault", "HardwareKeysNotSupported"),
    );
  });

  it("wants a release policy and exportable together", async () => {
    const { call } = await openVault();
    const release_policy = { data: policy("1.0.0") };
    expect(await call("POST", "/keys/a/create", { kty: "EC-HSM", attributes: { exportable: true } })).toMatchObject(
      refusal(400, "BadParameter", "AKV.SKR.1004: Exportable keys must have release policy."),
    );
    expect(await call("POST", "/keys/a/create", { kty: "EC-HSM", release_policy })).toMatchObject(
      refusal(400, "BadParameter", "AKV.SKR.1005: Non-exportable keys must not have release policy."),
    );
    expect(
      (await call("POST", "/keys/a/create", { kty: "EC", attributes: { exportable: true }, release_policy })).status,
    ).toBe(400);
    const made = await call("POST", "/keys/a/create", {
      kty: "EC-HSM",
      attributes: { exportable: true },
      release_policy,
    });
    expect(made.body.release_policy).toEqual({
      contentType: "application/json; charset=utf-8",
      data: release_policy.data,
      immutable: false,
    });
  });

  it("gives a release policy back in the normal form of a vault, and of a Managed HSM as it was sent", async () => {
    const { call } = await openVault({ vaults: ["one", { name: "hsm", plane: "managedhsm" }] });
    const encode = (json: string) => Buffer.from(json).toString("base64url");
    const sent = encode(
      '{ "anyOf": [ { "allOf": [ {"equals": true, "claim": "c"} ], "authority": "https://a.example/" } ], "version": "1.0.0" }',
    );
    const body = { kty: "EC-HSM", attributes: { exportable: true }, release_policy: { data: sent } };
    const policies = await Promise.all(
      ["one", "hsm"].map(async (vault) => (await call("POST", "/keys/a/create", body, { vault })).body.release_policy),
    );
    expect(policies).toMatchObject([
      {
        data: encode(
          '{"version":"1.0.0","anyOf":[{"authority":"https://a.example/","allOf":[{"claim":"c","equals":"true"}]}]}',
        ),
      },
      { data: sent },
    ]);
  });

  it("refuses a release policy that is too deep to be one", async () => {
    const { call } = await openVault();
    for (const [depth, status] of [
      [20, 200],
      [50, 400],
      [7_000, 400],
    ] as const) {
      const json = `{"version":"1.0.0","x":${"[".repeat(depth)}${"]".repeat(depth)}}`;
      const release_policy = { data: Buffer.from(json).toString("base64url") };
      const body = { kty: "EC-HSM", attributes: { exportable: true }, release_policy };
      expect((await call("POST", "/keys/a/create", body)).status).toBe(status);
    }
  });

  it("keeps hardware keys only on a Managed HSM, members in alphabetical order", async () => {
    const { call } = await openVault({ vaults: [{ name: "hsm", plane: "managedhsm" }] });
    const { body } = await call("POST", "/keys/a/create", { kty: "RSA" });
    expect(body.key).toMatchObject({ kty: "RSA-HSM" });
    expect(Object.keys(body)).toEqual(["attributes", "key"]);
    expect(Object.keys(body.key as object)).toEqual(["e", "key_ops", "kid", "kty", "n"]);
    const oct = await call("POST", "/keys/b/create", { kty: "oct-HSM", key_size: 128 });
    expect(oct.body.key).not.toHaveProperty("k");
    expect(
      await call("POST", "/keys/c/create", {
        kty: "EC",
        attributes: { exportable: true },
        release_policy: { data: policy("1.0") },
      }),
    ).toMatchObject(
      refusal(400, "BadParameter", /^Key Release Policy: missing 'version' property \(Activity ID: [0-9a-f-]{36}\)$/),
    );
  });

  it("stands for a key of another HSM where it is told its id, since 2026 and on a Managed HSM only", async () => {
    const { call } = await openVault({ vaults: ["one", { name: "hsm", plane: "managedhsm" }] });
    const attributes = { external_key: { id: "there" } };
    const apiVersion = "2026-01-01-preview";
    const made = await call("POST", "/keys/a/create", { attributes }, { vault: "hsm", apiVersion });
    expect(made).toMatchObject({
      status: 200,
      body: {
        key: { kty: "oct-HSM", key_ops: ["wrapKey", "unwrapKey"] },
        attributes: { external_key: { id: "there" }, key_size: 256 },
      },
    });
    const older = { vault: "hsm", apiVersion: "7.6" };
    expect((await call("GET", "/keys/a", undefined, older)).text).not.toContain("external_key");
    expect(await call("POST", "/keys/b/create", { attributes }, older)).toMatchObject(refusal(400, "BadParameter"));
    expect(await call("POST", "/keys/b/create", { attributes }, { vault: "one", apiVersion })).toMatchObject(
      refusal(400, "BadParameter", "Property  has invalid value\r\n"),
    );
    const ignored = await call("POST", "/keys/b/create", { kty: "EC", attributes }, { vault: "one", apiVersion });
    expect(ignored.body.attributes).not.toHaveProperty("external_key");
  });
});
