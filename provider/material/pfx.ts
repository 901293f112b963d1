import { createHmac, type KeyObject, pbkdf2Sync } from "node:crypto";
import type forge from "node-forge";
import { isExcessiveDer, isTruncatedDer, numberOf, outermost, withoutTrailingBytes } from "./der.js";
import type { DerivationBudget } from "./key-derivation.js";
import { openPrivateKey, type Unlocking, wrongPassphrase } from "./private-key.js";

type Asn1 = forge.asn1.Asn1;

const oids = {
  data: "1.2.840.113549.1.7.1",
  signedData: "1.2.840.113549.1.7.2",
  encryptedData: "1.2.840.113549.1.7.6",
  keyBag: "1.2.840.113549.1.12.10.1.1",
  shroudedKeyBag: "1.2.840.113549.1.12.10.1.2",
  safeContentsBag: "1.2.840.113549.1.12.10.1.6",
  pbkdf2: "1.2.840.113549.1.5.12",
  pbes2: "1.2.840.113549.1.5.13",
  pbmac1: "1.2.840.113549.1.5.14",
};

const macHashes: Partial<Record<string, "sha1" | "sha256" | "sha384" | "sha512">> = {
  "1.3.14.3.2.26": "sha1",
  "2.16.840.1.101.3.4.2.1": "sha256",
  "2.16.840.1.101.3.4.2.2": "sha384",
  "2.16.840.1.101.3.4.2.3": "sha512",
};

/** HMAC with a hash, as PBMAC1 and PBKDF2 name it. */
const hmacHashes: Partial<Record<string, "sha1" | "sha256" | "sha384" | "sha512">> = {
  "1.2.840.113549.2.7": "sha1",
  "1.2.840.113549.2.9": "sha256",
  "1.2.840.113549.2.10": "sha384",
  "1.2.840.113549.2.11": "sha512",
};

/** RFC 9579: at least 20; a hash's length is usual. */
const longestMacKey = 1024;

/** How much dearer an iteration is in JavaScript, in which PKCS#12's own derivations run. */
const weightOfScript = 4;

const mostKeys = 8;

/** A sentence about the file, as opposed to errors of the parsers, which are not told. */
class PfxProblem extends Error {}

/** The private keys of a PFX (PKCS#12), its certificates left aside. What is wrong goes to `problems`. */
export function readPfx(bytes: Uint8Array, unlocking: Unlocking, problems: string[]): KeyObject[] {
  if (isTruncatedDer(bytes)) {
    problems.push("the PFX is truncated: part of it is missing, export it again");
    return [];
  }
  try {
    const keys = new PfxReader(unlocking).read(bytes);
    if (keys.length === 0) problems.push("the PFX holds no private key: export it again together with its private key");
    return keys;
  } catch (error) {
    problems.push(error instanceof PfxProblem ? error.message : "the PFX is damaged: it cannot be decoded");
    return [];
  }
}

class PfxReader {
  // Loaded here, because most runs have no PFX and it costs a noticeable part of the provider's start.
  readonly #forge = require("node-forge") as typeof forge;
  readonly #budget: DerivationBudget;
  #passphrase: string | undefined;
  readonly #wrongPassphrase: string;
  #keyCount = 0;

  constructor({ passphrase, budget }: Unlocking) {
    this.#budget = budget;
    this.#passphrase = passphrase;
    this.#wrongPassphrase =
      passphrase === undefined
        ? "the PFX is protected by a passphrase: give it"
        : "the PFX cannot be decrypted: the passphrase is wrong";
  }

