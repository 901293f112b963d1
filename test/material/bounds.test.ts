import { randomBytes } from "node:crypto";
import forge from "node-forge";
import { describe, expect, test } from "vitest";
import { DerivationBudget } from "../../provider/material/key-derivation.js";
import { readKeyMaterial } from "../../provider/material/key-material.js";
import { readKeySource } from "../../provider/material/key-source.js";
import { der, integer, octets, oid, sequence } from "./der-builder.js";
import { ownTimeSince } from "./own-time.js";
import { refusalOf } from "./refusal.js";
import { ecKey, jwkOf, pemOf, rsaKey } from "./sample-keys.js";

const passphrase = "canary-pass";

/** The least of three times, since others work on this machine, too. */
function refusedAtOnce(content: string | Uint8Array, milliseconds = 50): string {
  const runs = [1, 2, 3].map(() => {
    const start = process.threadCpuUsage();
    const problems = refusalOf(() => readKeyMaterial(content, { passphrase }), [passphrase]).join("\n");
    return { problems, took: ownTimeSince(start) };
  });
  expect(Math.min(...runs.map(({ took }) => took))).toBeLessThan(milliseconds);
  return runs[0]?.problems ?? "";
}

const pbes2 = "2a864886f70d01050d";
const aes256 = sequence(oid("60864801650304012a"), octets(Buffer.alloc(16)));
const encrypted = (algorithm: Buffer) => sequence(algorithm, octets(Buffer.alloc(160)));
const pbkdf2 = (...numbers: Buffer[]) =>
  encrypted(
    sequence(
      oid(pbes2),
      sequence(sequence(oid("2a864886f70d01050c"), sequence(octets(Buffer.alloc(16)), ...numbers)), aes256),
    ),
  );
const scrypt = (n: number, r: number, p: number) =>
  encrypted(
    sequence(
      oid(pbes2),
      sequence(
        sequence(oid("2b06010401da47040b"), sequence(octets(Buffer.alloc(16)), integer(n), integer(r), integer(p))),
        aes256,
      ),
    ),
  );
const older = (id: string, count: Buffer) => encrypted(sequence(oid(id), sequence(octets(Buffer.alloc(8)), count)));

describe("a key derivation is refused before it costs", () => {
  test.each([
    ["PBKDF2 of 65 million iterations", pbkdf2(integer(65_000_000)), /asks for 65,000,000 iterations/],
    ["PBKDF2 of more than any number has", pbkdf2(integer(randomBytes(64).fill(0x7f, 0, 1))), /asks for ∞ iterations/],
    ["PBKDF2 of none", pbkdf2(integer(0)), /iteration count below 1/],
    ["PBKDF2 of less than none", pbkdf2(integer(Buffer.of(0xff))), /iteration count below 1/],
    ["PBKDF2 without a count", pbkdf2(), /parameters of its encryption cannot be read/],
    ["PBKDF2 whose count is a text", pbkdf2(octets(Buffer.of(1))), /parameters of its encryption cannot be read/],
    ["scrypt of 16 GiB", scrypt(2 ** 24, 8, 1), /N=16777216, r=8, p=1: at most 32 MiB/],
    ["scrypt of 1,000 lanes", scrypt(16384, 8, 1000), /p=1000: at most 32 MiB .* and p=16/],
    ["scrypt of wide blocks", scrypt(2, 2 ** 30, 1), /at most 32 MiB/],
    ["PKCS#5's first", older("2a864886f70d01050a", integer(65_000_000)), /65,000,000 iterations/],
    ["PKCS#12's", older("2a864886f70d010c0103", integer(65_000_000)), /65,000,000 iterations/],
    ["one that is not known", encrypted(sequence(oid("2a0304"), sequence())), /scheme that is not supported/],
  ])("%s", (_what, key, problem) => {
    expect(refusedAtOnce(key)).toMatch(problem);
    const pem = `-----BEGIN ENCRYPTED PRIVATE KEY-----\n${key.toString("base64")}\n-----END ENCRYPTED PRIVATE KEY-----`;
    expect(refusedAtOnce(pem)).toMatch(problem);
  });

  test("what NSS and OpenSSL ask for is done", () => {
    expect(refusalOf(() => readKeyMaterial(pbkdf2(integer(600_000)), { passphrase })).join()).toMatch(
      /passphrase is wrong/,
    );
    expect(refusalOf(() => readKeyMaterial(scrypt(16384, 8, 1), { passphrase })).join()).toMatch(/passphrase is wrong/);
  });

  test("many keys of one file cost no more than one", () => {
    const key = `-----BEGIN ENCRYPTED PRIVATE KEY-----\n${pbkdf2(integer(700_000)).toString("base64")}\n-----END ENCRYPTED PRIVATE KEY-----\n`;
    expect(refusalOf(() => readKeyMaterial(key.repeat(5), { passphrase })).join("\n")).toMatch(/at most 3,000,000/);
    expect(refusedAtOnce(key.repeat(9))).toBe("the PEM text holds 9 private keys: give one");
  }, 20_000);
});

const { asn1, pkcs12, pki } = forge;
type Asn1 = forge.asn1.Asn1;

