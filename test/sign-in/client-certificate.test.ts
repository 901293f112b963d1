import { createPrivateKey, generateKeyPairSync, X509Certificate } from "node:crypto";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import forge from "node-forge";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { readCertificate } from "../../provider/sign-in/client-certificate.js";
import { selfSignedCertificate } from "../keyvault/self-signed-certificate.js";

describe("an application's certificate", () => {
  const own = selfSignedCertificate("app");
  const authority = selfSignedCertificate("authority");
  let folder: string;
  beforeAll(() => {
    folder = mkdtempSync(join(tmpdir(), "certificate-"));
  });
  afterAll(() => rmSync(folder, { recursive: true, force: true }));

  const read = (content: string | Buffer, passphrase?: string) => {
    const file = join(folder, "app");
    writeFileSync(file, content);
    const source = passphrase === undefined ? undefined : { env: "PASS" };
    return readCertificate({ file }, source, passphrase === undefined ? {} : { PASS: passphrase });
  };
  const firstOf = (pem: string) =>
    new X509Certificate(/-----BEGIN CERTIFICATE-----[\s\S]+?-----END CERTIFICATE-----/.exec(pem)?.[0] ?? "");
  const pfxOf = (certificates: string[]) => {
    const key = forge.pki.privateKeyFromPem(own.privateKey);
    const chain = certificates.map((each) => forge.pki.certificateFromPem(each));
    const pfx = forge.pkcs12.toPkcs12Asn1(key, chain, "open", { algorithm: "aes256", generateLocalKeyId: false });
    return Buffer.from(forge.asn1.toDer(pfx).getBytes(), "latin1");
  };
  const refused = (why: RegExp) =>
    expect.objectContaining({ code: "KV_UNAUTHENTICATED", message: expect.stringMatching(why) });

  it.each([
    ["PEM file", () => read(own.privateKey + authority.certificate + own.certificate)],
    ["PFX file", () => read(pfxOf([authority.certificate, own.certificate]), "open")],
  ])("of a %s is the one of its private key, wherever it stands among the others", (_kind, taken) => {
    const pem = taken();
    expect(firstOf(pem).checkPrivateKey(createPrivateKey(pem))).toBe(true);
    expect(pem.match(/BEGIN CERTIFICATE/g)).toHaveLength(2);
  });

  it.each([
    ["PBES2", { cipher: "aes-256-cbc", type: "pkcs8" }],
    ["the traditional form", { cipher: "aes-256-cbc", type: "pkcs1" }],
  ] as const)("is taken with a private key that is encrypted by %s", (_kind, { cipher, type }) => {
    const key = createPrivateKey(own.privateKey);
    const encrypted = key.export({ format: "pem", type, cipher, passphrase: "open" });
    expect(firstOf(read(own.certificate + encrypted, "open")).checkPrivateKey(key)).toBe(true);
    expect(() => read(own.certificate + encrypted, "wrong")).toThrow(refused(/cannot be opened with the passphrase/));
    expect(() => read(own.certificate + encrypted)).toThrow(refused(/cannot be opened with the passphrase/));
  });

  it("of another key is refused: Entra ID would say of it that nobody knows it", () => {
    expect(() => read(own.privateKey + authority.certificate)).toThrow(refused(/none of its certificates is that of/));
    expect(() => read(pfxOf([authority.certificate]), "open")).toThrow(refused(/none of its certificates is that of/));
  });

  it("with an elliptic key is refused for what it is", () => {
    const { privateKey } = generateKeyPairSync("ec", { namedCurve: "P-256" });
    const pem = privateKey.export({ format: "pem", type: "pkcs8" });
    expect(() => read(own.certificate + pem)).toThrow(refused(/no RSA key/));
  });
});
