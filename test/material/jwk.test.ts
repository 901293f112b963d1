import { createPrivateKey, generateKeyPairSync } from "node:crypto";
import { inspect } from "node:util";
import { describe, expect, test } from "vitest";
import { readKeyMaterial } from "../../provider/material/key-material.js";
import { ownTimeSince } from "./own-time.js";
import { refusalOf } from "./refusal.js";
import { canaries, ecKey, type Jwk, jwkOf, rsaKey, secpNames } from "./sample-keys.js";

const rsa = jwkOf(rsaKey());
const ec = jwkOf(ecKey());
const signByte = (text = "") => Buffer.concat([Buffer.of(0), Buffer.from(text, "base64url")]).toString("base64url");
const without = (jwk: Jwk, ...members: string[]) =>
  Object.fromEntries(Object.entries(jwk).filter(([name]) => !members.includes(name)));
const read = (jwk: unknown, options = {}) => readKeyMaterial(JSON.stringify(jwk), options);

function refused(jwk: Record<string, unknown>, options = {}): string {
  return refusalOf(() => read(jwk, options), [...canaries(rsa), ...canaries(ec)]).join("\n");
}

describe("RSA", () => {
  test.each([2048, 3072, 4096])("a key of %i bits is imported with all eight numbers and nothing else", (bits) => {
    const jwk = jwkOf(rsaKey(bits));
    const material = read({ ...jwk, use: "sig", key_ops: ["sign"], alg: "RS256", kid: "x" });
    expect(material).toMatchObject({ keyType: "RSA", keySize: bits, hardwareOnly: false });
    expect(material.importable).toEqual(jwk);
  });

  test("missing CRT members are worked out", () => {
    expect(read(without(rsa, "dp", "dq", "qi")).importable).toEqual(rsa);
    expect(read(without(rsa, "q", "qi")).importable).toEqual(rsa);
  });

  test("without its primes the key is factored from n, e and d", () => {
    const { importable } = read(without(rsa, "p", "q", "dp", "dq", "qi"));
    expect([importable.p, importable.q].sort()).toEqual([rsa.p, rsa.q].sort());
    expect(createPrivateKey({ key: importable, format: "jwk" }).asymmetricKeyType).toBe("rsa");
  });

  test("sign bytes of Java's BigInteger are stripped", () => {
    const signed = Object.fromEntries(
      Object.entries(rsa).map(([name, text]) => [name, name === "kty" ? text : signByte(text)]),
    );
    expect(read(signed).importable).toEqual(rsa);
  });

  test("checking a key of 4096 bits takes less than 50 ms", () => {
    const text = JSON.stringify(jwkOf(rsaKey(4096)));
    readKeyMaterial(text);
    const runs = Array.from({ length: 5 }, () => {
      const start = process.threadCpuUsage();
      readKeyMaterial(text);
      return ownTimeSince(start);
    });
    expect(Math.min(...runs)).toBeLessThan(50);
  });

  test("1024 bits are refused with what is allowed", () => {
    expect(refused(jwkOf(rsaKey(1024)))).toMatch(/1024 bits: Key Vault takes 2048, 3072 or 4096/);
  });

  test("another public exponent than 65537 is refused", () => {
    const odd = jwkOf(generateKeyPairSync("rsa", { modulusLength: 2048, publicExponent: 3 }).privateKey);
    expect(refusalOf(() => read(odd), canaries(odd))).toEqual([expect.stringMatching(/"e" is 3: .*65537/)]);
  });

  test.each(["dp", "dq", "qi"])("a wrong %s is told by name", (member) => {
    expect(refused({ ...rsa, [member]: "AQAB" })).toMatch(new RegExp(`do not match: "${member}"`));
  });

  test("a private exponent of another key is told", () => {
    const other = jwkOf(generateKeyPairSync("rsa", { modulusLength: 2048 }).privateKey);
    expect(refused({ ...rsa, d: other.d })).toMatch(/"d" is not the inverse of "e"/);
    expect(refused({ kty: "RSA", n: rsa.n, e: rsa.e, d: other.d })).toMatch(/private and public key are no pair/);
    expect(refused({ ...rsa, n: other.n })).toMatch(/"n" is not p times q/);
    expect(refused({ ...rsa, p: other.p })).toMatch(/"n" is not p times q/);
  });

  test.each(["AA", "AQ", "Ag"])("degenerate numbers (%s) are refused, not divided by", (number) => {
    for (const member of ["n", "e", "d", "p", "q", "dp", "dq", "qi"]) {
      expect(refused({ ...rsa, [member]: number }), member).not.toBe("");
      expect(refused({ ...without(rsa, "dp", "dq", "qi", "q"), [member]: number }), member).not.toBe("");
    }
  });

  test("primes that are no primes are found by a signature that does not verify", () => {
    const [p, q] = [3n ** 646n, 5n ** 441n];
    const d = inverse(65537n, (p - 1n) * (q - 1n));
    const jwk = { kty: "RSA", n: encode(p * q), e: "AQAB", d: encode(d), p: encode(p), q: encode(q) };
    expect(refusalOf(() => read(jwk), canaries(jwk))).toEqual([expect.stringMatching(/signature .* does not verify/)]);
  });

  test("all problems are told at once", () => {
    const problems = refusalOf(
      () => read({ ...without(rsa, "e"), n: `${rsa.n}==`, d: "a+b/", p: 7, q: "", dp: "A" }),
      canaries(rsa),
    );
    expect(problems).toEqual([
      expect.stringMatching(/"n" is padded with "="/),
      expect.stringMatching(/"e" is missing/),
      expect.stringMatching(/"d" has characters that base64url does not have/),
      expect.stringMatching(/"p" has to be a base64url string/),
      expect.stringMatching(/"q" is empty/),
      expect.stringMatching(/"dp" is no base64url/),
    ]);
  });

  test("a public key is told as such", () => {
    expect(refused({ kty: "RSA", n: rsa.n, e: rsa.e })).toBe('this is a public key: the private member "d" is missing');
  });

  test("numbers of absurd length are refused before any arithmetic", () => {
    const start = process.threadCpuUsage();
    expect(refused({ ...rsa, n: "A".repeat(500_000), p: "A".repeat(500_000) })).toMatch(/"n" is longer than any key/);
    expect(ownTimeSince(start)).toBeLessThan(500);
  });

  test("more than two primes are refused", () => {
    expect(refused({ ...rsa, oth: [{ r: "AQ", d: "AQ", t: "AQ" }] })).toMatch(/more than two primes/);
  });
});

