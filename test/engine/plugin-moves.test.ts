import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { type Emulator, startEmulator } from "../../emulator/index.js";
import { askedRequests } from "../emulator/asked-requests.js";
import { type Door, Stack, type StackResource } from "./stack.js";

/** Each resource of the package. The schema's aliases lead to the plugin; the way back is the program's to say. */
const program = (door: Door): string => `
  const was = (type) => (${door === "dynamic"} ? { aliases: [{ type: "keyvault:index:" + type }] } : {});
  const key = new keyvault.Key("orders", {
    name: "orders",
    generate: { keyType: "EC" },
    tags: { team: "orders" },
    rotationPolicy: { rotateAfter: "P90D" },
  }, was("Key"));
  const unnamed = new keyvault.Key("unnamed", { generate: { keyType: "RSA" }, keyOps: ["sign"] }, was("Key"));
  const secret = new keyvault.Secret("password", { name: "password", value: pulumi.secret("hunter2-very-secret") }, was("Secret"));
  const keyBackup = new keyvault.KeyBackup("orders", { key }, was("KeyBackup"));
  new keyvault.SecretBackup("password", { secret }, was("SecretBackup"));
  new keyvault.VaultBackup("all", { keys: ["orders*", key], secrets: "*" }, { dependsOn: [secret], ...was("VaultBackup") });
  new keyvault.KeyInventory("keys", { expect: [key, unnamed, "missing"], ignore: ["fleet-*"], keys: true }, was("KeyInventory"));
  new keyvault.SecretInventory("secrets", { expect: [secret] }, was("SecretInventory"));
  const set = new keyvault.KeySet("fleet", {
    keys: { "fleet-a": { generate: { keyType: "EC" } }, "fleet-b": { generate: { keyType: "RSA" }, tags: { x: "1" } } },
  }, was("KeySet"));
  exports.fleet = set.versionIds;
  exports.thumbprints = set.thumbprints;
  exports.name = unnamed.name;
  exports.thumbprint = key.thumbprint;
  exports.publicKeyPem = key.publicKeyPem;
  exports.keyOps = key.keyOps;
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
  let stack: Stack;
  let outputs: Record<string, unknown>;
  let before: Map<string, StackResource>;

  const writes = (): string[] =>
    askedRequests(vault)
      .filter(({ method }) => method !== "GET")
      .map(({ operation }) => operation);
  const ours = async (): Promise<Map<string, StackResource>> => {
    const resources = (await stack.resources()).filter(({ type }) => TYPES.includes(type.split(":").at(-1) ?? ""));
    return new Map(
      resources.map((resource) => [`${resource.type.split(":").at(-1)} ${resource.urn.split("::").at(-1)}`, resource]),
    );
  };

  beforeAll(async () => {
    vault = await startEmulator();
    stack = await Stack.create({
      door: "plugin",
      program: "",
      config: { "keyvault:vaultUrl": vault.url, "keyvault:credential": "token" },
      env: { KEYVAULT_TOKEN: vault.token },
    });
    await stack.program(program("dynamic"), "dynamic");
    await stack.up();
    outputs = await stack.outputs();
    before = await ours();
  });
  afterAll(async () => {
    await stack?.remove();
    await vault?.close();
  });

  describe.each(["plugin", "dynamic"] as const)("to the %s provider", (door) => {
    beforeAll(async () => {
      await stack.program(program(door), door);
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
      const run = await stack.up();
      expect(run.text).not.toContain("replace");
      expect(run.text).not.toContain("hunter2");
      expect(writes().filter((operation) => !/^backup/.test(operation))).toEqual([]);
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
});
