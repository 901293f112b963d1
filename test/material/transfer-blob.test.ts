import { execFileSync } from "node:child_process";
import { createPrivateKey, generateKeyPairSync, randomBytes } from "node:crypto";
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, expect, test } from "vitest";
import { exchangeKeyProblem } from "../../provider/material/exchange-key.js";
import { readKeyMaterial } from "../../provider/material/key-material.js";
import { wrapForTransfer, wrapWithPadding } from "../../provider/material/transfer-blob.js";
import { ecKey, rsaKey } from "../engine/demo-keys.js";

const kid = "https://contoso.vault.azure.net/keys/kek/664f5aa2797a4075b8e36ca4500636d8";
const kek = generateKeyPairSync("rsa", { modulusLength: 3072 });
const { n = "", e = "" } = kek.publicKey.export({ format: "jwk" });
const exchangeKey = { id: kid, publicKey: { kty: "RSA-HSM", n, e } };

let folder: string;
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), "byok-"));
});
afterAll(() => rmSync(folder, { recursive: true }));

/** Opens a blob with nothing but OpenSSL's own commands. */
function openedByOpenssl(blob: string): Buffer {
  const { ciphertext } = JSON.parse(blob) as { ciphertext: string };
  const bytes = Buffer.from(ciphertext, "base64url");
  const at = (name: string) => join(folder, name);
  writeFileSync(at("kek.pem"), kek.privateKey.export({ type: "pkcs8", format: "pem" }));
  writeFileSync(at("wrapped"), bytes.subarray(0, 384));
  writeFileSync(at("sealed"), bytes.subarray(384));
  const openssl = (...args: string[]) =>
    execFileSync("openssl", args, { cwd: folder, stdio: ["ignore", "pipe", "pipe"] });
  openssl(
    ...["pkeyutl", "-decrypt", "-inkey", "kek.pem", "-in", "wrapped", "-out", "key"],
    ...["-pkeyopt", "rsa_padding_mode:oaep", "-pkeyopt", "rsa_oaep_md:sha1"],
  );
  const key = readFileSync(at("key")).toString("hex");
  expect(key).toHaveLength(64);
  openssl("enc", "-d", "-id-aes256-wrap-pad", "-K", key, "-iv", "A65959A6", "-in", "sealed", "-out", "opened");
  return readFileSync(at("opened"));
}

// RFC 5649, section 6.
test.each([
  [
    "20 bytes",
    "c37b7e6492584340bed12207808941155068f738",
    "138bdeaa9b8fa7fc61f97742e72248ee5ae6ae5360d1ae6a5f54f373fa543b6a",
  ],
  ["7 bytes", "466f7250617369", "afbeb0f07dfbf5419200f2ccb50bb24f"],
])("the vector of RFC 5649 for %s comes out as it stands there", (_length, plaintext, ciphertext) => {
  const key = Buffer.from("5840df6e29b02af1ab493b705bf16ea1ae8338f4dcc176a8", "hex");
  expect(wrapWithPadding(key, Buffer.from(plaintext, "hex")).toString("hex")).toBe(ciphertext);
});

test.each([
  ["RSA", () => rsaKey()],
  ["P-256", () => ecKey()],
  ["P-521", () => ecKey("secp521r1")],
  ["P-256K", () => ecKey("secp256k1")],
])("OpenSSL opens what is made of a key of %s, and finds the same key", (_kind, make) => {
  const { pkcs8 } = make();
  const material = readKeyMaterial(pkcs8);
  const { blob } = wrapForTransfer(material, exchangeKey);
  const opened = createPrivateKey({ key: openedByOpenssl(blob), format: "der", type: "pkcs8" });
  expect(opened.equals(createPrivateKey(pkcs8))).toBe(true);
});

test("a symmetric key is wrapped as its bytes", () => {
  const bytes = randomBytes(32);
  const jwk = JSON.stringify({ kty: "oct", k: bytes.toString("base64url") });
  const { blob, importable } = wrapForTransfer(readKeyMaterial(jwk, { allowSymmetric: true }), exchangeKey);
  expect(openedByOpenssl(blob).equals(bytes)).toBe(true);
  expect(importable.kty).toBe("oct-HSM");
});

test("a blob is what the specification says, is read again as one, and holds nothing of the key", () => {
  const { pkcs8, canaries } = ecKey("secp384r1");
  const { blob, importable } = wrapForTransfer(readKeyMaterial(pkcs8), exchangeKey);
  expect(JSON.parse(blob)).toEqual({
    schema_version: "1.0.0",
    header: { kid, alg: "dir", enc: "CKM_RSA_AES_KEY_WRAP" },
    ciphertext: expect.stringMatching(/^[\w-]+$/),
    generator: "pulumi-keyvault",
  });
  expect(importable).toEqual({ kty: "EC-HSM", crv: "P-384", key_hsm: Buffer.from(blob).toString("base64url") });
  expect(readKeyMaterial(blob, { keyType: "EC-HSM", curve: "P-384" })).toMatchObject({ exchangeKeyId: kid });
  expect(canaries.filter((canary) => blob.includes(canary))).toEqual([]);
});

test("each blob has a wrapping key of its own", () => {
  const material = readKeyMaterial(ecKey().pkcs8);
  const [one, other] = [wrapForTransfer(material, exchangeKey).blob, wrapForTransfer(material, exchangeKey).blob];
  expect(one).not.toBe(other);
});

test("an exchange key is refused for what it cannot do, with a remedy", () => {
  const now = Date.parse("2026-06-01T00:00:00Z");
  const good = { keyType: "RSA-HSM", keySize: 4096, keyOps: ["import"], enabled: true };
  const problemOf = (facts: object) => exchangeKeyProblem({ ...good, ...facts }, now)?.problem;
  expect(problemOf({})).toBeUndefined();
  expect(exchangeKeyProblem({}, now)).toBeUndefined();
  expect(problemOf({ expiresOn: "2026-06-01T00:00:01Z" })).toBeUndefined();
  expect(problemOf({ expiresOn: new Date(now) })).toMatch(/expired on 2026-06-01T00:00:00Z.*48 hours/);
  expect(problemOf({ notBefore: "2026-06-02T00:00:00Z" })).toMatch(/not valid before 2026-06-02/);
  expect(problemOf({ enabled: false })).toMatch(/disabled/);
  expect(problemOf({ keyOps: ["wrapKey"] })).toMatch(/"import"/);
  expect(problemOf({ keyType: "RSA" })).toMatch(/type RSA, and an exchange key is of type RSA-HSM/);
  expect(problemOf({ keyType: "EC-HSM", keySize: 256 })).toMatch(/type EC-HSM/);
  expect(problemOf({ keySize: 1024 })).toMatch(/1024 bits/);
});
