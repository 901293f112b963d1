// A unit test that jest and mocha run as it stands: every resource under Pulumi's usual mocks, whose state is the inputs.
const assert = require("node:assert/strict");
const pulumi = require("@pulumi/pulumi");
const keyvault = require("pulumi-keyvault");

const vaultUrl = "https://contoso.vault.azure.net";
const generate = { keyType: "EC" };

(globalThis.beforeAll ?? globalThis.before)(() => {
  pulumi.runtime.setMocks({
    newResource: ({ name, inputs }) => ({ id: `${name}_id`, state: inputs }),
    call: ({ inputs }) => inputs,
  });
});

const key = () => new keyvault.Key("signing", { vaultUrl, name: "signing", import: { file: "signing.pem" } });
const secret = () => new keyvault.Secret("db", { vaultUrl, name: "db", value: "x" });
const keyBackup = () => new keyvault.KeyBackup("signing", { key: key() });
const vaultBackup = () => new keyvault.VaultBackup("all", { keys: [key(), "ledger"], secrets: "*" });
const set = () => new keyvault.KeySet("devices", { vaultUrl, keys: { "pump-17": { generate } } });

/** Each with what a test of the program sees of it. */
const RESOURCES = {
  "a key": [key, { name: "signing", vaultUrl, version: undefined }],
  "a generated key": [() => new keyvault.Key("made", { generate, tags: { team: "a" } }), { tags: { team: "a" } }],
  "an adopted key": [() => new keyvault.Key("theirs", { name: "theirs", adopt: true }), { name: "theirs" }],
  "a key of another key's backup": [() => new keyvault.Key("copy", { vaultUrl, restore: keyBackup() }), { vaultUrl }],
  "a key of a vault's backup": [
    () => new keyvault.Key("copy", { vaultUrl, restore: vaultBackup().key("signing") }),
    { vaultUrl },
  ],
  "a key of a blob": [() => new keyvault.Key("copy", { name: "copy", restore: { blob: "AAAA" } }), { name: "copy" }],
  "a key that is only read": [() => keyvault.Key.get("theirs", `${vaultUrl}/keys/theirs`), {}],
  "a set of keys": [set, { vaultUrl, names: [] }],
  "a secret": [secret, { name: "db", vaultUrl, version: undefined }],
  "a generated secret": [
    () => new keyvault.Secret("drawn", { name: "drawn", generate: { length: 20 } }),
    { name: "drawn" },
  ],
  "a secret that is only read": [() => keyvault.Secret.get("theirs", `${vaultUrl}/secrets/theirs`), {}],
  "a key's backup": [keyBackup, { name: "signing", vaultUrl, blob: undefined }],
  "a secret's backup": [() => new keyvault.SecretBackup("db", { secret: secret() }), { name: "db", vaultUrl }],
  "a vault's backup": [vaultBackup, {}],
  "a vault's backup in a folder": [
    () => new keyvault.VaultBackup("folder", { keys: "*", to: { folder: "backups" } }),
    {},
  ],
  "an inventory of keys": [
    () => new keyvault.KeyInventory("vault", { vaultUrl, expect: [key(), set(), "ledger"], ignore: ["temp-*"] }),
    { vaultUrl },
  ],
  "an inventory of secrets": [
    () => new keyvault.SecretInventory("vault", { vaultUrl, expect: [secret()] }),
    { vaultUrl },
  ],
};

/** Every output of a resource, the derived ones of its class included. */
async function outputsOf(resource) {
  const derived = Object.entries(Object.getOwnPropertyDescriptors(Object.getPrototypeOf(resource)));
  const names = [...Object.getOwnPropertyNames(resource), ...derived.flatMap(([name, { get }]) => (get ? [name] : []))];
  const values = {};
  for (const name of names) {
    const output = resource[name];
    if (pulumi.Output.isInstance(output)) values[name] = await output.promise();
  }
  return values;
}

for (const [title, [make, seen]] of Object.entries(RESOURCES)) {
  globalThis.it(`makes ${title}, and reads each of its outputs`, async () => {
    const outputs = await outputsOf(make());
    assert.match(outputs.id, /_id$|^https:/);
    for (const [name, value] of Object.entries(seen)) assert.deepEqual(outputs[name], value, name);
  });
}
