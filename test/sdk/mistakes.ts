/**
 * What an editor has to refuse, and what it has to take. Compiled, never run: by the type check of this repository
 * against the sources, and by the tests of the published types against those, with each compiler and resolution.
 */
import * as pulumi from "@pulumi/pulumi";
import * as keyvault from "../../sdk/index.js";

declare const text: pulumi.Output<string>;
declare const stack: pulumi.StackReference;
const config = new pulumi.Config();
const generate = { keyType: "EC" } as const;

const key = new keyvault.Key("k", { import: { file: "k.pem" } });
const secret = new keyvault.Secret("s", { value: "v" });
const keyBackup = new keyvault.KeyBackup("k", { key });
const secretBackup = new keyvault.SecretBackup("s", { secret });
const all = new keyvault.VaultBackup("all", { keys: "*", secrets: ["*", secret] });

// Taken: every source, plain, as an Output, and in part.
new keyvault.Key("k", { generate });
new keyvault.Key("k", { generate: { keyType: "RSA", keySize: 4096, keepers: { a: text } } });
new keyvault.Key("k", { generate: { keyType: "RSA-HSM", keySize: config.requireSecretNumber("bits") } });
new keyvault.Key("k", { generate: { keyType: "EC-HSM", curve: text } });
new keyvault.Key("k", { generate: pulumi.output({ keyType: "EC" as const, curve: "P-384" as const }) });
new keyvault.Key("k", { generate: { keyType: "oct-HSM", keySize: 256 }, hardwareProtected: true });
new keyvault.Key("k", { import: { pem: text, passphrase: { env: "PASS" } }, tags: { a: text }, enabled: false });
new keyvault.Key("k", { import: { jwk: text } });
new keyvault.Key("k", { import: { jwk: { kty: "EC" } } });
new keyvault.Key("k", { import: { byok: text, keyType: "EC-HSM", curve: "P-256" } });
new keyvault.Key("k", { import: config.requireSecretObject<{ file: string }>("material") });
new keyvault.Key("k", { import: text.apply((pem) => ({ pem })), adopt: config.getBoolean("adopt") ?? false });
new keyvault.Key("k", { adopt: true, name: "k" });
new keyvault.Key("k", { adopt: pulumi.output(true), name: text });
new keyvault.Key("k", { restore: keyBackup });
new keyvault.Key("k", { restore: all.key("k") });
new keyvault.Key("k", { restore: keyBackup.restorable });
new keyvault.Key("k", { restore: all.restorable.apply(({ keys }) => keys.k ?? { sourceName: "k" }) });
new keyvault.Key("k", { restore: { blob: text } });
new keyvault.Key("k", { restore: { file: "k.keybackup" } });
new keyvault.Key("k", { restore: stack.requireOutput("backup") });
new keyvault.Secret("s", { value: config.requireSecret("value"), adopt: true });
new keyvault.Secret("s", { value: { env: "DB_PASSWORD" }, previousVersions: "disable" });
new keyvault.Key("k", { generate, previousVersions: config.get("old") === "keep" ? "keep" : "disable" });
new keyvault.Secret("s", { value: { file: "db.password" }, adopt: true });
new keyvault.Secret("s", { generate: { length: 32 } });
new keyvault.Secret("s", { generate: { length: 32, characters: text, keepers: { year: text } } });
new keyvault.Secret("s", { generate: { bytes: 32, encoding: "base64url", keepers: { year: "2027" } } });
new keyvault.Secret("s", { generate: pulumi.output({ bytes: 32, encoding: "hex" as const }) });
new keyvault.Secret("s", { restore: secretBackup, contentType: "text/plain" });
new keyvault.Secret("s", { restore: all.secret("s") });
new keyvault.Secret("s", { adopt: true, name: "s" });
new keyvault.VaultBackup("v", { secrets: text.apply((name) => [name]) });
new keyvault.KeyInventory("i", { expect: [key, "other", text] });
new keyvault.SecretInventory("i", { expect: [secret, "other", text], secrets: true, onUnmanaged: "fail" });
export const shared: keyvault.KeyArgs = { generate, timeouts: { create: "5m" }, onDelete: "retain" };
export const made = (restore: keyvault.RestoreSource<"key">) => new keyvault.Key("k", { restore });

