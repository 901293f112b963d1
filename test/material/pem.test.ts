import { execFileSync } from "node:child_process";
import { generateKeyPairSync, type KeyObject } from "node:crypto";
import { describe, expect, test } from "vitest";
import { readKeyMaterial } from "../../provider/material/key-material.js";
import { refusalOf } from "./refusal.js";
import { base64Lines, canaries, ecKey, jwkOf, pemOf, rsaKey, secpNames } from "./sample-keys.js";

const rsa = rsaKey();
const ec = ecKey();
const rsaJwk = jwkOf(rsa);
const passphrase = "pässwörd-canary";
const secrets = [...canaries(rsaJwk), ...canaries(jwkOf(ec)), passphrase, ...bodies(pemOf(rsa)), ...bodies(pemOf(ec))];

const certificate = execute("openssl", [
  "req",
  "-x509",
  "-newkey",
  "rsa:2048",
  "-nodes",
  "-keyout",
  "/dev/null",
  "-subj",
  "/CN=test",
]);
const needsOpenssl = certificate === undefined ? " (skipped: no openssl)" : "";

function execute(program: string, args: string[], input?: string): string | undefined {
  try {
    return execFileSync(program, args, { input, stdio: ["pipe", "pipe", "ignore"] }).toString();
  } catch {
    return undefined;
  }
}

function bodies(pem: string): string[] {
  return pem.split("\n").slice(2, -2);
}

function encrypted(
  key: KeyObject,
  type: "pkcs8" | "pkcs1" | "sec1",
  cipher = "aes-256-cbc",
  secret = passphrase,
): string {
  return key.export({ type, format: "pem", cipher, passphrase: secret }).toString();
}

function refused(content: string | Uint8Array, options = {}): string {
  return refusalOf(() => readKeyMaterial(content, options), secrets).join("\n");
}

describe("private keys in PEM", () => {
  test.each(["pkcs1", "pkcs8"] as const)("RSA in %s", (type) => {
    expect(readKeyMaterial(pemOf(rsa, type)).importable).toEqual(rsaJwk);
  });

  test.each(secpNames.flatMap((curve) => [[curve, "sec1"] as const, [curve, "pkcs8"] as const]))(
    "EC on %s in %s",
    (curve, type) => {
      const key = ecKey(curve);
      const crv = curve === "secp256k1" ? "P-256K" : curve;
      expect(readKeyMaterial(pemOf(key, type)).importable).toEqual({ ...jwkOf(key), crv });
    },
  );

  test("SEC1 after its parameters, as openssl ecparam writes it", () => {
    const parameters = "-----BEGIN EC PARAMETERS-----\nBggqhkjOPQMBBw==\n-----END EC PARAMETERS-----\n";
    expect(readKeyMaterial(parameters + pemOf(ec, "sec1")).importable).toEqual(jwkOf(ec));
  });

  test("encrypted in PKCS#8 and in OpenSSL's old form", () => {
    for (const pem of [
      encrypted(rsa, "pkcs8"),
      encrypted(rsa, "pkcs1", "aes-128-cbc"),
      encrypted(rsa, "pkcs1", "des-ede3-cbc"),
    ]) {
      expect(readKeyMaterial(pem, { passphrase }).importable).toEqual(rsaJwk);
    }
    expect(readKeyMaterial(encrypted(ec, "sec1"), { passphrase }).importable).toEqual(jwkOf(ec));
    expect(readKeyMaterial(encrypted(ec, "pkcs8", "aes-256-cbc", ""), { passphrase: "" }).importable).toEqual(
      jwkOf(ec),
    );
  });

  test("a passphrase for a key that is not encrypted is fine", () => {
    expect(readKeyMaterial(pemOf(ec), { passphrase }).keyType).toBe("EC");
  });

  test("binary DER of each form", () => {
    for (const type of ["pkcs1", "pkcs8"] as const) {
      expect(readKeyMaterial(rsa.export({ type, format: "der" })).importable).toEqual(rsaJwk);
    }
    expect(readKeyMaterial(ec.export({ type: "sec1", format: "der" }), { kind: "pem" }).importable).toEqual(jwkOf(ec));
    const closed = rsa.export({ type: "pkcs8", format: "der", cipher: "aes-256-cbc", passphrase });
    expect(readKeyMaterial(closed, { passphrase }).importable).toEqual(rsaJwk);
    expect(refused(closed)).toMatch(/is encrypted: give its passphrase/);
  });
});