describe("EC", () => {
  test.each(secpNames)("a key on %s is imported under the vault's name of the curve", (curve) => {
    const jwk = jwkOf(ecKey(curve));
    const name = curve === "secp256k1" ? "P-256K" : curve;
    const material = read(jwk);
    expect(material).toMatchObject({ keyType: "EC", curve: name, hardwareOnly: false });
    expect(material.importable).toEqual({ ...jwk, crv: name });
    expect(read(without(jwk, "x", "y")).importable).toEqual(material.importable);
    expect(read(without(jwk, "y")).importable).toEqual(material.importable);
  });

  test("numbers are brought to the width of the field", () => {
    expect(read({ ...ec, x: signByte(ec.x), y: signByte(ec.y), d: signByte(ec.d) }).importable).toEqual(ec);
    const short = keyWithLeadingZero();
    const stripped = Buffer.from(short.x ?? "", "base64url")
      .subarray(1)
      .toString("base64url");
    expect(read({ ...short, x: stripped }).importable).toEqual(short);
  });

  test("the curve is known by all its names", () => {
    const jwk = jwkOf(ecKey("secp256k1"));
    for (const crv of ["P-256K", "SECP256K1", "secp256k1"]) expect(read({ ...jwk, crv }).curve).toBe("P-256K");
  });

  test("a point off the curve is refused", () => {
    expect(refused({ ...ec, y: ec.x })).toMatch(/not on the curve P-256/);
    expect(refused({ ...ec, crv: "P-256K" })).toMatch(/not on the curve P-256K/);
  });

  test("a private number of another key is refused", () => {
    const other = jwkOf(generateKeyPairSync("ec", { namedCurve: "P-256" }).privateKey);
    expect(refused({ ...ec, x: other.x, y: other.y })).toMatch(/"d" belongs to another public key/);
  });

  test("a private number outside of the curve's order is refused", () => {
    for (const d of [Buffer.alloc(32), Buffer.alloc(32, 0xff)]) {
      expect(refused({ ...ec, d: d.toString("base64url") })).toMatch(/"d" is out of range/);
    }
  });

  test("a number too long for the curve is refused", () => {
    expect(refused({ ...jwkOf(ecKey("P-384")), crv: "P-256" })).toMatch(/too long for P-256: at most 32 bytes/);
  });

  test("an unsupported curve is told with what is allowed", () => {
    expect(refused({ ...ec, crv: "P-192" })).toMatch(/"crv" is "P-192": Key Vault takes P-256, P-384, P-521 or P-256K/);
    expect(refused(without(ec, "crv"))).toMatch(/"crv" is missing/);
  });

  test("a public key is told as such, together with whatever else is wrong", () => {
    expect(refused({ ...without(ec, "d"), x: `${ec.x}=` }).split("\n")).toEqual([
      expect.stringMatching(/this is a public key/),
      expect.stringMatching(/"x" is padded/),
    ]);
  });
});