// Taken: sets of keys from every source, with settings of their own by name.
const devices = new keyvault.KeySet("devices", {
  import: { folder: "keys", match: "*.pem", passphrase: { env: "KEYS_PASS" } },
  tags: { fleet: "devices" },
  expiresOn: "2028-01-01T00:00:00Z",
  onDelete: "retain",
  removed: "retain",
  previousVersions: "disable",
  publicKeys: true,
  keys: { "pump-17": { tags: { site: text }, enabled: false } },
});
new keyvault.KeySet("devices", { import: { jwks: "keys.json" }, adopt: true, timeouts: { create: "1h" } });
new keyvault.KeySet("tenants", { generate, keys: { a: {}, b: { import: { file: "b.pem" } }, c: { adopt: true } } });
new keyvault.KeySet("restored", { keys: { a: { restore: all.key("a") }, b: { restore: keyBackup } } });
new keyvault.KeySet("shared", { keys: pulumi.output({ a: { generate } }) });
new keyvault.VaultBackup("v", { keys: [devices, key, "other-*"] });
new keyvault.KeyInventory("i", { expect: [devices, key, "other"] });
export const [versionId, thumbprints]: [pulumi.Output<string>, pulumi.Output<Record<string, string>>] = [
  devices.key("pump-17").versionId,
  devices.thumbprints,
];

const current = keyvault.getKeyOutput({ id: key.id });
keyvault.getKey({ name: "k" });
keyvault.getKeyVersion({ id: "https://v.vault.azure.net/keys/k/0" });
keyvault.getKeyVersionOutput({ vaultUrl: text, name: text, version: current.version });
keyvault.getSecret({ name: "s", version: "0" }, { credential: "azure-cli" });
keyvault.getSecretMetadataOutput({ id: secret.id }, { dependsOn: [key, secret] });
new keyvault.Secret("s", { value: keyvault.getSecretOutput({ name: text }).value });
export const read: Promise<pulumi.Output<string>> = keyvault.getSecret({ name: "s" }).then(({ value }) => value);

keyvault.encrypt({ name: "k", algorithm: "RSA-OAEP-256", plaintext: "x" });
keyvault.encryptOutput({ key, algorithm: "RSA-OAEP-256", plaintext: text });
keyvault.decryptOutput({ key: current, algorithm: "RSA-OAEP-256", ciphertext: text, encoding: "base64url" });
keyvault.signOutput({ id: key.id, algorithm: text.apply(() => "ES256" as const), data: { base64url: text } });
keyvault.verify({ name: "k", algorithm: "RS256", digest: new Uint8Array(32), signature: "AA" });
keyvault.wrapKeyOutput({ key, algorithm: "A256KW", keyToWrap: new Uint8Array(32) });
keyvault.unwrapKey({ name: "k", version: "0", algorithm: "RSA-OAEP", wrappedKey: "AA" });

new keyvault.Key("k", { import: { file: "k.pem", passphrase: { env: "PASS" }, wrapWith: key } });
new keyvault.Key("k", { import: { pem: text, wrapWith: key.id } });
new keyvault.Key("k", { import: { jwk: { kty: "RSA" }, wrapWith: "https://v.vault.azure.net/keys/kek" } });

