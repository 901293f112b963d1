import { createDecipheriv, createPrivateKey, type KeyObject } from "node:crypto";
import { curveOfOpenSsh } from "./curves.js";
import { completeEcKey } from "./ec-key.js";
import { stripLeadingZeros, toBigInt } from "./jwk-number.js";
import { needsPassphrase, type Unlocking, wrongPassphrase, wrongType } from "./private-key.js";
import { completeRsaKey } from "./rsa-key.js";

/** Four times what ssh-keygen uses by itself; each takes some 20 ms or more, in JavaScript. */
const mostRounds = 100;
/** What a round costs in iterations of PBKDF2. */
const weightOfRound = 30_000;
const mostBytes = 16 * 1024;

interface Cipher {
  name: string;
  keyLength: number;
  ivLength: number;
  tagLength: number;
}

const chaCha = "chacha20-poly1305@openssh.com";
/** The first block of its stream makes the key of the tag, and the text begins with the second. No nonce: there is one message. */
const chaChaStart = Buffer.from([1, ...Array<number>(15).fill(0)]);

const ciphers: Partial<Record<string, Cipher>> = {
  "aes128-ctr": { name: "aes-128-ctr", keyLength: 16, ivLength: 16, tagLength: 0 },
  "aes192-ctr": { name: "aes-192-ctr", keyLength: 24, ivLength: 16, tagLength: 0 },
  "aes256-ctr": { name: "aes-256-ctr", keyLength: 32, ivLength: 16, tagLength: 0 },
  "aes128-cbc": { name: "aes-128-cbc", keyLength: 16, ivLength: 16, tagLength: 0 },
  "aes192-cbc": { name: "aes-192-cbc", keyLength: 24, ivLength: 16, tagLength: 0 },
  "aes256-cbc": { name: "aes-256-cbc", keyLength: 32, ivLength: 16, tagLength: 0 },
  "3des-cbc": { name: "des-ede3-cbc", keyLength: 24, ivLength: 8, tagLength: 0 },
  "aes128-gcm@openssh.com": { name: "aes-128-gcm", keyLength: 16, ivLength: 12, tagLength: 16 },
  // Two keys of 32 bytes: the second is for the lengths of packets, of which a file has none.
  [chaCha]: { name: "chacha20", keyLength: 64, ivLength: 0, tagLength: 16 },
  "aes256-gcm@openssh.com": { name: "aes-256-gcm", keyLength: 32, ivLength: 12, tagLength: 16 },
};

/** A sentence about the key, as opposed to what a damaged one makes fail. */
class OpenSshProblem extends Error {}

/**
 * The key of an `OPENSSH PRIVATE KEY` block (OpenSSH's PROTOCOL.key). What is wrong goes to `problems`.
 *
 * The container is a few fields and read here; the key derivation, bcrypt_pbkdf, is OpenBSD's own as the npm package
 * `bcrypt-pbkdf` has it.
 */
export function openOpenSshKey(bytes: Buffer, unlocking: Unlocking, problems: string[]): KeyObject | undefined {
  if (bytes.length > mostBytes) {
    problems.push(`the private key has ${bytes.length} bytes, more than any that Key Vault takes (RSA of 4096 bits)`);
    return undefined;
  }
  try {
    const plain = unlock(new Fields(bytes), unlocking);
    return readKey(plain, problems);
  } catch (error) {
    problems.push(error instanceof OpenSshProblem ? error.message : damaged);
    return undefined;
  }
}

const damaged = "the OpenSSH private key is damaged: it cannot be decoded";
const magic = "openssh-key-v1\0";

function unlock(fields: Fields, { passphrase, budget }: Unlocking): Fields {
  if (fields.take(magic.length).toString("latin1") !== magic) throw new OpenSshProblem(damaged);
  const cipherName = fields.text();
  const derivation = fields.text();
  const options = new Fields(fields.string());
  if (fields.number() !== 1) throw new OpenSshProblem("the OpenSSH file holds several private keys: give one");
  fields.string();
  const content = fields.string();
  if (cipherName === "none" && derivation === "none") return checked(content, damaged);
  const cipher = ciphers[cipherName];
  if (cipher === undefined || derivation !== "bcrypt") {
    throw new OpenSshProblem(
      "the OpenSSH private key is encrypted with a cipher that is not supported: encrypt a copy of it with ssh-keygen -p -Z aes256-ctr -f FILE",
    );
  }
  if (passphrase === undefined) throw new OpenSshProblem(needsPassphrase);
  if (passphrase === "") throw new OpenSshProblem(wrongPassphrase);
  const salt = options.string();
  const rounds = options.number();
  if (rounds > mostRounds) {
    throw new OpenSshProblem(
      `the OpenSSH private key asks for ${rounds} rounds of its key derivation: at most ${mostRounds} are done, encrypt a copy of it with ssh-keygen -p -a 24 -f FILE`,
    );
  }
  const problem = budget.spend(rounds, weightOfRound);
  if (problem !== undefined) throw new OpenSshProblem(problem);
  const key = derive(passphrase, salt, rounds, cipher.keyLength + cipher.ivLength);
  return checked(decrypt(cipher, key, content, fields.take(cipher.tagLength)), wrongPassphrase);
}

