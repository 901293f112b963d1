import {
  constants,
  createCipheriv,
  createPublicKey,
  generateKeyPairSync,
  type JsonWebKey,
  publicEncrypt,
  randomBytes,
} from "node:crypto";
import { describe, expect, it } from "vitest";
import { openVault, refusal } from "../open-vault.js";

const rsa = generateKeyPairSync("rsa", { modulusLength: 2048 }).privateKey;
const rsaJwk = rsa.export({ format: "jwk" });
const ecJwk = (curve: string): JsonWebKey =>
  generateKeyPairSync("ec", { namedCurve: curve }).privateKey.export({ format: "jwk" });

function withSignByte(member: string | undefined): string {
  return Buffer.concat([Buffer.from([0]), Buffer.from(member ?? "", "base64url")]).toString("base64url");
}

/** As vendors' tools make `.byok` files. */
function transferBlob(kek: { kid: string; n: string; e: string }, pkcs8: Buffer): string {
  const wrappingKey = randomBytes(32);
  const key = createPublicKey({ key: { kty: "RSA", n: kek.n, e: kek.e }, format: "jwk" });
  const cipher = createCipheriv("id-aes256-wrap-pad", wrappingKey, Buffer.from("a65959a6", "hex"));
  const wrapped = publicEncrypt({ key, padding: constants.RSA_PKCS1_OAEP_PADDING, oaepHash: "sha1" }, wrappingKey);
  const ciphertext = Buffer.concat([wrapped, cipher.update(pkcs8), cipher.final()]).toString("base64url");
  const header = { kid: kek.kid, alg: "dir", enc: "CKM_RSA_AES_KEY_WRAP" };
  return Buffer.from(JSON.stringify({ schema_version: "1.0.0", header, ciphertext, generator: "a test" })).toString(
    "base64url",
  );
}

