import { createPublicKey, type KeyObject } from "node:crypto";
import { vaultSettings } from "../../provider/engine/vault-settings.js";
import { isManagedHsm, mayBeManagedHsm } from "../../provider/keyvault/identifier.js";
import type { KeyBundle, PublicJwk } from "../../provider/keyvault/key-bundle.js";
import { exchangeKeyProblem } from "../../provider/material/exchange-key.js";
import type { KeyMaterial } from "../../provider/material/key-material.js";
import { type PassphraseSource, readKeySource } from "../../provider/material/key-source.js";
import { readRegularFile } from "../../provider/material/regular-file.js";
import { type ExchangeKey, wrapForTransfer } from "../../provider/material/transfer-blob.js";
import { type NamedVersion, objectId, parseObjectId } from "../../provider/vault/object-address.js";
import { isEmbedded } from "../../provider/vault/vault-identity.js";
import { CliError } from "../failure/cli-error.js";
import { homePath } from "../files/home-path.js";
import { refuseExisting, writeFiles } from "../files/write-files.js";
import { writtenPath } from "../files/written-path.js";
import { openVault } from "../vault/open-vault.js";
import type { ByokOptions } from "./byok-options.js";

/** Wraps a key for a vault. All that can be known to be wrong is told before the vault is asked. */
export async function runByok(options: ByokOptions): Promise<void> {
  const path = writtenPath(options.out);
  await refuseExisting([{ path }], "never");
  const named = namedKey(options);
  const material = readMaterial(options, named.vaultUrl);
  const exchangeKey =
    options.kekPem === undefined ? await readFromVault(named, options) : readFromPem(named, homePath(options.kekPem));
  const { blob } = wrapForTransfer(material, exchangeKey);
  await writeFiles([{ path, content: blob, mode: 0o600 }], "never");
  if (options.quiet !== true) process.stdout.write(written(path, material, named, exchangeKey));
}

/** `--kek` is an id, or a name in `--vault`. */
function namedKey({ kek, vault }: ByokOptions): NamedVersion {
  if (/[/:]/.test(kek)) {
    if (vault === undefined) return parseObjectId("keys", kek);
    throw new CliError("KV_USAGE", "--kek is an id, which names its vault: leave --vault out");
  }
  const vaultUrl = vault ?? vaultSettings().vaultUrl;
  if (vaultUrl === undefined) {
    throw new CliError("KV_USAGE", "--kek is a name, and no vault is named: add --vault, or give the id of the key");
  }
  return parseObjectId("keys", objectId("keys", { vaultUrl: vaultUrl.replace(/\/$/, ""), name: kek }));
}

function readMaterial({ key, passphraseEnv, passphraseFile }: ByokOptions, vaultUrl: string): KeyMaterial {
  if (passphraseEnv !== undefined && passphraseFile !== undefined) {
    throw new CliError("KV_USAGE", "--passphrase-env and --passphrase-file both name the passphrase: give one of them");
  }
  const passphrase: PassphraseSource | undefined =
    passphraseEnv !== undefined
      ? { env: passphraseEnv }
      : passphraseFile !== undefined
        ? { file: homePath(passphraseFile) }
        : undefined;
  const read = readKeySource({ file: homePath(key), passphrase }, { allowSymmetric: mayBeManagedHsm(vaultUrl) });
  if (read.status === "absent") throw new CliError("KV_FILE", `the key cannot be read: ${read.reason}`);
  if (read.material.exchangeKeyId !== undefined) {
    throw new CliError("KV_USAGE", "--key is a transfer blob, which is wrapped already: import it as it is");
  }
  return read.material;
}

async function readFromVault(named: NamedVersion, { credential }: ByokOptions): Promise<ExchangeKey> {
  const { client } = await openVault(named.vaultUrl, credential);
  const bundle = await client.getKey(named.name, named.version);
  const found = exchangeKeyProblem(bundle, Date.now());
  if (found === undefined) return { id: idOf(named, bundle), publicKey: bundle.publicKey };
  throw new CliError(
    "KV_USAGE",
    `key "${named.name}" in ${named.vaultUrl} cannot be used as an exchange key: ${found.problem}. To mend it, ${found.remedy}`,
  );
}