describe("symmetric keys", () => {
  const oct = { kty: "oct", k: Buffer.alloc(32, 7).toString("base64url") };

  test.each([16, 24, 32])("a key of %i bytes is for Managed HSM only", (length) => {
    const jwk = { kty: "oct", k: Buffer.alloc(length, 7).toString("base64url") };
    expect(refused(jwk)).toMatch(/Managed HSM only/);
    const material = read(jwk, { allowSymmetric: true });
    expect(material).toMatchObject({ keyType: "oct", keySize: length * 8, hardwareOnly: true, importable: jwk });
  });

  test("other lengths are refused", () => {
    expect(refused({ kty: "oct", k: "AQAB" }, { allowSymmetric: true })).toMatch(/24 bits: .*128, 192 or 256/);
    expect(refused({ kty: "oct" }, { allowSymmetric: true })).toMatch(/"k" is missing/);
  });

  test("the thumbprint is stable, its own kind, and not RFC 7638's plain hash of the secret", () => {
    const [first, second] = [
      read(oct, { allowSymmetric: true }),
      read({ ...oct, kty: "oct-HSM" }, { allowSymmetric: true }),
    ];
    expect(first.thumbprint).toMatch(/^oct:scrypt:[\w-]{43}$/);
    expect(second.thumbprint).toBe(first.thumbprint);
    expect(first.thumbprint).not.toContain(oct.k);
  });
});

describe("any JWK", () => {
  test("an -HSM type asks for hardware and is imported under its plain type", () => {
    expect(read({ ...rsa, kty: "RSA-HSM" })).toMatchObject({
      keyType: "RSA",
      hardwareOnly: true,
      importable: { kty: "RSA" },
    });
    expect(read({ ...ec, kty: "EC-HSM" })).toMatchObject({
      keyType: "EC",
      hardwareOnly: true,
      importable: { kty: "EC" },
    });
    expect(refused({ ...rsa, kty: "RSA-HSM" }, { hardwareProtected: false })).toMatch(/hardwareProtected is false/);
  });

  test("other types are refused with what is allowed", () => {
    const okp = jwkOf(generateKeyPairSync("ed25519").privateKey);
    expect(refusalOf(() => read(okp), canaries(okp)).join()).toMatch(/"kty" is "OKP": Key Vault takes RSA of 2048/);
    expect(refused({ kty: 7 })).toMatch(/"kty" is not a name that is known/);
    expect(refused({ kty: rsa.d })).toMatch(/"kty" is not a name that is known/);
    expect(refused({ n: "AQAB" })).toMatch(/"kty" is missing/);
    expect(refused({ keys: [rsa] })).toMatch(/set of JWKs/);
  });

  test("what contradicts the resource's keyType or curve is refused", () => {
    expect(refused(rsa, { keyType: "EC-HSM" })).toMatch(/keyType is EC, but this is an RSA key/);
    expect(refused(ec, { curve: "P-384" })).toMatch(/curve is not what this key has: P-256/);
    expect(read(ec, { keyType: "EC", curve: "P-256" }).curve).toBe("P-256");
  });

  test("printing or serialising the material shows its public part alone", () => {
    const material = read(rsa);
    const printed = [inspect(material), JSON.stringify(material), inspect([{ deep: material }], { depth: 9 })].join();
    for (const canary of canaries(rsa)) expect(printed.includes(canary)).toBe(false);
    expect(printed).toContain(material.thumbprint);
  });
});

function keyWithLeadingZero(): Jwk {
  for (;;) {
    const jwk = jwkOf(generateKeyPairSync("ec", { namedCurve: "P-256" }).privateKey);
    if (Buffer.from(jwk.x ?? "", "base64url")[0] === 0) return jwk;
  }
}

function encode(number: bigint): string {
  const hex = number.toString(16);
  return Buffer.from(hex.length % 2 === 0 ? hex : `0${hex}`, "hex").toString("base64url");
}

function inverse(value: bigint, modulus: bigint): bigint {
  let [a, b, x, y] = [value, modulus, 1n, 0n];
  while (b !== 0n) [a, b, x, y] = [b, a % b, y, x - (a / b) * y];
  return x < 0n ? x + modulus : x;
}
