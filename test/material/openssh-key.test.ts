import { execFileSync } from "node:child_process";
import { createCipheriv, createPublicKey } from "node:crypto";
import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { createRequire } from "node:module";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { readKeyMaterial } from "../../provider/material/key-material.js";
import { publicKeyOpenSsh } from "../../provider/material/public-key.js";
import { ownTimeSince } from "./own-time.js";
import { refusalOf } from "./refusal.js";
import { base64Lines, canaries, ecKey, jwkOf, rsaKey } from "./sample-keys.js";

const passphrase = "pässwörd-canary";
const secrets = [...canaries(jwkOf(rsaKey())), ...canaries(jwkOf(ecKey())), passphrase];
const refused = (content: string, options = {}) =>
  refusalOf(() => readKeyMaterial(content, options), secrets).join("\n");

const uint32 = (value: number): Buffer => {
  const bytes = Buffer.alloc(4);
  bytes.writeUInt32BE(value);
  return bytes;
};
const string = (value: string | Buffer): Buffer => {
  const bytes = Buffer.from(value as string);
  return Buffer.concat([uint32(bytes.length), bytes]);
};
const mpint = (base64url = ""): Buffer => {
  const bytes = Buffer.from(base64url, "base64url");
  return string((bytes[0] ?? 0) >= 0x80 ? Buffer.concat([Buffer.of(0), bytes]) : bytes);
};

function rsaFields(): Buffer {
  const { n, e, d, qi, p, q } = jwkOf(rsaKey());
  return Buffer.concat([string("ssh-rsa"), ...[n, e, d, qi, p, q].map(mpint)]);
}

function ecFields(curve: "P-256" | "P-384" | "P-521"): Buffer {
  const { x = "", y = "", d } = jwkOf(ecKey(curve));
  const name = `nistp${curve.slice(2)}`;
  const point = Buffer.concat([Buffer.of(4), Buffer.from(x, "base64url"), Buffer.from(y, "base64url")]);
  return Buffer.concat([string(`ecdsa-sha2-${name}`), string(name), string(point), mpint(d)]);
}

interface Form {
  cipher?: string;
  rounds?: number;
  keys?: number;
}

/** As ssh-keygen writes it, for machines without one. */
function openSsh(fields: Buffer, { cipher = "none", rounds = 1, keys = 1 }: Form = {}): string {
  const content = Buffer.concat([uint32(7), uint32(7), fields, string("a comment")]);
  const padding = Buffer.from(Array.from({ length: (16 - (content.length % 16)) % 16 }, (_, i) => i + 1));
  const salt = Buffer.alloc(16, 1);
  const plain = Buffer.concat([content, padding]);
  const isPlain = cipher === "none";
  const bytes = Buffer.concat([
    Buffer.from("openssh-key-v1\0"),
    string(cipher),
    string(isPlain ? "none" : "bcrypt"),
    string(isPlain ? "" : Buffer.concat([string(salt), uint32(rounds)])),
    uint32(keys),
    string("its public half"),
    string(isPlain ? plain : encrypt(plain, salt)),
  ]);
  return `-----BEGIN OPENSSH PRIVATE KEY-----\n${base64Lines(bytes)}\n-----END OPENSSH PRIVATE KEY-----\n`;
}

function encrypt(plain: Buffer, salt: Buffer): Buffer {
  const { pbkdf } = createRequire(join(process.cwd(), "package.json"))("bcrypt-pbkdf");
  const [key, bytes] = [Buffer.alloc(48), Buffer.from(passphrase)];
  pbkdf(bytes, bytes.length, salt, salt.length, key, key.length, 1);
  return createCipheriv("aes-256-ctr", key.subarray(0, 32), key.subarray(32)).update(plain);
}