/** A PFX with a MAC, changed at will. */
function pfx(change: (root: Asn1) => void): Buffer {
  // The library takes null for "no certificate", which its types do not know.
  const none = null as unknown as forge.pki.Certificate;
  const key = pki.privateKeyFromPem(pemOf(rsaKey(), "pkcs1"));
  const root = pkcs12.toPkcs12Asn1(key, none, passphrase, { algorithm: "3des" });
  change(root);
  return Buffer.from(asn1.toDer(root).getBytes(), "latin1");
}
describe("a PFX is refused before it costs", () => {
  test.each([
    ["0", "\0"],
    ["-1", "\xff"],
  ])("whose MAC has an iteration count of %s", (_count, bytes) => {
    const changed = pfx((root) => {
      const mac = Array.isArray(root.value) ? root.value[2] : undefined;
      const count = Array.isArray(mac?.value) ? mac.value[2] : undefined;
      if (count === undefined) throw new TypeError("no MAC");
      count.value = bytes;
    });
    expect(refusedAtOnce(changed)).toMatch(/in the PFX, the key derivation has an iteration count below 1/);
  });

  test("whose bags ask for much in sum, though none does alone", () => {
    const budget = new DerivationBudget();
    expect([budget.spend(300_000, 4), budget.spend(300_000, 4), budget.spend(600_000)]).toEqual([
      undefined,
      undefined,
      undefined,
    ]);
    expect(budget.spend(1)).toMatch(/at most 3,000,000 are done for one file/);
  });

  test("that holds more keys than anybody keeps in one", () => {
    const key = ecKey().export({ type: "pkcs8", format: "der" });
    const bag = sequence(oid("2a864886f70d010c0a0101"), der(0xa0, key));
    const data = (content: Buffer) => sequence(oid("2a864886f70d010701"), der(0xa0, octets(content)));
    const holding = (count: number) =>
      sequence(integer(3), data(sequence(data(sequence(...Array<Buffer>(count).fill(bag))))));
    expect(readKeyMaterial(holding(8)).importable).toEqual(expect.objectContaining({ d: jwkOf(ecKey()).d }));
    expect(refusedAtOnce(holding(9))).toMatch(/more than 8 private keys/);
    expect(refusedAtOnce(holding(1000))).toMatch(/more than 8 private keys/);
  });

  test.each([
    [
      "of definite length",
      (depth: number) => Array.from({ length: depth }).reduce<Buffer>((inner) => sequence(inner), Buffer.alloc(0)),
    ],
    ["of indefinite length", (depth: number) => Buffer.concat([sequence(), Buffer.from("3080".repeat(depth), "hex")])],
  ])("whose contents lie in each other without end, %s", (_what, nested) => {
    const content = (bytes: Buffer) => sequence(oid("2a864886f70d010701"), der(0xa0, octets(bytes)));
    expect(refusedAtOnce(sequence(integer(3), content(nested(5000))))).toMatch(/nested too deep|damaged/);
    expect(refusedAtOnce(sequence(integer(3), sequence(nested(5000))))).toMatch(/nested too deep|damaged/);
  });
});

describe("a key is refused before it costs", () => {
  const long = (bytes: number) => integer(Buffer.concat([Buffer.of(0x7f), randomBytes(bytes - 2), Buffer.of(1)]));

  test("of DSA or DH, whose public half OpenSSL works out of numbers of any length", () => {
    const dsa = (bytes: number) =>
      sequence(
        integer(0),
        sequence(oid("2a8648ce380401"), sequence(long(bytes), long(20), long(bytes))),
        octets(long(bytes)),
      );
    expect(refusedAtOnce(dsa(4000))).toMatch(/private key of type dsa: Key Vault takes RSA/);
    expect(refusedAtOnce(dsa(200_000))).toMatch(/more than any that Key Vault takes/);
  });

  test("of RSA with numbers of a megabit", () => {
    const numbers = Array.from({ length: 8 }, () => long(100_000));
    expect(refusedAtOnce(sequence(integer(0), ...numbers))).toMatch(/more than any that Key Vault takes/);
    const some = Array.from({ length: 8 }, () => long(1500));
    expect(refusedAtOnce(sequence(integer(0), ...some))).toMatch(/numbers of more than 8192 bits/);
    const members = Object.fromEntries(["n", "e", "d", "p", "q"].map((name) => [name, "_".repeat(500_000)]));
    expect(refusedAtOnce(JSON.stringify({ kty: "RSA", ...members }).slice(0, 1_000_000))).toMatch(
      /JSON|longer than any/,
    );
  });

  test("of a megabyte in any form", () => {
    for (const text of ["A", "-----BEGIN ", "{", "[", "\\n", " ", "30", "MII", "Proc-Type: 4,ENCRYPTED DEK-Info: "]) {
      refusedAtOnce(text.repeat(Math.floor(1_000_000 / text.length)), 250);
    }
  });
});

describe("a source that no program should hand over", () => {
  test("an object that lies in itself, or too deep, or throws, is refused like other material", () => {
    const cyclic: Record<string, unknown> = { kty: "EC" };
    cyclic.self = cyclic;
    let deep: Record<string, unknown> = {};
    for (let i = 0; i < 20_000; i++) deep = { deep };
    const throwing = {
      toJSON() {
        throw new TypeError("canary");
      },
    };
    for (const jwk of [cyclic, deep, throwing, { kty: "EC", d: 5n }]) {
      expect(refusalOf(() => readKeySource({ jwk }), ["canary"])).toHaveLength(1);
      expect(refusalOf(() => readKeySource({ byok: jwk }), ["canary"]).length).toBeGreaterThan(0);
    }
  });
});

describe("material that is whole passes as before", () => {
  test("a PFX of tools, with its key once or several times", () => {
    expect(
      readKeyMaterial(
        pfx(() => undefined),
        { passphrase },
      ).importable,
    ).toEqual(jwkOf(rsaKey()));
    const pem = pemOf(ecKey());
    expect(readKeyMaterial(pem.repeat(8)).importable).toMatchObject({ d: jwkOf(ecKey()).d });
  });
});
