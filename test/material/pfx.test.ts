import { execFileSync } from "node:child_process";
import { createHmac, pbkdf2Sync, randomBytes } from "node:crypto";
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import forge from "node-forge";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { readKeyMaterial } from "../../provider/material/key-material.js";
import { der, integer, octets, oid, sequence } from "./der-builder.js";
import { ownTimeSince } from "./own-time.js";
import { refusalOf } from "./refusal.js";
import { canaries, ecKey, type Jwk, jwkOf, pemOf, rsaKey } from "./sample-keys.js";

const rsa = jwkOf(rsaKey());
const ec = jwkOf(ecKey());
const passphrase = "pässwörd-canary";
const secrets = [...canaries(rsa), ...canaries(ec), passphrase];
const refused = (pfx: string | Uint8Array, options = {}) =>
  refusalOf(() => readKeyMaterial(pfx, options), secrets).join("\n");

type ForgeOptions = Parameters<typeof forge.pkcs12.toPkcs12Asn1>[3];

function forged(options: ForgeOptions, secret: string | null, withCertificate = true): Buffer {
  const key = forge.pki.privateKeyFromPem(pemOf(rsaKey(), "pkcs1"));
  const certificate = forge.pki.createCertificate();
  certificate.publicKey = forge.pki.setRsaPublicKey(key.n, key.e);
  certificate.sign(key, forge.md.sha256.create());
  // The library takes null for "no certificate", which its types do not know.
  const none = null as unknown as typeof certificate;
  const pfx = forge.pkcs12.toPkcs12Asn1(key, withCertificate ? certificate : none, secret, options);
  return encoded(pfx);
}

function encoded(element: forge.asn1.Asn1): Buffer {
  return Buffer.from(forge.asn1.toDer(element).getBytes(), "latin1");
}

describe("PFX files of node-forge", () => {
  test.each([["3des"], ["aes256"]] as const)("%s, with and without a certificate", (algorithm) => {
    for (const withCertificate of [true, false]) {
      const pfx = forged({ algorithm }, "secret", withCertificate);
      expect(readKeyMaterial(pfx, { passphrase: "secret" }).importable).toEqual(rsa);
      expect(readKeyMaterial(pfx.toString("base64"), { passphrase: "secret", kind: "pfx" }).importable).toEqual(rsa);
    }
  });

  test("without a passphrase, in both ways of writing none", () => {
    expect(readKeyMaterial(forged({ algorithm: "3des" }, "")).importable).toEqual(rsa);
    expect(readKeyMaterial(forged({ algorithm: "3des" }, ""), { passphrase: "" }).importable).toEqual(rsa);
    expect(readKeyMaterial(forged({}, null)).importable).toEqual(rsa);
  });

  test("the wrong passphrase, and none, are told", () => {
    const pfx = forged({ algorithm: "aes256" }, "secret");
    expect(refused(pfx, { passphrase: "wrong" })).toBe("the PFX cannot be decrypted: the passphrase is wrong");
    expect(refused(pfx)).toBe("the PFX is protected by a passphrase: give it");
    const unchecked = forged({ algorithm: "3des", useMac: false }, "secret");
    expect(readKeyMaterial(unchecked, { passphrase: "secret" }).importable).toEqual(rsa);
    expect(refused(unchecked, { passphrase: "wrong" })).toBe("the PFX cannot be decrypted: the passphrase is wrong");
  });

  test("line breaks around base64, and bytes behind the file, do no harm", () => {
    const pfx = forged({ algorithm: "3des" }, "secret");
    const lines = pfx.toString("base64").replace(/.{76}/g, "$&\r\n");
    expect(readKeyMaterial(`${lines}\r\n`, { passphrase: "secret" }).importable).toEqual(rsa);
    expect(readKeyMaterial(Buffer.concat([pfx, Buffer.from("\n")]), { passphrase: "secret" }).importable).toEqual(rsa);
  });

  test("truncated anywhere, it is told without anything of its content", () => {
    const pfx = forged({ algorithm: "3des" }, "secret");
    for (let length = 20; length < pfx.length; length += 131) {
      expect(refused(pfx.subarray(0, length), { passphrase: "secret" })).toMatch(/truncated/);
    }
  });

  test("BER with indefinite lengths and strings in pieces is read, as Java and Windows write it", () => {
    const pfx = forge.asn1.fromDer(forged({ algorithm: "3des" }, "secret").toString("latin1"));
    const [version, safe, mac] = pfx.value as forge.asn1.Asn1[];
    const [type, wrapper] = (safe?.value ?? []) as forge.asn1.Asn1[];
    const [octets] = (wrapper?.value ?? []) as forge.asn1.Asn1[];
    const content = Buffer.from(String(octets?.value), "latin1");
    const piece = (bytes: Uint8Array) =>
      Buffer.concat([Buffer.of(4, 0x82, bytes.length >> 8, bytes.length & 0xff), bytes]);
    const open = (tag: number, ...parts: Buffer[]) => Buffer.concat([Buffer.of(tag, 0x80), ...parts, Buffer.alloc(2)]);
    const pieces = open(0x24, piece(content.subarray(0, 300)), piece(content.subarray(300)));
    if (version === undefined || type === undefined || mac === undefined) throw new TypeError("no PFX");
    const ber = open(0x30, encoded(version), open(0x30, encoded(type), open(0xa0, pieces)), encoded(mac));
    expect(readKeyMaterial(ber, { passphrase: "secret" }).importable).toEqual(rsa);
  });

  test("a changed byte is found by the integrity check", () => {
    const pfx = forged({ algorithm: "3des" }, "secret");
    const middle = pfx.length >> 1;
    pfx[middle] = (pfx[middle] ?? 0) ^ 1;
    expect(refused(pfx, { passphrase: "secret" })).toMatch(/wrong|damaged/);
  });

  test("a key derivation that would run for hours is refused", () => {
    const { asn1 } = forge;
    const pfx = asn1.fromDer(forged({ algorithm: "3des" }, "secret").toString("latin1"));
    const mac = Array.isArray(pfx.value) ? pfx.value[2] : undefined;
    const iterations = Array.isArray(mac?.value) ? mac.value[2] : undefined;
    if (iterations === undefined) throw new TypeError("no MAC");
    iterations.value = "\x7f\xff\xff\xff";
    const start = process.threadCpuUsage();
    expect(refused(encoded(pfx), { passphrase: "secret" })).toMatch(/asks for 2,147,483,647 iterations/);
    expect(ownTimeSince(start)).toBeLessThan(500);
  });
});