describe("importKey", () => {
  it("stores a pair and never gives its private members back", async () => {
    const { call } = await openVault();
    const imported = await call("PUT", "/keys/a", { key: rsaJwk, tags: { a: "b" } });
    expect(imported).toMatchObject({
      status: 200,
      body: { key: { kty: "RSA", n: rsaJwk.n, e: "AQAB" }, tags: { a: "b" } },
    });
    const everything = [
      imported.text,
      (await call("GET", "/keys/a")).text,
      (await call("GET", "/keys")).text,
      (await call("DELETE", "/keys/a")).text,
    ].join();
    for (const member of ["d", "p", "q", "dp", "dq", "qi"] as const) expect(everything).not.toContain(rsaJwk[member]);
  });

  it("becomes a hardware key with Hsm", async () => {
    const { call } = await openVault();
    expect(await call("PUT", "/keys/a", { Hsm: true, key: rsaJwk })).toMatchObject({
      body: { key: { kty: "RSA-HSM" } },
    });
  });

  it("echoes coordinates exactly as they were sent and can still use the key", async () => {
    const { call } = await openVault();
    for (const [curve, crv, alg, size] of [
      ["P-256", "P-256", "ES256", 32],
      ["P-521", "P-521", "ES512", 64],
      ["secp256k1", "SECP256K1", "ES256K", 32],
    ] as const) {
      const jwk = ecJwk(curve);
      const x = withSignByte(jwk.x);
      const imported = await call("PUT", "/keys/a", { key: { ...jwk, crv, x } });
      expect(imported.body.key).toMatchObject({ crv, x, y: jwk.y, key_ops: ["sign", "verify"] });
      const digest = randomBytes(size).toString("base64url");
      const signed = await call("POST", "/keys/a/sign", { alg, value: digest });
      expect(await call("POST", "/keys/a/verify", { alg, digest, value: signed.body.value })).toMatchObject({
        status: 200,
        body: { value: true },
      });
    }
  });

  it("adds a version to a name that is taken", async () => {
    const { call } = await openVault();
    await call("PUT", "/keys/a", { key: rsaJwk });
    await call("PUT", "/keys/a", { key: ecJwk("P-256") });
    expect((await call("GET", "/keys/a/versions")).body.value).toHaveLength(2);
  });

  it("refuses numbers that do not belong together", async () => {
    const { call } = await openVault();
    const other = generateKeyPairSync("rsa", { modulusLength: 2048 }).privateKey.export({ format: "jwk" });
    const words = "RSA key is not valid - cannot instantiate crypto service";
    const { dp: _dp, ...withoutDp } = rsaJwk;
    for (const key of [{ ...rsaJwk, n: other.n }, { ...rsaJwk, d: other.d }, { ...rsaJwk, qi: other.qi }, withoutDp]) {
      const refused = await call("PUT", "/keys/a", { key });
      expect(refused).toMatchObject(refusal(400, "BadParameter", words));
      expect(refused.text).not.toContain(rsaJwk.p);
    }
    const [left, right] = [ecJwk("P-256"), ecJwk("P-256")];
    expect(await call("PUT", "/keys/a", { key: { ...left, d: right.d } })).toMatchObject(refusal(400, "BadParameter"));
    expect((await call("GET", "/keys")).body.value).toEqual([]);
  });

  it("refuses what is no key", async () => {
    const { call } = await openVault();
    expect(await call("PUT", "/keys/a", { key: {} })).toMatchObject(
      refusal(400, "BadParameter", 'The property "key" must be a valid JsonWebKey object.'),
    );
    expect(await call("PUT", "/keys/a", { key: { kty: "oct", k: "AAAA" } })).toMatchObject(
      refusal(400, "BadParameter", "Property  has invalid value\r\n"),
    );
  });

  it("unwraps a transfer blob that was made for a key exchange key of this vault", async () => {
    const { call } = await openVault();
    const kek = (await call("POST", "/keys/kek/create", { kty: "RSA-HSM", key_ops: ["import"] })).body.key;
    const pkcs8 = rsa.export({ format: "der", type: "pkcs8" });
    const key_hsm = transferBlob(kek as { kid: string; n: string; e: string }, pkcs8);
    expect(await call("PUT", "/keys/byok", { key: { kty: "RSA-HSM", key_hsm } })).toMatchObject({
      status: 200,
      body: { key: { kty: "RSA-HSM", n: rsaJwk.n } },
    });
    const ec = generateKeyPairSync("ec", { namedCurve: "P-384" }).privateKey;
    const ecBlob = transferBlob(
      kek as { kid: string; n: string; e: string },
      ec.export({ format: "der", type: "pkcs8" }),
    );
    expect(await call("PUT", "/keys/byok-ec", { key: { kty: "EC-HSM", crv: "P-384", key_hsm: ecBlob } })).toMatchObject(
      {
        status: 200,
        body: { key: { kty: "EC-HSM", crv: "P-384", x: ec.export({ format: "jwk" }).x } },
      },
    );
    expect(await call("PUT", "/keys/wrong", { key: { kty: "EC-HSM", crv: "P-256", key_hsm } })).toMatchObject(
      refusal(400, "BadParameter"),
    );
  });

  it("unwraps the bytes of a symmetric key on a Managed HSM, and on no vault", async () => {
    for (const [plane, status] of [
      ["managedhsm", 200],
      ["vault", 400],
    ] as const) {
      const { call } = await openVault({ vaults: [{ name: "contoso", plane }] });
      const kek = (await call("POST", "/keys/kek/create", { kty: "RSA-HSM", key_ops: ["import"] })).body.key;
      const blobOf = (bytes: number) => transferBlob(kek as { kid: string; n: string; e: string }, randomBytes(bytes));
      expect((await call("PUT", "/keys/a", { key: { kty: "oct-HSM", key_hsm: blobOf(32) } })).status).toBe(status);
      expect((await call("PUT", "/keys/b", { key: { kty: "oct-HSM", key_hsm: blobOf(20) } })).status).toBe(400);
    }
  });

  it("refuses a damaged blob, one for another vault and an expired key exchange key", async () => {
    const { call, emulator } = await openVault();
    const kek = (await call("POST", "/keys/kek/create", { kty: "RSA-HSM", key_ops: ["import"] })).body.key as {
      kid: string;
      n: string;
      e: string;
    };
    const pkcs8 = rsa.export({ format: "der", type: "pkcs8" });
    const good = transferBlob(kek, pkcs8);
    const foreign = transferBlob(
      { ...kek, kid: "https://other.vault.azure.net/keys/x/0123456789abcdef0123456789abcdef" },
      pkcs8,
    );
    for (const key_hsm of ["", "AAAA", good.slice(0, -40), foreign]) {
      expect(await call("PUT", "/keys/b", { key: { kty: "RSA-HSM", key_hsm } })).toMatchObject(
        refusal(400, "BadParameter"),
      );
    }
    emulator.clock.advance(49 * 3_600_000);
    expect(await call("PUT", "/keys/b", { key: { kty: "RSA-HSM", key_hsm: good } })).toMatchObject(
      refusal(400, "BadParameter"),
    );
  });

  it("stands in for a foreign blob where the vault says so", async () => {
    const { call } = await openVault({ vaults: [{ name: "lenient", foreignTransfers: "standIn" }] });
    const kek = {
      kid: "https://v.vault.azure.net/keys/x/0123456789abcdef0123456789abcdef",
      n: rsaJwk.n ?? "",
      e: "AQAB",
    };
    const key_hsm = transferBlob(kek, rsa.export({ format: "der", type: "pkcs8" }));
    expect(await call("PUT", "/keys/b", { key: { kty: "RSA-HSM", key_hsm } })).toMatchObject({
      status: 200,
      body: { key: { kty: "RSA-HSM" } },
    });
  });

  it("takes symmetric keys on a Managed HSM, and misses kty in its own words", async () => {
    const { call } = await openVault({ vaults: [{ name: "hsm", plane: "managedhsm" }] });
    const imported = await call("PUT", "/keys/a", {
      key: { kty: "oct", k: Buffer.alloc(32, 7).toString("base64url") },
    });
    expect(imported.body.key).toMatchObject({ kty: "oct-HSM" });
    expect(imported.text).not.toContain(Buffer.alloc(32, 7).toString("base64url"));
    expect(await call("PUT", "/keys/a", { key: {} })).toMatchObject(
      refusal(400, "BadParameter", /^JSON Web Key: kty is missing \(Activity ID: /),
    );
  });
});
