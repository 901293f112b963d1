import { describe, expect, test } from "vitest";
import { readKeyMaterial } from "../../provider/material/key-material.js";
import { readKeySource } from "../../provider/material/key-source.js";
import { der, integer, octets, oid, sequence } from "./der-builder.js";
import { pfxOf, threePrimes } from "./odd-material.js";
import { refusalOf } from "./refusal.js";
import { base64Lines, canaries, ecKey, jwkOf, pemOf, rsaKey } from "./sample-keys.js";

const secrets = [...canaries(jwkOf(rsaKey())), ...canaries(jwkOf(ecKey()))];
const refused = (content: string | Uint8Array) => refusalOf(() => readKeyMaterial(content), secrets).join("\n");
const block = (label: string, body: Uint8Array) =>
  `-----BEGIN ${label}-----\n${base64Lines(body)}\n-----END ${label}-----\n`;

describe("PEM is read as OpenSSL reads it", () => {
  const bodies = [
    ["PKCS#1", () => rsaKey().export({ type: "pkcs1", format: "der" }), rsaKey],
    ["SEC1", () => ecKey().export({ type: "sec1", format: "der" }), ecKey],
    ["PKCS#8", () => ecKey().export({ type: "pkcs8", format: "der" }), ecKey],
  ] as const;
  test.each(bodies)("with a body of %s under any of the labels", (_form, body, key) => {
    for (const label of ["PRIVATE KEY", "RSA PRIVATE KEY", "EC PRIVATE KEY"]) {
      expect(readKeyMaterial(block(label, body())).importable).toMatchObject({ d: jwkOf(key()).d });
    }
  });

  test.each([
    ["escaped", (pem: string) => pem.replaceAll("\n", "\\n")],
    ["escaped twice", (pem: string) => pem.replaceAll("\n", "\\\\n")],
    ["escaped as CRLF", (pem: string) => pem.replaceAll("\n", "\\r\\n")],
    ["in quotes", (pem: string) => `"${pem.replaceAll("\n", "\\n")}"`],
    ["with CRLF", (pem: string) => pem.replaceAll("\n", "\r\n")],
    ["on one line", (pem: string) => pem.replaceAll("\n", " ")],
    ["with a byte order mark", (pem: string) => `\uFEFF${pem}`],
    ["between other text", (pem: string) => `Bag Attributes\n  localKeyID: 01\n${pem}the end\n`],
  ])("from an environment variable, %s", (_how, change) => {
    for (const key of [rsaKey(), ecKey()]) {
      const result = readKeySource({ env: "KEY" }, { env: { KEY: change(pemOf(key)) } });
      expect(result).toMatchObject({
        status: "material",
        material: { thumbprint: readKeyMaterial(pemOf(key)).thumbprint },
      });
    }
  });
});

describe("what cannot be imported is told for what it is", () => {
  test("a list and a set of JWKs", () => {
    const jwk = jwkOf(ecKey());
    expect(refused(JSON.stringify([jwk]))).toBe("this is a list in JSON: give one JWK of it");
    expect(refused(JSON.stringify({ keys: [jwk] }))).toBe("this is a set of JWKs: give one of its keys");
  });

  test("an RSA key of three primes, in PKCS#1, PKCS#8 and PEM", () => {
    const key = threePrimes();
    const pkcs8 = sequence(integer(0), sequence(oid("2a864886f70d010101"), der(0x05)), octets(key));
    for (const content of [key, pkcs8, block("RSA PRIVATE KEY", key), block("PRIVATE KEY", pkcs8)]) {
      expect(refused(content)).toMatch(/RSA key of more than two primes/);
    }
  });

  test("a PFX with two keys", () => {
    expect(refused(pfxOf(rsaKey(), ecKey()))).toMatch(/2 different private keys in it: give one/);
  });
});

describe("what is wrong with one key is never said of the next", () => {
  const next = [
    ["PKCS#1", () => rsaKey().export({ type: "pkcs1", format: "der" })],
    ["PKCS#8", () => ecKey().export({ type: "pkcs8", format: "der" })],
    ["PEM", () => pemOf(ecKey())],
    ["JWK of RSA", () => JSON.stringify(jwkOf(rsaKey()))],
    ["JWK of EC", () => JSON.stringify(jwkOf(ecKey()))],
    ["PFX", () => pfxOf(ecKey())],
    [
      "an encrypted PEM",
      () => ecKey().export({ type: "pkcs8", format: "pem", cipher: "aes-256-cbc", passphrase: "p" }),
    ],
    [
      "an encrypted PEM of before PKCS#8",
      () => ecKey().export({ type: "sec1", format: "pem", cipher: "aes-256-cbc", passphrase: "p" }),
    ],
  ] as const;

  test.each(next)("after a PFX with two keys, of %s", (_form, content) => {
    expect(refused(pfxOf(rsaKey(), ecKey()))).toMatch(/2 different private keys/);
    expect(readKeyMaterial(content(), { passphrase: "p" }).importable).toHaveProperty("d");
  });

  test.each(next)("after whatever has left an error in OpenSSL, of %s", (_form, content) => {
    expect(rsaKey().equals(ecKey())).toBe(false);
    expect(readKeyMaterial(content(), { passphrase: "p" }).importable).toHaveProperty("d");
  });
});

describe("a transfer blob", () => {
  const blob = (kid: string) => ({
    schema_version: "1.0.0",
    header: { kid, alg: "dir", enc: "CKM_RSA_AES_KEY_WRAP" },
    ciphertext: "A".repeat(800),
  });
  const version = "0123456789abcdef0123456789abcdef";

  test.each([
    `https://v.vault.azure.net/keys/kek/${version}`,
    "https://v.vault.azure.net/keys/kek",
    `http://127.0.0.1:1234/keys/kek/${version}`,
    `http://localhost:1234/keys/kek/${version}`,
    `http://contoso.vault.localhost/keys/kek/${version}`,
    `http://[::1]:1234/keys/kek/${version}`,
    `embedded:vault.sqlite/keys/kek/${version}`,
    `embedded:/home/me/my vaults/dev.sqlite/keys/kek/${version}`,
  ])("of the exchange key %s is taken", (kid) => {
    expect(readKeyMaterial(JSON.stringify(blob(kid))).exchangeKeyId).toBe(kid);
  });

  test.each([
    `http://v.vault.azure.net/keys/kek/${version}`,
    "kek",
    "https://v.vault.azure.net/secrets/kek",
    "embedded:/keys/",
    "file:///keys/kek",
    "http://127.0.0.1.evil.example/keys/kek",
  ])("of %s is refused", (kid) => {
    expect(refused(JSON.stringify(blob(kid)))).toMatch(/header.kid has to be the identifier of the exchange key/);
  });
});