describe("a PFX whose integrity check is PBMAC1 (RFC 9579), as OpenSSL 3.4 writes it with -pbmac1_pbkdf2", () => {
  const hmac = { sha1: "2a864886f70d0207", sha256: "2a864886f70d0209", sha512: "2a864886f70d020b" } as const;
  const hashOf = (hash: keyof typeof hmac) => sequence(oid(hmac[hash]), der(0x05));

  function withPbmac1(prf: keyof typeof hmac, mac: keyof typeof hmac, count = 2048, length = 32): Buffer {
    const [version, safe] = childrenOfPfx(forged({ algorithm: "aes256", useMac: false }, "secret"));
    const salt = randomBytes(8);
    const key = pbkdf2Sync("secret", salt, Math.max(count, 1), length, prf);
    const digest = createHmac(mac, key).update(safe.content).digest();
    const parameters = sequence(
      octets(salt),
      integer(count),
      integer(length),
      ...(prf === "sha1" ? [] : [hashOf(prf)]),
    );
    const derivation = sequence(oid("2a864886f70d01050c"), parameters);
    const algorithm = sequence(oid("2a864886f70d01050e"), sequence(derivation, hashOf(mac)));
    const macData = sequence(sequence(algorithm, octets(digest)), octets(Buffer.from("NOT USED")), integer(1));
    return sequence(version, safe.element, macData);
  }

  test.each([
    ["sha256", "sha256"],
    ["sha512", "sha256"],
    ["sha512", "sha512"],
    ["sha1", "sha1"],
  ] as const)("is read, with %s and %s", (prf, mac) => {
    const pfx = withPbmac1(prf, mac);
    expect(readKeyMaterial(pfx, { passphrase: "secret" }).importable).toEqual(rsa);
    expect(refused(pfx, { passphrase: "wrong" })).toBe("the PFX cannot be decrypted: the passphrase is wrong");
    expect(refused(pfx)).toBe("the PFX is protected by a passphrase: give it");
  });

  test("costs no more than any other", () => {
    expect(refused(withPbmac1("sha256", "sha256", 0), { passphrase: "secret" })).toMatch(/iteration count below 1/);
    expect(refused(withPbmac1("sha256", "sha256", 3_000_001), { passphrase: "secret" })).toMatch(/at most 3,000,000/);
    expect(refused(withPbmac1("sha256", "sha256", 1, 2000), { passphrase: "secret" })).toMatch(/PBMAC1\) is damaged/);
  });
});

