import { createHash, randomBytes } from "node:crypto";
import { expect, test } from "vitest";
import { readKeyMaterial } from "../../provider/material/key-material.js";
import { refusalOf } from "./refusal.js";

const ciphertext = randomBytes(600);
const kid = "https://contoso.vault.azure.net/keys/kek/664f5aa2797a4075b8e36ca4500636d8";
const blob = {
  schema_version: "1.0.0",
  header: { kid, alg: "dir", enc: "CKM_RSA_AES_KEY_WRAP" },
  ciphertext: ciphertext.toString("base64url"),
  generator: "a tool",
};
const text = JSON.stringify(blob, undefined, 2);
const refused = (json: unknown, options = {}) =>
  refusalOf(() => readKeyMaterial(JSON.stringify(json), { kind: "byok", ...options }), [blob.ciphertext.slice(0, 20)]);

test("a transfer blob is passed on as it is, as an RSA key unless told otherwise", () => {
  const material = readKeyMaterial(text);
  expect(material).toMatchObject({ keyType: "RSA", hardwareOnly: true, exchangeKeyId: kid });
  expect(material.importable).toEqual({ kty: "RSA-HSM", key_hsm: Buffer.from(text).toString("base64url") });
  expect(material).not.toHaveProperty("keySize");
});

test("keyType and curve say what the blob holds", () => {
  const material = readKeyMaterial(Buffer.from(text), { keyType: "EC-HSM", curve: "SECP256K1" });
  expect(material).toMatchObject({ keyType: "EC", curve: "P-256K" });
  expect(material.importable).toMatchObject({ kty: "EC-HSM", crv: "P-256K" });
  expect(readKeyMaterial(text, { keyType: "EC" }).importable).not.toHaveProperty("crv");
  expect(readKeyMaterial(text, { keyType: "oct-HSM", allowSymmetric: true }).importable).toMatchObject({
    kty: "oct-HSM",
  });
});

test("the thumbprint is of the ciphertext, so that other white space does not change it", () => {
  const digest = createHash("sha256").update(ciphertext).digest("base64url");
  expect(readKeyMaterial(text).thumbprint).toBe(`byok:sha256:${digest}`);
  expect(readKeyMaterial(`\uFEFF${JSON.stringify(blob)}\r\n`).thumbprint).toBe(`byok:sha256:${digest}`);
});

test("all that is wrong with a blob is told at once", () => {
  const problems = refused({
    schema_version: "2.0",
    header: { kid: "kek", alg: "RSA", enc: 1 },
    ciphertext: "not base64!",
  });
  expect(problems.map((problem) => problem.replace(/.*: /, ""))).toEqual([
    "schema_version has to be 1.x",
    "header.kid has to be the identifier of the exchange key in the vault",
    'header.alg has to be "dir"',
    "header.enc has to be a string",
    "ciphertext has to be base64url",
  ]);
  expect(refused({ ...blob, header: undefined }).join()).toMatch(/header has to be an object/);
  expect(refused({ ...blob, ciphertext: blob.ciphertext.slice(0, 100) }).join()).toMatch(/truncated/);
  expect(refused({}).join()).toMatch(/ciphertext has to be a string/);
});

test("what cannot hold is refused", () => {
  expect(refused(blob, { hardwareProtected: false }).join()).toMatch(/only be kept in an HSM/);
  expect(refused(blob, { keyType: "DSA" }).join()).toMatch(/keyType is not one/);
  expect(refused(blob, { keyType: "oct-HSM" }).join()).toMatch(/Managed HSM only/);
  expect(refused(blob, { keyType: "EC-HSM", curve: "P-192" }).join()).toMatch(/curve is not one/);
  expect(refused(blob, { curve: "P-256" }).join()).toMatch(/curve is for transfer blobs/);
});
