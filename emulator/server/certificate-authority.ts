import { generateKeyPairSync, randomBytes } from "node:crypto";
import type { pki } from "node-forge";

/** What an HTTPS emulator needs, in PEM. */
export interface ServerIdentity {
  readonly key: string;
  readonly cert: string;
  /** To be trusted by clients (`NODE_EXTRA_CA_CERTS`, `REQUESTS_CA_BUNDLE`, …). */
  readonly caCertificate: string;
}

const days = 30;

/**
 * A certificate authority of its own, made anew for each emulator, and a server certificate for these names. The
 * authority's private key is forgotten as soon as it has signed, so that trusting it trusts nothing else.
 */
export async function createServerIdentity(hostNames: readonly string[]): Promise<ServerIdentity> {
  const { default: forge } = await import("node-forge");
  const authority = keyPair(forge.pki);
  const server = keyPair(forge.pki);
  const issuer = [
    { name: "commonName", value: `Key Vault emulator ${randomBytes(4).toString("hex")}` },
    { name: "organizationName", value: "pulumi-keyvault (development only)" },
  ];
  const ca = certificate(forge.pki, authority.publicKey, issuer, issuer, [
    { name: "basicConstraints", cA: true, pathLenConstraint: 0, critical: true },
    { name: "keyUsage", keyCertSign: true, cRLSign: true, critical: true },
    { name: "subjectKeyIdentifier" },
  ]);
  ca.sign(authority.privateKey, forge.md.sha256.create());
  const leaf = certificate(forge.pki, server.publicKey, [{ name: "commonName", value: "localhost" }], issuer, [
    { name: "basicConstraints", cA: false, critical: true },
    { name: "keyUsage", digitalSignature: true, keyEncipherment: true, critical: true },
    { name: "extKeyUsage", serverAuth: true },
    { name: "subjectAltName", altNames: hostNames.map(alternativeName) },
    { name: "authorityKeyIdentifier", keyIdentifier: ca.generateSubjectKeyIdentifier().getBytes() },
  ]);
  leaf.sign(authority.privateKey, forge.md.sha256.create());
  return {
    key: server.pem,
    cert: forge.pki.certificateToPem(leaf),
    caCertificate: forge.pki.certificateToPem(ca),
  };
}

function keyPair(forgePki: typeof pki) {
  const { privateKey } = generateKeyPairSync("rsa", { modulusLength: 2048 });
  const pem = privateKey.export({ format: "pem", type: "pkcs1" }).toString();
  const key = forgePki.privateKeyFromPem(pem);
  return { pem, privateKey: key, publicKey: forgePki.setRsaPublicKey(key.n, key.e) };
}

function certificate(
  forgePki: typeof pki,
  publicKey: pki.rsa.PublicKey,
  subject: pki.CertificateField[],
  issuer: pki.CertificateField[],
  extensions: object[],
): pki.Certificate {
  const made = forgePki.createCertificate();
  made.publicKey = publicKey;
  // A serial number is positive, and without leading zeros: one in 512 random ones would have them, and be refused.
  made.serialNumber = `01${randomBytes(15).toString("hex")}`;
  made.validity.notBefore = new Date(Date.now() - 3_600_000);
  made.validity.notAfter = new Date(Date.now() + days * 86_400_000);
  made.setSubject(subject);
  made.setIssuer(issuer);
  made.setExtensions(extensions);
  return made;
}

function alternativeName(name: string) {
  return /^[\d.]+$|:/.test(name) ? { type: 7, ip: name } : { type: 2, value: name };
}