function childrenOfPfx(pfx: Buffer): [Buffer, { element: Buffer; content: Buffer }] {
  const root = forge.asn1.fromDer(pfx.toString("latin1"));
  const [version, safe] = Array.isArray(root.value) ? root.value : [];
  const wrapper = Array.isArray(safe?.value) ? safe.value[1] : undefined;
  const inner = Array.isArray(wrapper?.value) ? wrapper.value[0] : undefined;
  if (version === undefined || safe === undefined || typeof inner?.value !== "string") throw new TypeError("no PFX");
  return [encoded(version), { element: encoded(safe), content: Buffer.from(inner.value, "latin1") }];
}

const openssl = opensslVersion();

function opensslVersion(): string | undefined {
  try {
    return execFileSync("openssl", ["version"], { stdio: ["ignore", "pipe", "ignore"] }).toString();
  } catch {
    return undefined;
  }
}

describe.skipIf(!openssl?.startsWith("OpenSSL 3"))(
  `PFX files of openssl${openssl ? "" : " (skipped: no openssl 3)"}`,
  () => {
    let folder = "";
    beforeAll(() => {
      folder = mkdtempSync(join(tmpdir(), "pfx-"));
      for (const [name, key] of [
        ["rsa", rsaKey()],
        ["ec", ecKey()],
      ] as const) {
        writeFileSync(join(folder, `${name}.pem`), pemOf(key), { mode: 0o600 });
        run(["req", "-x509", "-new", "-key", `${name}.pem`, "-subj", "/CN=test", "-out", `${name}.crt`]);
      }
    });
    afterAll(() => rmSync(folder, { recursive: true, force: true }));

    function run(args: string[]): void {
      execFileSync("openssl", args, { cwd: folder, stdio: "ignore" });
    }

    function exported(name: string, secret: string, options: string[], withCertificate: boolean): Buffer {
      const content = withCertificate
        ? ["-in", `${name}.crt`, "-inkey", `${name}.pem`]
        : ["-nocerts", "-inkey", `${name}.pem`];
      run(["pkcs12", "-export", ...content, ...options, "-passout", `pass:${secret}`, "-out", "out.pfx"]);
      return readFileSync(join(folder, "out.pfx"));
    }

    const variants: [string, string[]][] = [
      ["AES-256 and a SHA-256 MAC, its default", []],
      ["3DES and a SHA-1 MAC", ["-keypbe", "PBE-SHA1-3DES", "-certpbe", "PBE-SHA1-3DES", "-macalg", "SHA1"]],
      ["RC2-40 and 3DES, its old default", ["-legacy"]],
      ["RC2-40 for the key, too", ["-legacy", "-keypbe", "PBE-SHA1-RC2-40"]],
      ["a SHA-512 MAC", ["-macalg", "SHA512"]],
      ["no MAC", ["-nomac"]],
      ["no encryption", ["-keypbe", "NONE", "-certpbe", "NONE"]],
    ];

    test.each(variants)("%s", (_, options) => {
      const keys: [string, Jwk][] = [
        ["rsa", rsa],
        ["ec", ec],
      ];
      for (const [name, jwk] of keys) {
        for (const withCertificate of [true, false]) {
          for (const secret of ["secret", "", passphrase]) {
            const pfx = exported(name, secret, options, withCertificate);
            expect(readKeyMaterial(pfx, { passphrase: secret }).importable).toEqual(jwk);
            if (secret === "") expect(readKeyMaterial(pfx).importable).toEqual(jwk);
            if (secret === "" || (options.includes("NONE") && options.includes("-nomac"))) continue;
            expect(refused(pfx, { passphrase: "wrong" })).toMatch(/the passphrase is wrong/);
            expect(refused(pfx)).toMatch(/protected by a passphrase: give it/);
          }
        }
      }
    });

    test("certificates alone are told", () => {
      run(["pkcs12", "-export", "-nokeys", "-in", "rsa.crt", "-passout", "pass:secret", "-out", "out.pfx"]);
      expect(refused(readFileSync(join(folder, "out.pfx")), { passphrase: "secret" })).toMatch(/holds no private key/);
    });
  },
);