describe("an OpenSSH private key", () => {
  test("of RSA and of each curve is read", () => {
    expect(readKeyMaterial(openSsh(rsaFields())).importable).toEqual(jwkOf(rsaKey()));
    for (const curve of ["P-256", "P-384", "P-521"] as const) {
      expect(readKeyMaterial(openSsh(ecFields(curve))).importable).toMatchObject({
        crv: curve,
        d: jwkOf(ecKey(curve)).d,
      });
    }
  });

  test("that is encrypted needs its passphrase, and no other", () => {
    const key = openSsh(ecFields("P-256"), { cipher: "aes256-ctr" });
    expect(readKeyMaterial(key, { passphrase }).importable).toMatchObject({ d: jwkOf(ecKey()).d });
    expect(refused(key)).toBe("the private key is encrypted: give its passphrase");
    expect(refused(key, { passphrase: "wrong" })).toBe("the private key cannot be decrypted: the passphrase is wrong");
    expect(refused(key, { passphrase: "" })).toBe("the private key cannot be decrypted: the passphrase is wrong");
  });

  test("is read from a variable with escaped line breaks", () => {
    expect(readKeyMaterial(openSsh(rsaFields()).replaceAll("\n", "\\n")).keySize).toBe(2048);
  });

  test("of a type that Key Vault has not is told by its type", () => {
    expect(refused(openSsh(string("ssh-ed25519")))).toMatch(/private key of type ed25519: Key Vault takes RSA/);
    expect(refused(openSsh(string("ssh-dss")))).toMatch(/private key of type dsa/);
    expect(refused(openSsh(string("canary-type")))).toMatch(/private key of type unknown/);
    expect(refused(openSsh(string("sk-ecdsa-sha2-nistp256@openssh.com")))).toMatch(/security token/);
  });

  test("that costs too much, is several, truncated or damaged is refused", () => {
    const start = process.threadCpuUsage();
    expect(refused(openSsh(ecFields("P-256"), { cipher: "aes256-ctr", rounds: 2 ** 31 }), { passphrase })).toMatch(
      /asks for 2147483648 rounds .* at most 100 are done/,
    );
    expect(ownTimeSince(start)).toBeLessThan(1000);
    const encrypted = (form: Form) => refused(openSsh(ecFields("P-256"), form), { passphrase });
    expect(encrypted({ cipher: "aes256-ctr", rounds: 0 })).toMatch(/iteration count below 1/);
    expect(encrypted({ cipher: "blowfish-cbc" })).toMatch(/ssh-keygen -p -Z aes256-ctr/);
    expect(encrypted({ keys: 2 })).toMatch(/several private keys/);
    const body = openSsh(rsaFields()).split("\n").slice(1, -2).join("");
    const block = (base64: string) =>
      `-----BEGIN OPENSSH PRIVATE KEY-----\n${base64}\n-----END OPENSSH PRIVATE KEY-----`;
    expect(refused(block(body.slice(0, 400)))).toMatch(/truncated/);
    expect(refused(block("AAAA"))).toMatch(/truncated|damaged/);
    expect(refused(block(`AAAA${body.slice(4)}`))).toMatch(/damaged/);
    expect(refused(block("A".repeat(40_000)))).toMatch(/more than any that Key Vault takes/);
    const wrongPrime = Buffer.from(rsaFields());
    wrongPrime[wrongPrime.length - 1] = (wrongPrime.at(-1) ?? 0) ^ 2;
    expect(refused(openSsh(wrongPrime))).toMatch(/do not match/);
  });
});

const hasSshKeygen = runs("ssh-keygen", ["-?"]);

describe.skipIf(!hasSshKeygen)(`keys of ssh-keygen${hasSshKeygen ? "" : " (skipped: no ssh-keygen)"}`, () => {
  let folder = "";
  beforeAll(() => {
    folder = mkdtempSync(join(tmpdir(), "openssh-key-"));
  });
  afterAll(() => rmSync(folder, { recursive: true, force: true }));

  test.each([
    ["rsa", "2048", []],
    ["rsa", "3072", ["-N", passphrase, "-a", "1"]],
    ["ecdsa", "256", []],
    ["ecdsa", "384", ["-N", passphrase, "-a", "1", "-Z", "aes128-cbc"]],
    ["ecdsa", "521", ["-N", passphrase, "-a", "1", "-Z", "aes256-gcm@openssh.com"]],
    ["ecdsa", "521", ["-N", passphrase, "-a", "2", "-Z", "3des-cbc"]],
    ["ecdsa", "384", ["-N", passphrase, "-a", "1", "-Z", "chacha20-poly1305@openssh.com"]],
    ["ecdsa", "256", ["-N", passphrase]],
  ])(
    "%s of %s bits with %j",
    (type, bits, options) => {
      const file = join(folder, `${type}-${bits}-${options.length}-${options.at(-1) ?? ""}`.replaceAll("@", ""));
      const protection = options.length === 0 ? ["-N", ""] : options;
      execFileSync("ssh-keygen", ["-q", "-t", type, "-b", bits, "-C", "", "-f", file, ...protection]);
      const material = readKeyMaterial(readFileSync(file), options.length === 0 ? {} : { passphrase });
      const { d: _, ...shown } = material.importable as Record<string, string>;
      expect(publicKeyOpenSsh({ ...shown, kty: material.keyType })).toBe(readFileSync(`${file}.pub`, "utf8").trim());
      expect(createPublicKey({ key: shown, format: "jwk" }).type).toBe("public");
      if (options.length > 0) expect(refused(readFileSync(file, "utf8"), { passphrase: "wrong" })).toMatch(/is wrong/);
    },
    20_000,
  );

  test("ed25519 is refused by its name", () => {
    const file = join(folder, "ed25519");
    execFileSync("ssh-keygen", ["-q", "-t", "ed25519", "-N", "", "-f", file]);
    expect(refused(readFileSync(file, "utf8"))).toMatch(/of type ed25519/);
  });
});

function runs(command: string, options: string[]): boolean {
  try {
    execFileSync(command, options, { stdio: "ignore" });
    return true;
  } catch (error) {
    return error instanceof Error && "status" in error && error.status !== null;
  }
}
