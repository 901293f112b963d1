import fc from "fast-check";
import { expect, test } from "vitest";
import { z } from "zod";
import { attributesCodec } from "../../provider/keyvault/wire/attributes.js";
import { backupAnswer } from "../../provider/keyvault/wire/backup.js";
import { type AnswerSchema, decodeWire, epochSeconds, WireMismatch } from "../../provider/keyvault/wire/json.js";
import { deletedKeyBundle, keyBundle, keyItem } from "../../provider/keyvault/wire/key.js";
import { encodeRotationPolicy, rotationPolicy } from "../../provider/keyvault/wire/rotation-policy.js";
import { deletedSecretBundle, secretBundle } from "../../provider/keyvault/wire/secret.js";

const kid = "https://v.vault.azure.net/keys/n/0123456789abcdef0123456789abcdef";
const id = kid.replace("keys", "secrets");

test("seconds cross the wire both ways, 0 and times past 2038 too", () => {
  fc.assert(
    fc.property(fc.integer({ min: 0, max: 4_000_000_000 }), (seconds) => {
      expect(z.encode(epochSeconds, z.decode(epochSeconds, seconds))).toBe(seconds);
    }),
  );
  expect(z.encode(epochSeconds, new Date(1_999))).toBe(1);
});

test("attributes that are absent stay absent, in both directions", () => {
  expect(z.encode(attributesCodec, { enabled: false, notBefore: new Date(0) })).toEqual({ enabled: false, nbf: 0 });
  expect(Object.keys(decodeWire(keyBundle, { key: { kid, kty: "EC" }, attributes: {} }))).toEqual([
    "id",
    "name",
    "version",
    "keyType",
    "publicKey",
    "enabled",
    "tags",
    "managed",
  ]);
});

test("nulls count as absence everywhere", () => {
  const nothing = { enabled: null, nbf: null, exp: null, created: null, recoveryLevel: null, exportable: null };
  const key = { kid, kty: "RSA", key_ops: null, n: null, e: null, crv: null };
  const body = { key, attributes: nothing, tags: null, managed: null, release_policy: null, deletedDate: null };
  expect(decodeWire(deletedKeyBundle, body)).toEqual(decodeWire(keyBundle, { key: { kid, kty: "RSA" } }));
  expect(decodeWire(deletedSecretBundle, { id, value: null, contentType: null, attributes: null, tags: null })).toEqual(
    decodeWire(secretBundle, { id }),
  );
});

test("members that later versions add are passed over", () => {
  const attributes = { enabled: true, attestation: { x: 1 }, key_size: 2048, hsmPlatform: "2" };
  const body = { key: { kid, kty: "RSA-HSM", alg: "x" }, attributes, previousVersion: "0a" };
  expect(decodeWire(keyBundle, body)).toMatchObject({ hsmPlatform: "2", keyType: "RSA-HSM" });
});

test("names of attributes are read in the case of old builds", () => {
  const attributes = { Enabled: false, recoverylevel: "Purgeable", recoverabledays: 0, EXP: 0 };
  expect(decodeWire(keyItem, { kid, attributes })).toMatchObject({
    enabled: false,
    recoveryLevel: "Purgeable",
    recoverableDays: 0,
    expiresOn: new Date(0),
  });
});

test("the size of a key is that of its number, leading zero bytes or none", () => {
  const size = (n: Buffer) => decodeWire(keyBundle, { key: { kid, kty: "RSA", n: n.toString("base64url") } }).keySize;
  const modulus = Buffer.alloc(256, 0x80);
  expect([size(modulus), size(Buffer.concat([Buffer.alloc(1), modulus])), size(Buffer.alloc(384, 0xff))]).toEqual([
    2048, 2048, 3072,
  ]);
  const curves = ["P-256", "P-384", "P-521", "P-256K", "SECP256K1", "P-999"];
  const sizes = curves.map((crv) => decodeWire(keyBundle, { key: { kid, kty: "EC", crv, x: "AQ" } }).keySize);
  expect(sizes).toEqual([256, 384, 521, 256, 256, undefined]);
});

test("a secret of a certificate names its key", () => {
  expect(decodeWire(secretBundle, { id, kid, managed: true, value: "" })).toMatchObject({
    keyId: kid,
    managed: true,
    value: "",
  });
});

test("a bundle needs a version, a line of a list does not", () => {
  const versionless = "https://v/keys/n";
  expect(() => decodeWire(keyBundle, { key: { kid: versionless, kty: "EC" } })).toThrow(WireMismatch);
  expect(decodeWire(keyItem, { kid: versionless })).not.toHaveProperty("version");
});