/** As the vault says it. The address at which this process opens an embedded one ends with it. */
function idOf(named: NamedVersion, { id, version }: KeyBundle): string {
  return isEmbedded(named.vaultUrl) ? `${objectId("keys", named)}/${version}` : id;
}

/** What the file is of cannot be known from it: the vault refuses a blob that names another version. */
function readFromPem(named: NamedVersion, path: string): ExchangeKey {
  if (named.version === undefined) {
    throw new CliError("KV_USAGE", "--kek has to be the id of a version where --kek-pem is given: the blob names it");
  }
  const jwk = publicJwk(path);
  const keySize = Buffer.from(jwk.n ?? "", "base64url").length * 8;
  const found = exchangeKeyProblem({ keySize }, Date.now());
  if (found !== undefined) throw new CliError("KV_USAGE", `--kek-pem cannot be used: ${found.problem}`);
  return { id: `${objectId("keys", named)}/${named.version}`, publicKey: jwk };
}

const LARGEST_PEM = 64 * 1024;

function publicJwk(path: string): PublicJwk {
  const file = readRegularFile(path, LARGEST_PEM);
  if (file.status !== "read") {
    throw new CliError(
      "KV_FILE",
      `--kek-pem cannot be read: ${file.status === "missing" ? "there is no such file" : file.reason}`,
    );
  }
  const refused = () =>
    new CliError("KV_FILE", "--kek-pem is no public RSA key in PEM: az keyvault key download writes one");
  const text = Buffer.from(file.bytes).toString("utf8");
  // OpenSSL takes the public half of a private key, too: that of a key exchange key is in the vault's HSM alone.
  if (!text.includes("-----BEGIN PUBLIC KEY-----") && !text.includes("-----BEGIN RSA PUBLIC KEY-----")) throw refused();
  let key: KeyObject;
  try {
    key = createPublicKey(text);
  } catch {
    throw refused();
  }
  const { n, e } = key.export({ format: "jwk" });
  if (key.asymmetricKeyType !== "rsa" || n === undefined || e === undefined) throw refused();
  return { kty: "RSA", n, e };
}

function written(
  path: string,
  { keyType, curve, keySize, thumbprint }: KeyMaterial,
  named: NamedVersion,
  { id }: ExchangeKey,
) {
  const kind = curve ?? `${keyType} of ${keySize} bits`;
  const lines = [
    `${path}: a key (${kind}, thumbprint ${thumbprint}) that ${id} alone can open`,
    `import it: ${importCommand(path, keyType, curve, named.vaultUrl)}`,
  ];
  return `${lines.join("\n")}\n`;
}

/** `az` knows Azure's vaults by their names; others are for programs. */
function importCommand(path: string, keyType: string, curve: string | undefined, vaultUrl: string): string {
  const [, name] = /^https:\/\/([\w-]+)\.(?:vault|managedhsm)\.[\w.]+$/i.exec(vaultUrl) ?? [];
  if (name === undefined) {
    const of = { keyType: `${keyType}-HSM`, ...(curve === undefined ? {} : { curve }) };
    const members = Object.entries({ file: path, ...of }).map(
      ([member, value]) => `${member}: ${JSON.stringify(value)}`,
    );
    return `import: { ${members.join(", ")} } of a Key`;
  }
  const file = /^[\w./-]+$/.test(path) ? path : `'${path.replaceAll("'", "'\\''")}'`;
  const type = keyType === "RSA" ? "" : ` --kty ${keyType}${curve === undefined ? "" : ` --curve ${curve}`}`;
  const place = isManagedHsm(vaultUrl) ? `--hsm-name ${name}` : `--vault-name ${name}`;
  return `az keyvault key import ${place} --name NAME --byok-file ${file}${type}`;
}
