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

/** MSAL takes an unencrypted private key beside the certificate. */
function openPem(text: string, passphrase: string, place: string): string {
  if (!text.includes("-----BEGIN CERTIFICATE-----")) throw refused(place, "there is no certificate in it");
  const isEncrypted = /-----BEGIN ENCRYPTED PRIVATE KEY-----|^Proc-Type: 4,ENCRYPTED/m.test(text);
  if (!isEncrypted) {
    if (/-----BEGIN (?:RSA |EC )?PRIVATE KEY-----/.test(text)) return text;
    throw refused(place, "there is a certificate in it, and no private key");
  }
  const block = /-----BEGIN (?:ENCRYPTED|RSA|EC) ?PRIVATE KEY-----[\s\S]+?-----END [A-Z ]+-----/.exec(text)?.[0] ?? "";
  try {
    const key = forge.pki.decryptRsaPrivateKey(block, passphrase);
    if (key !== null) return `${text.replace(block, "")}\n${forge.pki.privateKeyToPem(key)}`;
  } catch {
    // Told below: what the library says may repeat bytes of the key.
  }
  throw refused(place, "its private key cannot be opened with the passphrase");
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
  const keys = [...bags(pkcs8ShroudedKeyBag), ...bags(keyBag)].flatMap(({ key }) => key ?? []);
  const certificates = bags(certBag).flatMap(({ cert }) => cert ?? []);
  const [key] = keys;
  if (key === undefined || certificates.length === 0)
    throw refused(place, "it lacks the private key or the certificate");
  return [forge.pki.privateKeyToPem(key), ...certificates.map((cert) => forge.pki.certificateToPem(cert))].join("\n");
}

function refused(place: string, why: string): KeyVaultError {
  return new KeyVaultError("KV_UNAUTHENTICATED", `No client certificate could be taken from ${place}: ${why}`, {
    hint: "give a PFX with its passphrase, or a PEM file with certificate and RSA private key (ARM_CLIENT_CERTIFICATE_PATH, ARM_CLIENT_CERTIFICATE_PASSWORD, or the entry in keyvault:credentials).",
  });
}