test("a mismatch tells paths and codes, never values", () => {
  const canary = "canary-canary";
  const body = { key: { kid: canary, kty: [canary] }, attributes: { exp: canary }, tags: { [canary]: 1 } };
  expect(() => decodeWire(keyBundle, { ...body, tags: {} })).toThrow(
    /^key\.kid: custom, key\.kty: invalid_type, attributes\.exp: invalid_type$/,
  );
  expect(() => decodeWire(keyBundle, canary)).toThrow(/^\(root\): invalid_type$/);
});

function attempt<T>(schema: AnswerSchema<T>, value: unknown): string {
  try {
    return JSON.stringify(decodeWire(schema, value));
  } catch (mismatch) {
    return String(mismatch);
  }
}

test("the thousands of the same answers are read as the first one is, whether they fit or not", () => {
  const key = { kid, kty: "RSA", key_ops: ["sign"], n: "AQAB", e: "AQAB" };
  const body = { key, attributes: { enabled: false, exp: 1, nbf: null, Created: 2 }, tags: { a: "b" }, value: "v", id };
  const odd = ["", "x", -1, 1e99, null, undefined, [], {}, ["x"], { kid: 1 }, true];
  const bodies = [
    body,
    ...Object.keys(body).flatMap((member) => odd.map((value) => ({ ...body, [member]: value }))),
    ...Object.keys(key).flatMap((member) => odd.map((value) => ({ ...body, key: { ...key, [member]: value } }))),
    ...Object.keys(body.attributes).flatMap((member) =>
      odd.map((value) => ({ ...body, attributes: { ...body.attributes, [member]: value } })),
    ),
    ...odd,
  ];
  for (const schema of [keyBundle, secretBundle] as const) {
    const early = bodies.map((each) => attempt<unknown>(schema, each));
    for (let read = 0; read < 3_000; read++) decodeWire<unknown>(schema, body);
    expect(bodies.map((each) => attempt<unknown>(schema, each))).toEqual(early);
    expect(new Set(early).size).toBeGreaterThan(20);
  }
});

test("a backup is text of the alphabets of base64, with the dots of a Managed HSM's, and of nothing else", () => {
  const character = fc.constantFrom(..."AZaz09+/-_", ..."AZaz09+/-_", "=", ".", " ", "\n", "ā", "Ł", "䅁", "\0");
  fc.assert(
    fc.property(fc.array(character, { maxLength: 12 }), fc.constantFrom(0, 64, 65_536), (characters, more) => {
      const value = "A".repeat(more) + characters.join("");
      const fits = /^[A-Za-z0-9_+/=.-]+$/.test(value);
      expect(attempt(backupAnswer, { value })).toBe(fits ? JSON.stringify(value) : "WireMismatch: value: custom");
    }),
    { numRuns: 500 },
  );
});

test("a rotation policy is read from both planes and written as the reference has it", () => {
  const vault = {
    id: "https://v/keys/n/rotationpolicy",
    lifetimeActions: [
      { trigger: { timeAfterCreate: "P30D", timeBeforeExpiry: null }, action: { type: "rotate" } },
      { trigger: { timeBeforeExpiry: "P30D" }, action: { type: "Notify" } },
    ],
    attributes: { expiryTime: "P90D", created: 1, updated: 2 },
  };
  const policy = decodeWire(rotationPolicy, vault);
  expect(policy).toEqual({
    id: vault.id,
    expiryTime: "P90D",
    createdOn: new Date(1_000),
    updatedOn: new Date(2_000),
    lifetimeActions: [
      { action: "Rotate", timeAfterCreate: "P30D" },
      { action: "Notify", timeBeforeExpiry: "P30D" },
    ],
  });
  expect(encodeRotationPolicy(policy)).toEqual({
    lifetimeActions: [
      { trigger: { timeAfterCreate: "P30D" }, action: { type: "Rotate" } },
      { trigger: { timeBeforeExpiry: "P30D" }, action: { type: "Notify" } },
    ],
    attributes: { expiryTime: "P90D" },
  });
  expect(decodeWire(rotationPolicy, { attributes: { created: 0, expiryTime: "", updated: 0 }, id: "" })).toEqual({
    lifetimeActions: [],
  });
  expect(decodeWire(rotationPolicy, { lifetimeActions: null, attributes: null })).toEqual({ lifetimeActions: [] });
});