describe("what surrounds the key", () => {
  const pem = pemOf(ec);
  const utf16 = (text: string) => Buffer.from(`\uFEFF${text}`, "utf16le");

  test.each([
    ["text before and after it", `Bag Attributes\n  localKeyID: 01\nKey Attributes: <No Attributes>\n${pem}trailer`],
    ["Windows line ends", pem.replaceAll("\n", "\r\n")],
    ["a byte order mark", `\uFEFF${pem}`],
    ["UTF-16, as PowerShell writes it", utf16(pem)],
    ["line breaks written as backslash and n", pem.replaceAll("\n", "\\n")],
    ["line breaks turned into blanks", pem.replaceAll("\n", " ")],
    ["base64 of the whole text", Buffer.from(pem).toString("base64")],
    ["the same key twice", pem + pemOf(ec, "sec1")],
    ["a public key next to it", `-----BEGIN PUBLIC KEY-----\nAAAA\n-----END PUBLIC KEY-----\n${pem}`],
  ])("%s", (_, content) => {
    expect(readKeyMaterial(content).importable).toEqual(jwkOf(ec));
  });

  test.skipIf(certificate === undefined)(`certificates${needsOpenssl}`, () => {
    expect(readKeyMaterial(`${certificate}${pem}${certificate}`).importable).toEqual(jwkOf(ec));
  });

  test("old encryption survives the change of line ends", () => {
    const closed = encrypted(rsa, "pkcs1").replaceAll("\n", "\\n");
    expect(readKeyMaterial(closed, { passphrase }).importable).toEqual(rsaJwk);
  });
});

