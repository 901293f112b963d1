import { createPrivateKey, type KeyObject } from "node:crypto";
import { detectDer } from "./der.js";
import { openOpenSshKey } from "./openssh-key.js";
import {
  decryptionProblem,
  forgetEarlierErrors,
  needsPassphrase,
  openPrivateKey,
  type PrivateKeyForm,
  type Unlocking,
} from "./private-key.js";

interface Block {
  label: string;
  body: string;
}

/** The private keys of a PEM text, which may hold certificates and comments too. What is wrong goes to `problems`. */
export function readPem(text: string, unlocking: Unlocking, problems: string[]): KeyObject[] {
  const blocks = splitBlocks(text, problems);
  const keys: KeyObject[] = [];
  const privateBlocks = blocks.filter(({ label }) => /PRIVATE KEY/.test(label));
  if (privateBlocks.length > mostKeys) {
    problems.push(`the PEM text holds ${privateBlocks.length} private keys: give one`);
    return keys;
  }
  for (const block of privateBlocks) {
    const key = readBlock(block, unlocking, problems);
    if (key !== undefined) keys.push(key);
  }
  if (keys.length === 0 && problems.length === 0) problems.push(nothingPrivate(blocks));
  return keys;
}

/** The same key may be there in several forms; each costs a decryption. */
const mostKeys = 8;

const begin = "-----BEGIN ";
const dashes = "-----";

function splitBlocks(text: string, problems: string[]): Block[] {
  const blocks: Block[] = [];
  for (let from = text.indexOf(begin); from >= 0; from = text.indexOf(begin, from)) {
    const labelEnd = text.indexOf(dashes, from + begin.length);
    const label = text.slice(from + begin.length, labelEnd);
    if (labelEnd < 0 || !/^[A-Z0-9 ]{1,40}$/.test(label)) {
      problems.push("the PEM text is damaged: a BEGIN line is not complete");
      return blocks;
    }
    const bodyStart = labelEnd + dashes.length;
    const end = `-----END ${label}-----`;
    const bodyEnd = text.indexOf(end, bodyStart);
    if (bodyEnd < 0) {
      problems.push(`the PEM text is truncated: the block "${label}" has no END line`);
      return blocks;
    }
    // Variables of CI systems often hold the two characters "\n" for a line break, or escape them once more; base64 never does.
    blocks.push({ label, body: text.slice(bodyStart, bodyEnd).replace(/\\+[rn]/g, "\n") });
    from = bodyEnd + end.length;
  }
  return blocks;
}

const openSsh = "OPENSSH PRIVATE KEY";

const forms: Partial<Record<string, PrivateKeyForm>> = {
  "PRIVATE KEY": "pkcs8",
  "ENCRYPTED PRIVATE KEY": "encrypted-pkcs8",
  "RSA PRIVATE KEY": "pkcs1",
  "EC PRIVATE KEY": "sec1",
};

function readBlock(block: Block, unlocking: Unlocking, problems: string[]): KeyObject | undefined {
  const form = forms[block.label];
  if (form === undefined && block.label !== openSsh) {
    problems.push(foreignKey(block.label));
    return undefined;
  }
  const encryption = /Proc-Type:\s*4\s*,\s*ENCRYPTED\s+DEK-Info:\s*([\w-]+)\s*,\s*([0-9A-Fa-f]+)/.exec(block.body);
  const base64 = block.body
    .slice(encryption === null ? 0 : encryption.index + encryption[0].length)
    .replace(/\s+/g, "");
  if (!/^[A-Za-z0-9+/]+={0,2}$/.test(base64)) {
    problems.push(`the PEM block "${block.label}" is damaged: its body is not base64`);
    return undefined;
  }
  if (form === undefined) return openOpenSshKey(Buffer.from(base64, "base64"), unlocking, problems);
  if (encryption !== null) {
    return openLegacy(block.label, `${encryption[1]},${encryption[2]}`, base64, unlocking.passphrase, problems);
  }
  const der = Buffer.from(base64, "base64");
  // OpenSSL, too, believes the body where the label says another form.
  const found = detectDer(der);
  const isForm = found !== undefined && Object.values(forms).some((each) => each === found);
  return openPrivateKey(der, isForm ? (found as PrivateKeyForm) : form, unlocking, problems);
}

/** 12 KiB. */
const mostLegacyCharacters = 16 * 1024;

/** The encryption of OpenSSL before PKCS#8: headers inside the block, which only the PEM parser of OpenSSL reads. */
function openLegacy(
  label: string,
  cipher: string,
  base64: string,
  passphrase: string | undefined,
  problems: string[],
): KeyObject | undefined {
  if (passphrase === undefined) {
    problems.push(needsPassphrase);
    return undefined;
  }
  if (base64.length > mostLegacyCharacters) {
    problems.push("the encrypted private key is longer than any that Key Vault takes (RSA of 4096 bits)");
    return undefined;
  }
  const lines = base64.replace(/.{64}(?=.)/g, "$&\n");
  const key = `-----BEGIN ${label}-----\nProc-Type: 4,ENCRYPTED\nDEK-Info: ${cipher}\n\n${lines}\n-----END ${label}-----\n`;
  try {
    forgetEarlierErrors();
    return createPrivateKey({ key, format: "pem", passphrase });
  } catch (error) {
    problems.push(decryptionProblem(error));
    return undefined;
  }
}

function foreignKey(label: string): string {
  switch (label) {
    case "DSA PRIVATE KEY":
      return "this is a DSA private key: Key Vault takes RSA and EC keys";
    default:
      return `the PEM block "${label}" is no private key in a format that can be imported: give PKCS#8, PKCS#1 or SEC1`;
  }
}

function nothingPrivate(blocks: readonly Block[]): string {
  const label = blocks[0]?.label ?? "";
  if (/CERTIFICATE REQUEST/.test(label)) return "this is a certificate request, which holds no private key";
  if (/CERTIFICATE/.test(label)) {
    return "this is a certificate, which holds only the public key: give the private key that belongs to it";
  }
  if (/PUBLIC KEY/.test(label)) return "this is a public key: give the private key that belongs to it";
  if (/^(PKCS7|CMS)$/.test(label))
    return "this is a PKCS#7 bundle, which holds certificates only: give the private key";
  if (/PGP/.test(label)) return "this is OpenPGP material: give a private key as PKCS#8 PEM";
  return `the PEM text holds no private key, only "${label}": give PKCS#8, PKCS#1 or SEC1`;
}
