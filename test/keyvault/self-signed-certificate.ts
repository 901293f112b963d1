import { generateKeyPairSync } from "node:crypto";
import { md, pki } from "node-forge";

/** A certificate that is its own CA, for a TLS server on loopback. */
export function selfSignedCertificate(host: string): { certificate: string; privateKey: string } {
  const pair = generateKeyPairSync("rsa", {
    modulusLength: 2048,
    publicKeyEncoding: { type: "spki", format: "pem" },
    privateKeyEncoding: { type: "pkcs8", format: "pem" },
  });
  const certificate = pki.createCertificate();
  certificate.publicKey = pki.publicKeyFromPem(pair.publicKey);
  certificate.serialNumber = "01";
  certificate.validity.notBefore = new Date(Date.now() - 60_000);
  certificate.validity.notAfter = new Date(Date.now() + 3_600_000);
  certificate.setSubject([{ name: "commonName", value: host }]);
  certificate.setIssuer([{ name: "commonName", value: host }]);
  certificate.setExtensions([
    { name: "basicConstraints", cA: true },
    { name: "subjectAltName", altNames: [{ type: 2, value: host }] },
  ]);
  certificate.sign(pki.privateKeyFromPem(pair.privateKey), md.sha256.create());
  return { certificate: pki.certificateToPem(certificate), privateKey: pair.privateKey };
}
