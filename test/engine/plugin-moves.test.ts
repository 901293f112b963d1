import { mkdir, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { transferBlob } from "../../conformance/transfer-blob.js";
import { type Emulator, startEmulator } from "../../emulator/index.js";
import { askedRequests } from "../emulator/asked-requests.js";
import { lockedPfx, plantedKey } from "../provider/planted-secrets.js";
import { ecKey, rsaKey } from "./demo-keys.js";
import { type Door, Stack, type StackResource } from "./stack.js";
import { call, requestCounts } from "./vault-by-hand.js";

const JWK = ecKey();

/**
 * Each resource of the package, with each of its sources. The schema's aliases lead to the plugin; the way back is the
 * program's to say. `tags` are those of every key and secret.
 */
const program = (door: Door, elsewhere: string, tags = '{ team: "orders" }'): string => `
  const was = (type, more = {}) =>
    (${door === "dynamic"} ? { ...more, aliases: [{ type: "keyvault:index:" + type }] } : more);
  const tags = ${tags};
  const made = {};
  const key = (name, args) => (made["key " + name] = new keyvault.Key(name, { name, tags, ...args }, was("Key")));
  const secret = (name, args) =>
    (made["secret " + name] = new keyvault.Secret(name, { name, tags, ...args }, was("Secret")));

  const orders = key("orders", { generate: { keyType: "EC" }, rotationPolicy: { rotateAfter: "P90D" } });
  const unnamed = new keyvault.Key("unnamed", { generate: { keyType: "RSA" }, keyOps: ["sign"] }, was("Key"));
  const kek = key("kek", { generate: { keyType: "RSA-HSM", keySize: 2048 }, keyOps: ["import"] });
  key("pem", { import: { file: "signing.pem" }, expiresOn: "2090-06-30T00:00:00Z" });
  key("pfx", { import: { file: "signing.pfx", passphrase: { env: "PASS" } }, enabled: false });
  key("jwk", { import: { jwk: pulumi.secret(${JSON.stringify(JWK.jwk)}) } });
  key("byok", { import: { file: "signing.byok", keyType: "RSA-HSM" } });
  key("wrapped", { import: { file: "signing.pem", wrapWith: kek } });
  key("restored", { restore: { file: "restored.keybackup" } });
  key("adopted", { adopt: true });
  key("held", { import: { file: "held.pem" }, adopt: true, onDelete: "retain" });

  const password = secret("password", { value: pulumi.secret("hunter2-very-secret"), contentType: "text/plain" });
  secret("drawn", { generate: { length: 20 } });
  secret("filed", { value: { file: "value.txt" } });
  secret("restored", { restore: { file: "restored.secretbackup" } });
  secret("adopted", { adopt: true });

  const keyBackup = new keyvault.KeyBackup("orders", { key: orders }, was("KeyBackup"));
  new keyvault.KeyBackup("filed", { key: orders, to: { folder: "escrow/keys" } }, was("KeyBackup"));
  new keyvault.SecretBackup("password", { secret: password }, was("SecretBackup"));
  new keyvault.SecretBackup("filed", { secret: password, to: { folder: "escrow/secrets" } }, was("SecretBackup"));
  const after = { dependsOn: [...Object.values(made), unnamed] };
  new keyvault.VaultBackup("all", { keys: ["orders*", orders], secrets: "*" }, was("VaultBackup", after));
  new keyvault.VaultBackup("filed", { keys: "*", secrets: "*", to: { folder: "escrow/all" } }, was("VaultBackup", after));
  const copied = new keyvault.Key("copied", { vaultUrl: "${elsewhere}", restore: keyBackup }, was("Key"));

  const set = new keyvault.KeySet("fleet", {
    import: { folder: "fleet", passphrase: { env: "PASS" } },
    keys: {
      "fleet-a": { tags: { site: "north" } },
      "fleet-made": { generate: { keyType: "RSA" } },
      "fleet-adopted": { adopt: true },
    },
    tags,
  }, was("KeySet"));
  new keyvault.KeyInventory("keys", { expect: [orders, unnamed, "missing"], ignore: ["fleet-*"], keys: true },
    was("KeyInventory", after));
  new keyvault.SecretInventory("secrets", { expect: [password] }, was("SecretInventory", after));

  exports.fleet = set.versionIds;
  exports.thumbprints = set.thumbprints;
  exports.name = unnamed.name;
  exports.versions = Object.fromEntries(Object.entries(made).map(([name, { version }]) => [name, version]));
  exports.thumbprint = orders.thumbprint;
  exports.publicKeyPem = orders.publicKeyPem;
  exports.keyOps = orders.keyOps;
  exports.copied = copied.version;
  exports.blob = keyBackup.blob;`;

const TYPES = [
  "Key",
  "Secret",
  "KeyBackup",
  "SecretBackup",
  "VaultBackup",
  "KeyInventory",
  "SecretInventory",
  "KeySet",
];

describe("a stack that goes from the dynamic provider to the plugin and back", () => {
  let vault: Emulator;
  let elsewhere: Emulator;
  let stack: Stack;
  let outputs: Record<string, unknown>;
  let before: Map<string, StackResource>;

  const writes = (): string[] =>
    [vault, elsewhere]
      .flatMap(askedRequests)
      .filter(({ method }) => method !== "GET")
      .map(({ operation, path }) => `${operation} ${path}`);
  const ours = async (): Promise<Map<string, StackResource>> => {
    const resources = (await stack.resources()).filter(({ type }) => TYPES.includes(type.split(":").at(-1) ?? ""));
    return new Map(
      resources.map((resource) => [`${resource.type.split(":").at(-1)} ${resource.urn.split("::").at(-1)}`, resource]),
    );
  };

  /** What lies beside the program: material in each form, backups of objects that are gone, and what is there to adopt. */
  const prepare = async (): Promise<void> => {
    const write = (name: string, text: string) => writeFile(join(stack.folder, name), text);
    const [signing, held] = [rsaKey(), ecKey()];
    await write("signing.pem", signing.pkcs8);
    await write("held.pem", held.pkcs8);
    await write("signing.pfx", lockedPfx(plantedKey("RSA"), "a passphrase"));
    await write("value.txt", "a value in a file");
    await mkdir(join(stack.folder, "fleet"));
    const cipher = { cipher: "aes-256-cbc", passphrase: "a passphrase", type: "pkcs8", format: "pem" } as const;
    await write("fleet/fleet-a.pem", String(ecKey().key.export(cipher)));
    await write("fleet/fleet-b.pem", ecKey().pkcs8);

    const exchange = { kty: "RSA-HSM", key_ops: ["import"] };
    const { key: kek } = (await call(vault, "POST", "/keys/for-byok/create", exchange)) as {
      key: { kid: string; n: string; e: string };
    };
    await write("signing.byok", Buffer.from(transferBlob(kek, rsaKey().jwk), "base64url").toString("utf8"));
    await call(vault, "POST", "/keys/adopted/create", { kty: "EC", tags: { by: "hand" } });
    await call(vault, "POST", "/keys/fleet-adopted/create", { kty: "EC" });
    await call(vault, "PUT", "/keys/held", { key: held.jwk });
    await call(vault, "PUT", "/secrets/adopted", { value: "theirs" });
    await call(vault, "POST", "/keys/restored/create", { kty: "EC" });
    await call(vault, "PUT", "/secrets/restored", { value: "an earlier value" });
    for (const kind of ["key", "secret"]) {
      const { value } = (await call(vault, "POST", `/${kind}s/restored/backup`)) as { value: string };
      await write(`restored.${kind}backup`, value);
      await call(vault, "DELETE", `/${kind}s/restored`);
      await call(vault, "DELETE", `/deleted${kind}s/restored`);
    }
  };

  beforeAll(async () => {
    [vault, elsewhere] = await Promise.all([startEmulator({ timing: "instant" }), startEmulator()]);
    stack = await Stack.create({
      door: "plugin",
      program: "",
      config: { "keyvault:vaultUrl": vault.url, "keyvault:credential": "token" },
      env: { KEYVAULT_TOKEN: vault.token, PASS: "a passphrase" },
    });
    await prepare();
    await stack.program(program("dynamic", elsewhere.url), "dynamic");
    await stack.up();
    outputs = await stack.outputs();
    before = await ours();
    expect(before.size).toBe(26);
  });
  afterAll(async () => {
    await stack?.remove();
    await Promise.all([vault?.close(), elsewhere?.close()]);
  });

  describe.each(["plugin", "dynamic"] as const)("to the %s provider", (door) => {
    beforeAll(async () => {
      await stack.program(program(door, elsewhere.url), door);
    });

    it("the preview shows an update in place of each resource, and nothing else", async () => {
      const { steps } = await stack.preview();
      expect(steps.map(({ op }) => op).filter((op) => op !== "update")).toEqual([]);
      const shown = steps
        .filter(({ urn }) => !urn.includes("pulumi:pulumi:Stack"))
        .map(({ urn, detailedDiff }) => {
          const [type = "", name = ""] = urn.split("::").slice(-2);
          return { name: `${type.split(":").at(-1)} ${name}`, changes: Object.keys(detailedDiff ?? {}) };
        });
      expect(shown.map(({ name }) => name).sort()).toEqual([...before.keys()].sort());
      for (const { name, changes } of shown) {
        // A preview of the dynamic provider knows no version of what is updated, and so not whether a backup is stale.
        if (door === "plugin" || !/Backup/.test(name)) expect(changes, name).toEqual(["__provider"]);
        else expect(changes, name).toContain("__provider");
      }
    });

    it("up writes nothing to the vault, and every resource stays what it is", async () => {
      vault.requests.clear();
      elsewhere.requests.clear();
      const run = await stack.up();
      expect(run.text).not.toContain("replace");
      expect(run.text).not.toContain("hunter2");
      expect(writes().filter((written) => !/^backup/.test(written))).toEqual([]);
      const after = await ours();
      expect([...after.keys()].sort()).toEqual([...before.keys()].sort());
      for (const [name, { id, inputs }] of after) {
        const { __provider, ...recorded } = before.get(name)?.inputs ?? {};
        expect(id, name).toBe(before.get(name)?.id);
        expect(inputs, name).toEqual(door === "plugin" ? recorded : { ...recorded, __provider });
      }
      const { blob, ...lasting } = await stack.outputs();
      const { blob: _former, ...former } = outputs;
      expect(lasting).toEqual(former);
      expect(blob).toEqual(expect.stringMatching(/^[\w-]{1000,}$/));
    });

    it("a refresh is clean", async () => {
      const { run, properties } = await stack.drift();
      expect(properties).toEqual({});
      expect(run.exitCode).toBe(0);
    });
  });

  it("back again, state is what it was", async () => {
    const after = await ours();
    for (const [name, { outputs: recorded = {} }] of after) {
      const { takenOn: _t, blob: _b, digest: _d, blobs: _bs, lookedOn: _l, ...rest } = before.get(name)?.outputs ?? {};
      expect(recorded, name).toMatchObject(rest);
      expect(Object.keys(recorded).sort(), name).toEqual(Object.keys(before.get(name)?.outputs ?? {}).sort());
    }
  });

  it("moves and changes in one update: each object as it would be without the move", async () => {
    await stack.program(program("plugin", elsewhere.url, '{ team: "payments" }'), "plugin");
    await stack.file("signing.pem", rsaKey().pkcs8);
    vault.requests.clear();
    const run = await stack.up();
    expect(run.text).not.toContain("replace");
    // The material of two keys is new; all others keep their version.
    expect(requestCounts(vault)).toMatchObject({ importKey: 2, updateSecret: 5 });
    expect(Object.keys(requestCounts(vault))).not.toContain("setSecret");
    const { value: keys } = (await call(vault, "GET", "/keys")) as { value: { tags?: object }[] };
    expect(keys.filter(({ tags }) => JSON.stringify(tags ?? {}).includes("payments"))).toHaveLength(13);
  });

  it("is told drift by the plugin of what the dynamic provider made, and goes with it", async () => {
    vault.clock.advance(2_000);
    for (const name of ["pem", "byok", "held"])
      await call(vault, "PATCH", `/keys/${name}`, { tags: { by: "somebody" } });
    await call(vault, "PUT", "/secrets/drawn", { value: "set by somebody" });
    const { run, properties } = await stack.drift();
    expect(run.exitCode).toBe(7);
    expect(
      Object.keys(properties)
        .filter((name) => /^(Key|Secret) /.test(name))
        .sort(),
    ).toEqual(["Key byok", "Key held", "Key pem", "Secret drawn"]);
    await stack.destroy();
    const { value: left } = (await call(vault, "GET", "/keys")) as { value: { kid: string }[] };
    expect(left.map(({ kid }) => kid.split("/").at(-1)).sort()).toEqual(["for-byok", "held"]);
    expect(await call(vault, "GET", "/secrets")).toMatchObject({ value: [] });
  });
});