describe("what is refused, by what it is", () => {
  test.skipIf(certificate === undefined)(`a certificate${needsOpenssl}`, () => {
    expect(refused(certificate ?? "")).toMatch(/a certificate, which holds only the public key: give the private key/);
    expect(refused(Buffer.from((certificate ?? "").replace(/-----.*-----|\s/g, ""), "base64"))).toMatch(
      /a certificate/,
    );
  });

  test("a public key", () => {
    const jwk = { kty: "EC", crv: "P-256", x: jwkOf(ec).x, y: jwkOf(ec).y };
    expect(refused(JSON.stringify(jwk))).toMatch(/a public key/);
    const { publicKey } = generateKeyPairSync("ec", { namedCurve: "P-256" });
    expect(refused(publicKey.export({ type: "spki", format: "pem" }).toString())).toMatch(
      /a public key: give the private/,
    );
    expect(refused(publicKey.export({ type: "spki", format: "der" }))).toMatch(/a public key: give the private/);
    expect(refused("ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIB user@host")).toMatch(/an SSH public key/);
  });

  test("DSA", () => {
    const dsa = generateKeyPairSync("dsa", { modulusLength: 1024, divisorLength: 160 }).privateKey;
    expect(refused(pemOf(dsa))).toMatch(/private key of type dsa: Key Vault takes RSA/);
    expect(refused("-----BEGIN DSA PRIVATE KEY-----\nAAAA\n-----END DSA PRIVATE KEY-----")).toMatch(/DSA private key/);
  });

  test.each(["ed25519", "x25519"] as const)("%s", (type) => {
    const key = type === "ed25519" ? generateKeyPairSync(type).privateKey : generateKeyPairSync(type).privateKey;
    expect(refused(pemOf(key))).toMatch(new RegExp(`private key of type ${type}: Key Vault takes RSA .* or EC`));
  });

  test("RSA-PSS, RSA of 1024 bits, and a curve that vaults do not have", () => {
    const pss = generateKeyPairSync("rsa-pss", { modulusLength: 2048 }).privateKey;
    expect(refused(pemOf(pss))).toMatch(/restricted to PSS/);
    expect(refused(pemOf(rsaKey(1024)))).toMatch(/1024 bits: Key Vault takes 2048, 3072 or 4096/);
    const brainpool = generateKeyPairSync("ec", { namedCurve: "brainpoolP256r1" }).privateKey;
    expect(refused(pemOf(brainpool))).toMatch(/on the curve brainpoolP256r1: Key Vault takes P-256/);
  });

  test("PuTTY's own format, with the way to convert it, and OpenPGP's", () => {
    expect(refused("PuTTY-User-Key-File-3: ssh-rsa\nEncryption: none")).toMatch(/puttygen/);
    expect(refused("-----BEGIN PGP MESSAGE-----\nAAAA\n-----END PGP MESSAGE-----")).toMatch(/OpenPGP/);
  });

  test("an encrypted key without its passphrase, or with a wrong one", () => {
    for (const pem of [encrypted(rsa, "pkcs8"), encrypted(rsa, "pkcs1"), encrypted(ec, "sec1")]) {
      expect(refused(pem)).toBe("the private key is encrypted: give its passphrase");
      expect(refused(pem, { passphrase: "wrong" })).toMatch(/the passphrase is wrong/);
      expect(refused(pem, { passphrase: "" })).toMatch(/the passphrase is wrong/);
    }
  });

  const des = execute(
    "openssl",
    "pkcs8 -topk8 -v1 PBE-MD5-DES -passout pass:pw -provider legacy -provider default".split(" "),
    pemOf(rsa),
  );
  test.skipIf(des === undefined)(
    `an outdated cipher${des === undefined ? " (skipped: no openssl with DES)" : ""}`,
    () => {
      expect(refused(des ?? "", { passphrase: "pw" })).toMatch(
        /outdated cipher .* openssl pkcs8 -topk8 -v2 aes-256-cbc/,
      );
    },
  );

  test("a truncated text at any place", () => {
    for (const pem of [pemOf(rsa), pemOf(ec, "sec1"), encrypted(rsa, "pkcs8")]) {
      for (let length = 12; length < pem.length - 20; length += 97) {
        expect(refused(pem.slice(0, length), { passphrase })).toMatch(/truncated|damaged/);
      }
    }
  });

  test("a whole text around a truncated key", () => {
    const der = rsa.export({ type: "pkcs8", format: "der" });
    const pem = (bytes: Uint8Array) =>
      `-----BEGIN PRIVATE KEY-----\n${base64Lines(bytes)}\n-----END PRIVATE KEY-----\n`;
    expect(refused(pem(der.subarray(0, 600)))).toMatch(/truncated/);
    expect(refused(pem(Buffer.concat([der.subarray(0, 600), Buffer.alloc(der.length - 600)])))).toMatch(
      /damaged|do not match/,
    );
    expect(refused("-----BEGIN PRIVATE KEY-----\n!!!\n-----END PRIVATE KEY-----\n")).toMatch(/not base64/);
    expect(refused("-----BEGIN PRIVATE KEY-----\n-----END PRIVATE KEY-----\n")).toMatch(/not base64/);
  });

  test("numbers in a PEM that do not match", () => {
    const der = Buffer.from(ec.export({ type: "sec1", format: "der" }));
    const other = Buffer.from(
      jwkOf(generateKeyPairSync("ec", { namedCurve: "P-256" }).privateKey).d ?? "",
      "base64url",
    );
    other.copy(der, 7);
    expect(refused(der)).toMatch(/"d" belongs to another public key|damaged/);
    const pkcs1 = Buffer.from(rsa.export({ type: "pkcs1", format: "der" }));
    pkcs1[pkcs1.length - 1] = (pkcs1[pkcs1.length - 1] ?? 0) ^ 1;
    expect(refused(pkcs1)).toMatch(/"qi" is not the inverse|damaged/);
  });

  test("two different private keys", () => {
    expect(refused(pemOf(rsa) + pemOf(ec))).toMatch(/2 different private keys/);
  });

  test("all problems of several blocks are told at once", () => {
    const problems = refusalOf(
      () => readKeyMaterial(encrypted(rsa, "pkcs8") + encrypted(ec, "sec1") + pemOf(ec).slice(0, 80)),
      secrets,
    );
    expect(problems).toHaveLength(3);
  });
});