function derive(passphrase: string, salt: Buffer, rounds: number, length: number): Buffer {
  // Loaded here, because most runs have no such key.
  const { pbkdf } = require("bcrypt-pbkdf") as {
    pbkdf(
      ...given: [
        passphrase: Uint8Array,
        passphraseLength: number,
        salt: Uint8Array,
        saltLength: number,
        key: Uint8Array,
        keyLength: number,
        rounds: number,
      ]
    ): number;
  };
  const bytes = Buffer.from(passphrase, "utf8");
  const key = Buffer.alloc(length);
  if (pbkdf(bytes, bytes.length, salt, salt.length, key, length, rounds) !== 0) throw new OpenSshProblem(damaged);
  return key;
}

function decrypt(cipher: Cipher, key: Buffer, content: Buffer, tag: Buffer): Buffer {
  try {
    // As with the ciphers that have no tag, a damaged text shows by the two numbers and by the key itself.
    if (cipher.name === "chacha20")
      return createDecipheriv(cipher.name, key.subarray(0, 32), chaChaStart).update(content);
    const iv = key.subarray(cipher.keyLength);
    const decipher = createDecipheriv(cipher.name, key.subarray(0, cipher.keyLength), iv).setAutoPadding(false);
    if (tag.length > 0 && "setAuthTag" in decipher && typeof decipher.setAuthTag === "function")
      decipher.setAuthTag(tag);
    return Buffer.concat([decipher.update(content), decipher.final()]);
  } catch {
    throw new OpenSshProblem(wrongPassphrase);
  }
}

/** Two equal numbers come first, by which a wrong passphrase shows. */
function checked(content: Buffer, otherwise: string): Fields {
  const fields = new Fields(content);
  if (content.length < 8 || !fields.take(4).equals(fields.take(4))) throw new OpenSshProblem(otherwise);
  return fields;
}

function readKey(fields: Fields, problems: string[]): KeyObject | undefined {
  const type = fields.text();
  if (type === "ssh-rsa") {
    const [n, e, d, qi, p, q] = Array.from({ length: 6 }, () => toBigInt(fields.string())) as [
      bigint,
      bigint,
      bigint,
      bigint,
      bigint,
      bigint,
    ];
    const key = completeRsaKey({ n, e, d, p, q, qi }, problems);
    return key && createPrivateKey({ key, format: "jwk" });
  }
  const curve = curveOfOpenSsh(type);
  if (curve !== undefined) {
    fields.string();
    const point = fields.string();
    const d = stripLeadingZeros(fields.string());
    if (point[0] !== 4 || point.length !== 1 + 2 * curve.width) throw new OpenSshProblem(damaged);
    const [x, y] = [point.subarray(1, 1 + curve.width), point.subarray(1 + curve.width)];
    const key = completeEcKey(curve, { d, x, y }, problems);
    return key && createPrivateKey({ key, format: "jwk" });
  }
  if (type.startsWith("sk-")) {
    throw new OpenSshProblem("this is a key of a security token, which never leaves it: give another private key");
  }
  throw new OpenSshProblem(wrongType(type === "ssh-ed25519" ? "ed25519" : type === "ssh-dss" ? "dsa" : "unknown"));
}

/** SSH's strings and numbers (RFC 4251), one after another. */
class Fields {
  #at = 0;

  constructor(readonly bytes: Buffer) {}

  take(length: number): Buffer {
    if (this.#at + length > this.bytes.length) throw new OpenSshProblem(truncated);
    this.#at += length;
    return this.bytes.subarray(this.#at - length, this.#at);
  }

  number(): number {
    return this.take(4).readUInt32BE();
  }

  string(): Buffer {
    return this.take(this.number());
  }

  text(): string {
    return this.string().toString("latin1");
  }
}

const truncated = "the OpenSSH private key is truncated: part of it is missing, export it again";