// Refused.
// @ts-expect-error two sources
new keyvault.Key("k", { import: { file: "k.pem" }, generate });
// @ts-expect-error two sources
new keyvault.Key("k", { generate, restore: keyBackup });
// @ts-expect-error generate makes another key than the one to adopt
new keyvault.Key("k", { generate, adopt: true });
// @ts-expect-error no source
new keyvault.Key("k", { name: "k" });
// @ts-expect-error no source
new keyvault.Key("k", {});
// @ts-expect-error no arguments
new keyvault.Key("k");
// @ts-expect-error to adopt is the only source
new keyvault.Key("k", { adopt: false, name: "k" });
// @ts-expect-error a curve with RSA
new keyvault.Key("k", { generate: { keyType: "RSA", curve: "P-256" } });
// @ts-expect-error a size with EC
new keyvault.Key("k", { generate: { keyType: "EC", keySize: 2048 } });
// @ts-expect-error a size that no vault makes
new keyvault.Key("k", { generate: { keyType: "RSA", keySize: 1024 } });
// @ts-expect-error a size of another key type
new keyvault.Key("k", { generate: { keyType: "oct-HSM", keySize: 2048 } });
// @ts-expect-error no type
new keyvault.Key("k", { generate: { curve: "P-256" } });
// @ts-expect-error a curve that no vault has
new keyvault.Key("k", { generate: { keyType: "EC", curve: "secp256k1" } });
// @ts-expect-error two forms of one material
new keyvault.Key("k", { import: { file: "k.pem", pem: text } });
// @ts-expect-error a JWK has no passphrase
new keyvault.Key("k", { import: { jwk: text, passphrase: "x" } });
// @ts-expect-error a PEM says what it is
new keyvault.Key("k", { import: { pem: text, keyType: "EC-HSM" } });
// @ts-expect-error a misspelled form
new keyvault.Key("k", { import: { fil: "k.pem" } });
// @ts-expect-error a misspelled property
new keyvault.Key("k", { generate, expiresAt: "2027-06-30T00:00:00Z" });
// @ts-expect-error a misspelled property within
new keyvault.Key("k", { generate, rotationPolicy: { rotateafter: "P90D" } });
// @ts-expect-error an unknown choice
new keyvault.Key("k", { generate, onDelete: "keep" });
// @ts-expect-error an unknown choice
new keyvault.Key("k", { generate, previousVersions: "delete" });
// @ts-expect-error an unknown operation
new keyvault.Key("k", { generate, keyOps: ["signing"] });
// @ts-expect-error the backup of a secret
new keyvault.Key("k", { restore: secretBackup });
// @ts-expect-error the backup of a secret
new keyvault.Key("k", { restore: all.secret("s") });
// @ts-expect-error the backup of a whole vault
new keyvault.Key("k", { restore: all });
// @ts-expect-error a key is no backup
new keyvault.Key("k", { restore: key });
// @ts-expect-error two places of one blob
new keyvault.Key("k", { restore: { blob: text, file: "k.keybackup" } });
// @ts-expect-error no source
new keyvault.Secret("s", { name: "s" });
// @ts-expect-error two sources
new keyvault.Secret("s", { value: "v", restore: secretBackup });
// @ts-expect-error two sources
new keyvault.Secret("s", { value: "v", generate: { length: 32 } });
// @ts-expect-error generate makes another value than the one to adopt
new keyvault.Secret("s", { generate: { length: 32 }, adopt: true });
// @ts-expect-error two places of one value
new keyvault.Secret("s", { value: { env: "DB_PASSWORD", file: "db.password" } });
// @ts-expect-error a misspelled place
new keyvault.Secret("s", { value: { path: "db.password" } });
// @ts-expect-error neither characters nor bytes
new keyvault.Secret("s", { generate: {} });
// @ts-expect-error bytes without an encoding
new keyvault.Secret("s", { generate: { bytes: 32 } });
// @ts-expect-error an encoding of characters
new keyvault.Secret("s", { generate: { length: 32, encoding: "hex" } });
// @ts-expect-error an encoding that is none
new keyvault.Secret("s", { generate: { bytes: 32, encoding: "base32" } });
// @ts-expect-error to adopt is the only source
new keyvault.Secret("s", { adopt: false });
// @ts-expect-error the backup of a key
new keyvault.Secret("s", { restore: keyBackup });
// @ts-expect-error the backup of a key
new keyvault.Secret("s", { restore: all.key("k") });
// @ts-expect-error a value that may be undefined is none
new keyvault.Secret("s", { value: config.getSecret("value") });
// @ts-expect-error a misspelled property
new keyvault.Secret("s", { value: "v", contenttype: "text/plain" });
// @ts-expect-error a secret is no key
new keyvault.KeyBackup("k", { key: secret });
// @ts-expect-error a key or a name
new keyvault.KeyBackup("k", {});
// @ts-expect-error a key has its own name
new keyvault.KeyBackup("k", { key, name: "k" });
// @ts-expect-error a key is no secret
new keyvault.SecretBackup("s", { secret: key });
// @ts-expect-error nothing to back up
new keyvault.VaultBackup("v", {});
// @ts-expect-error nothing to back up
new keyvault.VaultBackup("v", { to: { folder: "backups" } });
// @ts-expect-error a secret is no key
new keyvault.VaultBackup("v", { keys: [secret] });
// @ts-expect-error a secret is no key
new keyvault.KeyInventory("i", { expect: [secret] });
// @ts-expect-error an unknown choice
new keyvault.KeyInventory("i", { onUnmanaged: "warn" });
// @ts-expect-error a key is no secret
new keyvault.SecretInventory("i", { expect: [key] });
// @ts-expect-error secrets have no rotation policy
new keyvault.SecretInventory("i", { rotation: true });
// @ts-expect-error of another inventory
new keyvault.SecretInventory("i", { keys: true });

