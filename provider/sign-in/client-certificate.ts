import { createPrivateKey, type KeyObject, X509Certificate } from "node:crypto";
import forge from "node-forge";
import { KeyVaultError } from "../keyvault/errors.js";
import { readRegularFile } from "../material/regular-file.js";
import { shownPath } from "../material/shown-place.js";
import type { CertificateSource } from "./sign-in.js";
import { readText, type TextSource } from "./text-source.js";

const LONGEST_CERTIFICATE = 1024 * 1024;

/**
 * An application's certificate with its private key as PEM, as `@azure/identity` takes it. Pipelines of Azure have it
 * as a PFX (PKCS#12), which is opened here.
 *
 * @throws KeyVaultError `KV_UNAUTHENTICATED`
 */
export function readCertificate(
  source: CertificateSource,
  passphrase: TextSource | undefined,
  env: NodeJS.ProcessEnv,
): string {
  const place = "file" in source ? shownPath(source.file) : "the client certificate";
  const bytes = certificateBytes(source, env);
  const secret = passphrase === undefined ? "" : readText(passphrase, "the certificate's passphrase", env);
  const text = bytes.toString("latin1");
  return text.includes("-----BEGIN ") ? openPem(text, secret, place) : openPfx(text, secret, place);
}

function certificateBytes(source: CertificateSource, env: NodeJS.ProcessEnv): Buffer {
  if ("base64" in source) return Buffer.from(readText(source.base64, "the client certificate", env), "base64");
  const found = readRegularFile(source.file, LONGEST_CERTIFICATE);
  if (found.status === "read") return found.bytes;
  throw refused(shownPath(source.file), found.status === "missing" ? "the file is not there" : found.reason);
}

function openPem(text: string, passphrase: string, place: string): string {
  const certificates = text.match(/-----BEGIN CERTIFICATE-----[\s\S]+?-----END CERTIFICATE-----/g) ?? [];
  if (certificates.length === 0) throw refused(place, "there is no certificate in it");
  const blocks = text.match(/-----BEGIN (?:ENCRYPTED |RSA |EC )?PRIVATE KEY-----[\s\S]+?-----END [A-Z ]+-----/g) ?? [];
  if (blocks.length === 0) throw refused(place, "there is a certificate in it, and no private key");
  return withOwnFirst(
    blocks.map((block) => openKey(block, passphrase, place)),
    certificates,
    place,
  );
}

/** What the library says may repeat bytes of the key. */
function openKey(key: string, passphrase: string, place: string): KeyObject {
  try {
    return createPrivateKey({ key, format: "pem", passphrase });
  } catch {
    throw refused(place, "its private key cannot be opened with the passphrase");
  }
}

function openPfx(der: string, passphrase: string, place: string): string {
  let container: forge.pkcs12.Pkcs12Pfx;
  try {
    container = forge.pkcs12.pkcs12FromAsn1(forge.asn1.fromDer(der), passphrase);
  } catch {
    throw refused(place, "it is neither PEM nor a PFX that opens with the passphrase");
  }
  const bags = (type: string) => container.getBags({ bagType: type })[type] ?? [];
  const { certBag = "", keyBag = "", pkcs8ShroudedKeyBag = "" } = forge.pki.oids;
  const keyBags = [...bags(pkcs8ShroudedKeyBag), ...bags(keyBag)];
  const keys = keyBags.flatMap(({ key }) => (key ? createPrivateKey(forge.pki.privateKeyToPem(key)) : []));
  // The library makes no keys and no certificates of other kinds than RSA, and leaves them as they are encoded.
  if (keyBags.length > 0 && keys.length === 0) throw notRsa(place);
  const certificates = bags(certBag).flatMap(({ cert }) => (cert ? forge.pki.certificateToPem(cert) : []));
  if (keys.length === 0 || certificates.length === 0)
    throw refused(place, "it lacks the private key or the certificate");
  return withOwnFirst(keys, certificates, place);
}

/**
 * The key, unencrypted as MSAL takes it, and its own certificate before the others: Entra ID is told the thumbprint of the
 * first, and files have the chain in any order.
 */
function withOwnFirst(keys: readonly KeyObject[], certificates: readonly string[], place: string): string {
  if (keys.every(({ asymmetricKeyType }) => asymmetricKeyType !== "rsa")) throw notRsa(place);
  for (const key of keys) {
    const own = certificates.find((certificate) => isOf(certificate, key));
    if (own === undefined) continue;
    const others = certificates.filter((certificate) => certificate !== own);
    return [key.export({ format: "pem", type: "pkcs8" }).toString(), own, ...others].join("\n");
  }
  throw refused(place, "none of its certificates is that of its private key");
}

function isOf(certificate: string, key: KeyObject): boolean {
  try {
    return new X509Certificate(certificate).checkPrivateKey(key);
  } catch {
    return false;
  }
}

function notRsa(place: string): KeyVaultError {
  return refused(place, "its private key is no RSA key, and no other signs in here");
}

function refused(place: string, why: string): KeyVaultError {
  return new KeyVaultError("KV_UNAUTHENTICATED", `No client certificate could be taken from ${place}: ${why}`, {
    hint: "give a PFX with its passphrase, or a PEM file with certificate and RSA private key (ARM_CLIENT_CERTIFICATE_PATH, ARM_CLIENT_CERTIFICATE_PASSWORD, or the entry in keyvault:credentials).",
  });
}