  read(bytes: Uint8Array): KeyObject[] {
    const [, authenticatedSafe, mac] = children(
      this.#parse(Buffer.from(withoutTrailingBytes(bytes)).toString("latin1")),
    );
    if (this.#oid(children(authenticatedSafe)[0]) === oids.signedData) {
      throw new PfxProblem("the PFX is protected by a certificate: export it again with a passphrase");
    }
    const content = this.#content(authenticatedSafe);
    this.#choosePassphrase(content, mac);
    const safes = children(this.#parse(content));
    const plain = safes.filter((safe) => this.#oid(children(safe)[0]) === oids.data);
    const keys = plain.flatMap((safe) => this.#readBags(this.#parse(this.#content(safe))));
    if (keys.length > 0) return keys;
    // Certificates are what is usually encrypted as a whole, and of no use here: only look where there is no key yet.
    const encrypted = safes.filter((safe) => this.#oid(children(safe)[0]) === oids.encryptedData);
    return encrypted.flatMap((safe) => this.#readBags(this.#decryptSafe(safe)));
  }

  /** Without a passphrase there are two ways to write "none", and tools do both. */
  #choosePassphrase(content: string, mac: Asn1 | undefined): void {
    if (mac === undefined) return;
    const candidates = this.#passphrase === undefined || this.#passphrase === "" ? ["", undefined] : [this.#passphrase];
    const found = candidates.findIndex((candidate) => this.#verifyMac(content, mac, candidate));
    if (found < 0) throw new PfxProblem(this.#wrongPassphrase);
    this.#passphrase = candidates[found];
  }

  #verifyMac(content: string, mac: Asn1, passphrase: string | undefined): boolean {
    const [digestInfo, salt, iterations] = children(mac);
    const [algorithm, digest] = children(digestInfo);
    if (this.#oid(children(algorithm)[0]) === oids.pbmac1) {
      return this.#verifyPbmac1(content, children(algorithm)[1], octets(digest), passphrase ?? "");
    }
    const hash = macHashes[this.#oid(children(algorithm)[0])];
    if (hash === undefined) {
      throw new PfxProblem(
        "the integrity check of the PFX has an unsupported algorithm: export it with -macalg SHA256",
      );
    }
    const { md, pkcs12, util } = this.#forge;
    const digests = { sha1: md.sha1, sha256: md.sha256, sha384: md.sha384, sha512: md.sha512 };
    const length = { sha1: 20, sha256: 32, sha384: 48, sha512: 64 }[hash];
    const key = pkcs12.generateKey(
      passphrase,
      util.createBuffer(octets(salt)),
      3,
      iterations === undefined ? 1 : this.#iterations(iterations),
      length,
      digests[hash].create(),
    );
    const expected = createHmac(hash, Buffer.from(key.getBytes(), "latin1")).update(content, "latin1").digest();
    return expected.equals(Buffer.from(octets(digest), "latin1"));
  }

  /** RFC 9579, as OpenSSL 3.4 writes it on request: PBKDF2 instead of PKCS#12's own derivation, and the passphrase in UTF-8. */
  #verifyPbmac1(content: string, parameters: Asn1 | undefined, digest: string, passphrase: string): boolean {
    const [derivation, scheme] = children(parameters);
    const [kind, details] = children(derivation);
    const [salt, count, ...rest] = children(details);
    const [length, prf] = rest;
    const hash = hmacHashes[this.#oid(children(scheme)[0])];
    // Without one it is SHA-1 (RFC 8018), and the length of the key has to be there (RFC 9579).
    const prfHash = prf === undefined ? "sha1" : hmacHashes[this.#oid(children(prf)[0])];
    if (this.#oid(kind) !== oids.pbkdf2 || hash === undefined || prfHash === undefined) {
      throw new PfxProblem(
        "the integrity check of the PFX (PBMAC1) has an unsupported algorithm: export it with SHA-256",
      );
    }
    const bytes = this.#number(length);
    if (bytes < 1 || bytes > longestMacKey) throw new PfxProblem("the integrity check of the PFX (PBMAC1) is damaged");
    const iterations = this.#iterations(count, 1);
    const key = pbkdf2Sync(passphrase, Buffer.from(octets(salt), "latin1"), iterations, bytes, prfHash);
    return createHmac(hash, key).update(content, "latin1").digest().equals(Buffer.from(digest, "latin1"));
  }

  #readBags(contents: Asn1): KeyObject[] {
    return children(contents).flatMap((bag) => {
      const [id, wrapper] = children(bag);
      const [value] = children(wrapper);
      switch (this.#oid(id)) {
        case oids.keyBag:
          return [this.#openKey(this.#encode(value), "pkcs8")];
        case oids.shroudedKeyBag:
          return [this.#decryptKey(value)];
        case oids.safeContentsBag:
          return value === undefined ? [] : this.#readBags(value);
        default:
          return [];
      }
    });
  }

  #decryptKey(value: Asn1 | undefined): KeyObject {
    const [algorithm, content] = children(value);
    const encrypted = this.#encryptedPair(algorithm, content);
    // PBES2 is OpenSSL's daily bread, and its key derivation is native there.
    return this.#oid(children(algorithm)[0]) === oids.pbes2
      ? this.#openKey(this.#encode(encrypted), "encrypted-pkcs8")
      : this.#openKey(this.#encode(this.#decrypt(encrypted)), "pkcs8");
  }

  #openKey(der: Buffer, form: "pkcs8" | "encrypted-pkcs8"): KeyObject {
    this.#keyCount += 1;
    if (this.#keyCount > mostKeys) throw new PfxProblem(`the PFX holds more than ${mostKeys} private keys: give one`);
    const problems: string[] = [];
    const key = openPrivateKey(der, form, { passphrase: this.#passphrase ?? "", budget: this.#budget }, problems);
    if (key !== undefined) return key;
    const [problem = ""] = problems;
    throw new PfxProblem(problem === wrongPassphrase ? this.#wrongPassphrase : `in the PFX, ${problem}`);
  }

  #decryptSafe(safe: Asn1): Asn1 {
    const [, wrapper] = children(safe);
    const [, encryptedContentInfo] = children(children(wrapper)[0]);
    const [, algorithm, content] = children(encryptedContentInfo);
    return this.#decrypt(this.#encryptedPair(algorithm, content));
  }

  /** An EncryptedPrivateKeyInfo, which is what the libraries decrypt; a safe's contents come as the same pair. */
  #encryptedPair(algorithm: Asn1 | undefined, content: Asn1 | undefined): Asn1 {
    if (algorithm === undefined) throw new Error("AlgorithmIdentifier");
    const { Class, create, Type } = this.#forge.asn1;
    const bytes = create(Class.UNIVERSAL, Type.OCTETSTRING, false, octets(content));
    return create(Class.UNIVERSAL, Type.SEQUENCE, true, [algorithm, bytes]);
  }

  #decrypt(encrypted: Asn1): Asn1 {
    const [algorithm] = children(encrypted);
    const [id, parameters] = children(algorithm);
    const isPbes2 = this.#oid(id) === oids.pbes2;
    const derivation = isPbes2 ? children(children(parameters)[0])[1] : parameters;
    this.#iterations(children(derivation)[1]);
    // PKCS#12's own schemes take the passphrase as UTF-16, PBES2 as UTF-8.
    const passphrase = this.#passphrase ?? "";
    const decrypted = attempt(() =>
      this.#forge.pki.decryptPrivateKeyInfo(encrypted, isPbes2 ? this.#forge.util.encodeUtf8(passphrase) : passphrase),
    );
    if (decrypted.failure === "unsupported") {
      throw new PfxProblem(
        "the PFX is encrypted with a cipher that is not supported: export it with -keypbe AES-256-CBC -certpbe AES-256-CBC",
      );
    }
    if (decrypted.value === undefined) throw new PfxProblem(this.#wrongPassphrase);
    return decrypted.value;
  }

  #number(element: Asn1 | undefined): number {
    const bytes = Buffer.from(octets(element), "latin1");
    const der = Buffer.concat([Buffer.of(2, Math.min(bytes.length, 127)), bytes]);
    return numberOf(der, outermost(der)) ?? 0;
  }

  #iterations(element: Asn1 | undefined, weight = weightOfScript): number {
    const count = this.#number(element);
    const problem = this.#budget.spend(count, weight);
    if (problem !== undefined) throw new PfxProblem(`in the PFX, ${problem}`);
    return count;
  }

  #content(info: Asn1 | undefined): string {
    const [id, wrapper] = children(info);
    if (this.#oid(id) !== oids.data) throw new Error("ContentInfo");
    return octets(children(wrapper)[0]);
  }

  #parse(der: string): Asn1 {
    // Not strict: exporters other than OpenSSL write BER.
    if (isExcessiveDer(Buffer.from(der, "latin1")))
      throw new PfxProblem("the PFX is no key container: it is nested too deep");
    // What is in a BIT STRING is no part of any container; the types know only one of the options.
    const options = { strict: false, decodeBitStrings: false } as unknown as boolean;
    return this.#forge.asn1.fromDer(this.#forge.util.createBuffer(der), options);
  }

  #encode(element: Asn1 | undefined): Buffer {
    if (element === undefined) throw new Error("SafeBag");
    return Buffer.from(this.#forge.asn1.toDer(element).getBytes(), "latin1");
  }

  #oid(element: Asn1 | undefined): string {
    return typeof element?.value === "string" ? this.#forge.asn1.derToOid(element.value) : "";
  }
}

function children(element: Asn1 | undefined): Asn1[] {
  return Array.isArray(element?.value) ? element.value : [];
}

/** The bytes of a primitive element, or of BER's string in pieces. */
function octets(element: Asn1 | undefined): string {
  if (element === undefined) throw new Error("missing element");
  return typeof element.value === "string" ? element.value : element.value.map(octets).join("");
}

function attempt<T>(run: () => T | null): { value?: T; failure?: "unsupported" | "failed" } {
  try {
    const value = run();
    return value === null ? { failure: "failed" } : { value };
  } catch (error) {
    const unsupported = error instanceof Error && "supportedOids" in error;
    return { failure: unsupported ? "unsupported" : "failed" };
  }
}