// @ts-expect-error an Output, which getKeyOutput takes
keyvault.getKey({ name: text });
// @ts-expect-error an id and a name
keyvault.getKey({ id: "https://v.vault.azure.net/keys/k", name: "k" });
// @ts-expect-error an id and a name
keyvault.getKeyOutput({ id: key.id, name: text });
// @ts-expect-error a version, which getKeyVersion reads
keyvault.getKey({ name: "k", version: "0" });
// @ts-expect-error no version
keyvault.getKeyVersion({ name: "k" });
// @ts-expect-error nothing is named
keyvault.getSecret({});
// @ts-expect-error the metadata has no value
keyvault.getSecretMetadataOutput({ name: "s" }).value;
// @ts-expect-error an algorithm of signatures
keyvault.encrypt({ name: "k", algorithm: "RS256", plaintext: "x" });
// @ts-expect-error an algorithm of ciphers
keyvault.sign({ name: "k", algorithm: "RSA-OAEP", data: "x" });
// @ts-expect-error no algorithm of that name
keyvault.sign({ name: "k", algorithm: "ES265", data: "x" });
// @ts-expect-error data and its digest
keyvault.sign({ name: "k", algorithm: "ES256", data: "x", digest: new Uint8Array(32) });
// @ts-expect-error neither data nor its digest
keyvault.sign({ name: "k", algorithm: "ES256" });
// @ts-expect-error a digest is bytes
keyvault.sign({ name: "k", algorithm: "ES256", digest: "text" });
// @ts-expect-error a key is bytes
keyvault.wrapKey({ name: "k", algorithm: "RSA-OAEP", keyToWrap: "text" });
// @ts-expect-error a Key's members are known later
keyvault.sign({ key, algorithm: "ES256", data: "x" });
// @ts-expect-error a key and a name
keyvault.signOutput({ key, name: "k", algorithm: "ES256", data: "x" });
// @ts-expect-error a secret does not sign
keyvault.signOutput({ key: secret, algorithm: "ES256", data: "x" });
// @ts-expect-error a transfer blob is wrapped already
new keyvault.Key("k", { import: { byok: text, wrapWith: key } });
// @ts-expect-error a secret wraps nothing
new keyvault.Key("k", { import: { file: "k.pem", wrapWith: secret } });
// @ts-expect-error what the vault makes itself crosses no wire
new keyvault.Key("k", { generate, wrapWith: key });

// Refused: sets of keys.
// @ts-expect-error a set without any key
new keyvault.KeySet("s", { tags: { fleet: "devices" } });
// @ts-expect-error a folder and a JWK set
new keyvault.KeySet("s", { import: { folder: "keys", jwks: "keys.json" } });
// @ts-expect-error a passphrase of a JWK set, which has none
new keyvault.KeySet("s", { import: { jwks: "keys.json", passphrase: "p" } });
// @ts-expect-error two sources of one key
new keyvault.KeySet("s", { keys: { a: { generate, import: { file: "a.pem" } } } });
// @ts-expect-error the vault of one key, which is that of the set
new keyvault.KeySet("s", { keys: { a: { generate, vaultUrl: "https://v.vault.azure.net" } } });
// @ts-expect-error a word that removed does not know
new keyvault.KeySet("s", { import: { folder: "keys" }, removed: "destroy" });
// @ts-expect-error a set of keys in the place of secrets
new keyvault.VaultBackup("v", { secrets: [devices] });
