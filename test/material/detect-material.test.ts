import { randomBytes } from "node:crypto";
import fc from "fast-check";
import { expect, test } from "vitest";
import { readKeyMaterial } from "../../provider/material/key-material.js";
import { MaterialError } from "../../provider/material/material-error.js";
import { ownTimeSince } from "./own-time.js";
import { refusalOf } from "./refusal.js";
import { ecKey, jwkOf, pemOf } from "./sample-keys.js";

const refused = (content: string | Uint8Array, options = {}) =>
  refusalOf(() => readKeyMaterial(content, options)).join("\n");

test("nothing is told as nothing", () => {
  for (const content of ["", " \r\n", "\uFEFF", new Uint8Array(0), Buffer.from("\n")]) {
    expect(refused(content)).toBe("it is empty");
  }
});

test("50 MB are refused at once, with the limit", () => {
  for (const content of [Buffer.alloc(50 * 1024 * 1024, 0x30), "A".repeat(50 * 1024 * 1024)]) {
    const start = process.threadCpuUsage();
    expect(refused(content)).toMatch(/larger than 1 MiB/);
    expect(ownTimeSince(start)).toBeLessThan(200);
  }
});

test("the largest texts that are read do not take long, whatever is in them", () => {
  for (const unit of [
    "-----BEGIN A-----",
    "-----BEGIN A-----\n-----END A-----",
    "{",
    "[",
    "A",
    "=",
    "\\n",
    "-----BEGIN ",
  ]) {
    const start = process.threadCpuUsage();
    refused(unit.repeat(Math.floor((1024 * 1024) / unit.length)));
    expect(ownTimeSince(start), unit).toBeLessThan(1500);
  }
});

test("binary noise is refused with the kinds that can be imported", () => {
  expect(refused(Buffer.from([0xff, 0xd8, 0xff, 0xe0, 0, 1, 2, 3]))).toMatch(/none of the kinds .* JWK, PEM, DER, PFX/);
  expect(refused("hello, world")).toMatch(/none of the kinds/);
  expect(refused(Buffer.from("text\0with zeros"))).toMatch(/none of the kinds/);
});

test("any noise, and noise behind the start of any kind, is a MaterialError and nothing else", () => {
  const starts = [
    "",
    "0\x82\x01\x00",
    "0\x80\x02\x01\x03",
    "{",
    '{"kty":"RSA","n":"',
    "-----BEGIN PRIVATE KEY-----\n",
    "0\x0c\x02\x01\x030\x07",
  ];
  fc.assert(
    fc.property(fc.constantFrom(...starts), fc.uint8Array({ maxLength: 300 }), (start, noise) => {
      const content = Buffer.concat([Buffer.from(start, "latin1"), noise]);
      expect(() => readKeyMaterial(content)).toThrow(MaterialError);
      expect(() => readKeyMaterial(content.toString("base64"), { passphrase: "x" })).toThrow(MaterialError);
    }),
    { numRuns: 300 },
  );
});

test("any JSON is key material or a MaterialError, and nothing else", () => {
  const member = fc.oneof(fc.string(), fc.base64String(), fc.integer(), fc.constant(null), fc.constant("AQAB"));
  const record = fc.record(
    {
      kty: fc.constantFrom("RSA", "EC", "oct", "OKP"),
      crv: fc.constantFrom("P-256", "x"),
      n: member,
      e: member,
      d: member,
      p: member,
      q: member,
      x: member,
      y: member,
      k: member,
    },
    { requiredKeys: [] },
  );
  fc.assert(
    fc.property(record, (jwk) => {
      // A private number alone is a whole EC key, so now and then one comes out.
      const outcome = outcomeOf(() => readKeyMaterial(JSON.stringify(jwk)));
      expect(outcome instanceof MaterialError || (outcome as { keyType?: string }).keyType === "EC").toBe(true);
    }),
    { numRuns: 300 },
  );
});

function outcomeOf(read: () => unknown): unknown {
  try {
    return read();
  } catch (error) {
    return error;
  }
}

test("text that looks like JSON but is none is refused without a quotation of it", () => {
  const jwk = JSON.stringify(jwkOf(ecKey()));
  const d = jwkOf(ecKey()).d ?? "";
  for (const text of [jwk.slice(0, -1), `${jwk} x`, "[", "{"]) {
    expect(refusalOf(() => readKeyMaterial(text), [d.slice(0, 12)]).join()).toMatch(/not one valid JSON object/);
  }
});

test("a backup of Key Vault is told from key material", () => {
  const blob = Buffer.concat([Buffer.of(40), Buffer.from("AzureKeyVaultKeyBackupV1.microsoft.com"), randomBytes(400)]);
  expect(refused(blob.toString("base64url"))).toMatch(/backup of Key Vault.*restore/);
});

test("a Java keystore is told with the way to convert it", () => {
  expect(refused(Buffer.from("feedfeed00000002", "hex"))).toMatch(/keytool -importkeystore/);
});

test("material of another kind than the argument says is told", () => {
  expect(refused(pemOf(ecKey()), { kind: "jwk" })).toMatch(/a JWK is expected, but this is PEM or DER/);
  expect(refused(JSON.stringify(jwkOf(ecKey())), { kind: "pem" })).toMatch(/PEM or DER is expected, but this is a JWK/);
  expect(refused(pemOf(ecKey()), { kind: "pfx" })).toMatch(/a PFX \(PKCS#12\) is expected/);
  expect(refused(JSON.stringify({ kty: "EC" }), { kind: "byok" })).toMatch(/transfer blob/);
});
