import * as pulumi from "@pulumi/pulumi";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { packRecords } from "../../provider/key-set/packed-records.js";
import * as keyvault from "../../sdk/index.js";

const vaultUrl = "https://contoso.vault.azure.net";

/** What an Output holds. An error of one of its `apply`s is this promise's. */
function settled<T>(output: pulumi.Output<T>): Promise<T> {
  return (output as unknown as { promise(): Promise<T> }).promise();
}

/** Every output of a resource, the derived ones of its class included. */
async function outputsOf(resource: pulumi.CustomResource): Promise<Record<string, unknown>> {
  const names = [
    ...Object.getOwnPropertyNames(resource),
    ...Object.entries(Object.getOwnPropertyDescriptors(Object.getPrototypeOf(resource))).flatMap(([name, { get }]) =>
      get ? [name] : [],
    ),
  ];
  const values: Record<string, unknown> = {};
  for (const name of names) {
    const output: unknown = Reflect.get(resource, name);
    if (pulumi.Output.isInstance(output)) values[name] = await settled(output);
  }
  return values;
}

describe("a unit test with Pulumi's mocks, whose state is the inputs", () => {
  beforeAll(() => {
    pulumi.runtime.setMocks({
      newResource: ({ name, inputs }) => ({ id: `${name}_id`, state: inputs }),
      call: ({ inputs }) => inputs,
    });
  });
  afterAll(() => {
    pulumi.runtime.setMocks({ newResource: () => ({ id: "", state: {} }), call: () => ({}) });
  });

  const key = () =>
    new keyvault.Key("signing", {
      vaultUrl,
      name: "signing",
      import: { file: "signing.pem" },
      keyOps: ["sign"],
      tags: { team: "orders" },
      expiresOn: "2099-01-01T00:00:00Z",
    });

  it("sees what the program says of a key", async () => {
    expect(await outputsOf(key())).toMatchObject({
      id: "signing_id",
      vaultUrl,
      name: "signing",
      keyOps: ["sign"],
      tags: { team: "orders" },
      expiresOn: "2099-01-01T00:00:00Z",
      hardwareProtected: false,
      version: undefined,
      keyType: undefined,
      thumbprint: undefined,
      keySize: undefined,
      publicKeyPem: undefined,
      publicKeyJwk: undefined,
      publicKeyOpenSsh: undefined,
    });
  });

  it("sees a key in an HSM as such", async () => {
    const generate = { keyType: "EC", curve: "P-256" } as const;
    const hsm = new keyvault.Key("hsm", { vaultUrl, generate, hardwareProtected: true });
    expect(await outputsOf(hsm)).toMatchObject({ hardwareProtected: true });
  });

  it("sees what the program says of a set of keys, which has no versions there", async () => {
    const set = new keyvault.KeySet("devices", { vaultUrl, keys: { "pump-17": { generate: { keyType: "EC" } } } });
    expect(await outputsOf(set)).toMatchObject({ id: "devices_id", vaultUrl, names: [], thumbprints: {} });
    expect(await settled(set.key("pump-17").versionId)).toBe(`${vaultUrl}/keys/pump-17`);
    expect(await settled(set.key(pulumi.output("pump-17")).id)).toBe(`${vaultUrl}/keys/pump-17`);
    expect(await settled(set.key("pump-17").thumbprint)).toBeUndefined();
    const backup = new keyvault.VaultBackup("all", { keys: [set] });
    const inventory = new keyvault.KeyInventory("vault", { vaultUrl, expect: [set] });
    expect(await settled(backup.urn)).toContain("VaultBackup::all");
    expect(await settled(inventory.urn)).toContain("KeyInventory::vault");
  });

  it("has a backup of a set taken again where the rotation policy of one of its keys changes", async () => {
    const facts = { version: "0a", updatedOn: "2027-01-01T00:00:00Z" };
    const records = packRecords(
      new Map([
        ["a", { entry: {}, facts }],
        ["b", { entry: { rotationPolicy: { rotateAfter: "P30D" } }, facts }],
        ["c", { entry: { rotationPolicy: "none" }, facts }],
      ]),
    );
    const backups: unknown[] = [];
    pulumi.runtime.setMocks({
      newResource: ({ name, type, inputs }) => {
        if (type.endsWith(":VaultBackup")) backups.push(inputs.keys);
        return { id: `${name}_id`, state: { ...inputs, records } };
      },
      call: ({ inputs }) => inputs,
    });
    const keys = { a: {}, b: {}, c: {} };
    const set = new keyvault.KeySet("devices", { vaultUrl, keys, rotationPolicy: { rotateAfter: "P90D" } });
    await settled(new keyvault.VaultBackup("all", { keys: [set] }).urn);
    const ofAll = { vaultUrl, ...facts };
    expect(backups).toEqual([
      [
        [
          { ...ofAll, name: "a", rotationPolicy: { rotateAfter: "P90D" } },
          { ...ofAll, name: "b", rotationPolicy: { rotateAfter: "P30D" } },
          { ...ofAll, name: "c" },
        ],
      ],
    ]);
  });

  it("reads the outputs that it mocks", async () => {
    pulumi.runtime.setMocks({
      newResource: ({ name, inputs }) => ({
        id: `${name}_id`,
        state: { ...inputs, version: "0a", keyType: "EC", publicKey: { curve: "P-384" } },
      }),
      call: ({ inputs }) => inputs,
    });
    expect(await outputsOf(new keyvault.Key("mocked", { generate: { keyType: "EC", curve: "P-384" } }))).toMatchObject({
      version: "0a",
      versionId: "mocked_id/0a",
      keyType: "EC",
      curve: "P-384",
      keySize: 384,
      keyOps: ["sign", "verify"],
    });
    pulumi.runtime.setMocks({
      newResource: ({ name, inputs }) => ({ id: `${name}_id`, state: inputs }),
      call: ({ inputs }) => inputs,
    });
  });

  it("makes each resource, and reads each of its outputs", async () => {
    const signing = key();
    const secret = new keyvault.Secret("db", { vaultUrl, name: "db", value: "x" });
    const keyBackup = new keyvault.KeyBackup("signing", { key: signing });
    const secretBackup = new keyvault.SecretBackup("db", { secret });
    const vaultBackup = new keyvault.VaultBackup("all", { keys: [signing, "ledger"], secrets: "*" });
    const folderBackup = new keyvault.VaultBackup("folder", { keys: "*", to: { folder: "backups" } });
    const inventory = new keyvault.KeyInventory("vault", { expect: [signing, "ledger"], ignore: ["temp-*"] });
    const resources = [secret, keyBackup, secretBackup, vaultBackup, folderBackup, inventory];
    for (const resource of resources) await outputsOf(resource);
    expect(await outputsOf(vaultBackup)).toMatchObject({ restorable: { keys: {}, secrets: {} } });
    expect(await outputsOf(keyBackup)).toMatchObject({ name: "signing", vaultUrl, blob: undefined, file: undefined });
  });

  it("restores from every kind of backup", async () => {
    const signing = key();
    const keyBackup = new keyvault.KeyBackup("signing", { key: signing });
    const vaultBackup = new keyvault.VaultBackup("all", { keys: "*", secrets: "*" });
    const secretBackup = new keyvault.SecretBackup("db", { name: "db" });
    const made = [
      new keyvault.Key("a", { vaultUrl, restore: keyBackup }),
      new keyvault.Key("b", { vaultUrl, restore: vaultBackup.key("signing") }),
      new keyvault.Key("c", { vaultUrl, restore: keyBackup.restorable }),
      new keyvault.Key("d", { vaultUrl, restore: { blob: "AAAA" } }),
      new keyvault.Secret("e", { vaultUrl, restore: secretBackup }),
      new keyvault.Secret("f", { vaultUrl, restore: vaultBackup.secret("db") }),
    ];
    for (const resource of made) expect(await outputsOf(resource)).toMatchObject({ vaultUrl });
  });

  it("gets what others manage", async () => {
    expect(await outputsOf(keyvault.Key.get("theirs", `${vaultUrl}/keys/theirs`))).toHaveProperty("id");
    expect(await outputsOf(keyvault.Secret.get("theirs", `${vaultUrl}/secrets/theirs`))).toHaveProperty("id");
  });

  it("sees the children of a component", async () => {
    class Signing extends pulumi.ComponentResource {
      readonly key: keyvault.Key;
      constructor(name: string) {
        super("test:index:Signing", name);
        this.key = new keyvault.Key(name, { import: { file: "x.pem" }, tags: { made: "here" } }, { parent: this });
        new keyvault.KeyBackup(name, { key: this.key }, { parent: this });
      }
    }
    expect(await settled(new Signing("component").key.tags)).toEqual({ made: "here" });
  });
});
