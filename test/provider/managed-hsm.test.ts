import { randomBytes } from "node:crypto";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { type Emulator, startEmulator } from "../../emulator/index.js";
import { ecKey, rsaKey } from "../engine/demo-keys.js";
import { type Arguments, DrivenResource } from "./driven-resource.js";
import { nextEngineRun } from "./engine-run.js";
import { key } from "./providers.js";

const symmetric = { kty: "oct", k: randomBytes(32).toString("base64url") };
const otherSymmetric = { kty: "oct", k: randomBytes(32).toString("base64url") };

describe("a key of a Managed HSM", () => {
  let hsm: Emulator;
  let resource: DrivenResource;

  beforeEach(async () => {
    hsm = await startEmulator({ vaults: [{ name: "hsm", plane: "managedhsm" }] });
    // The plane is told by the host, on loopback as in Azure.
    resource = new DrivenResource(key, hsm, {
      vaultUrl: `http://hsm.managedhsm.localhost:${hsm.port}`,
      name: "orders",
    });
  });
  afterEach(() => hsm.close());

  it.each<[string, Arguments, string]>([
    ["RSA", { import: { pem: rsaKey().pkcs8 } }, "RSA-HSM"],
    ["EC", { import: { pem: ecKey().pkcs8 } }, "EC-HSM"],
    ["P-256K", { import: { jwk: ecKey("secp256k1").jwk } }, "EC-HSM"],
    ["a symmetric key", { import: { jwk: symmetric } }, "oct-HSM"],
    ["RSA, and the program says HSM", { import: { pem: rsaKey().pkcs8 }, hardwareProtected: true }, "RSA-HSM"],
    ["a generated RSA key", { generate: { keyType: "RSA" } }, "RSA-HSM"],
    ["a generated EC key", { generate: { keyType: "EC-HSM", curve: "P-384" } }, "EC-HSM"],
    ["a generated symmetric key", { generate: { keyType: "oct-HSM", keySize: 128 } }, "oct-HSM"],
  ])("is a hardware key: %s; reads as the program says, and changes for nothing", async (_what, args, keyType) => {
    const state = await resource.created(args);
    expect(state.outs.keyType).toBe(keyType);
    expect(resource.operations()).toEqual(["getKey", args.import ? "importKey" : "createKey"]);
    expect(JSON.stringify(state)).not.toContain(symmetric.k);
    expect(await resource.drift(state)).toEqual({});
    await resource.updated(await resource.refreshed(state), { ...args, onDelete: "purge" });
    expect(resource.operations()).toEqual([]);
  });

  // An EC key whose program names none gets back just these two.
  it.each<[string, Arguments, string[], string[]]>([
    ["RSA", { import: { pem: rsaKey().pkcs8 } }, ["verify", "sign"], ["updateKey"]],
    ["EC", { import: { pem: ecKey().pkcs8 } }, ["verify", "sign"], []],
    ["oct", { import: { jwk: symmetric } }, ["wrapKey", "unwrapKey"], ["updateKey"]],
  ])(
    "has the operations that the program names, in whatever order the HSM tells them: %s",
    async (_type, source, keyOps, writes) => {
      const state = await resource.created({ ...source, keyOps });
      expect(await resource.drift(state)).toEqual({});
      const wide = await resource.updated(state, source);
      expect(await resource.drift(wide)).toEqual({});
      const narrow = await resource.updated(wide, { ...source, keyOps: [...keyOps].reverse() });
      expect(resource.operations()).toEqual(writes);
      expect(await resource.drift(narrow)).toEqual({});
    },
  );

  it("is deleted, recovered with its material, and purged", async () => {
    for (const [name, source] of Object.entries({ rsa: { pem: rsaKey().pkcs8 }, oct: { jwk: symmetric } })) {
      const state = await resource.created({ name, import: source, tags: { old: "1" } });
      nextEngineRun();
      await key.delete(state.id, state.outs);
      const again = await resource.created({ name, import: source });
      expect(await resource.drift(again)).toEqual({});
      nextEngineRun();
      await key.delete(state.id, { ...again.outs, onDelete: "purge" });
      expect(await resource.refused({ name, adopt: true })).toMatch(/no key/);
    }
  });

  it("takes no second key on its name, symmetric or not", async () => {
    await resource.created({ import: { jwk: symmetric } });
    await expect(resource.created({ import: { jwk: otherSymmetric } })).rejects.toThrow(/already holds a key.*adopt/s);
    // An HSM never shows a symmetric key, so not even the same one can be told from another.
    await expect(resource.created({ import: { jwk: symmetric } })).rejects.toThrow(/cannot be compared.*adopt/s);
    const taken = await resource.created({ adopt: true, import: { jwk: symmetric } });
    expect(await resource.drift(taken)).toEqual({});
  });

  it("is imported again where somebody made a version of a symmetric key, since nobody can see which", async () => {
    const args = { import: { jwk: symmetric } };
    const state = await resource.created(args);
    await resource.provider.update(state.id, state.outs, await resource.checked({ import: { jwk: otherSymmetric } }));
    const observed = await resource.refreshed(state);
    expect(await resource.drift(state)).toEqual({ version: expect.stringMatching(/^[0-9a-f]{32}$/) });
    const repaired = await resource.updated(observed, args);
    expect(resource.operations()).toEqual(["getKey", "importKey"]);
    expect(await resource.drift(repaired)).toEqual({});
  });

  it("has a rotation policy in the HSM's own form, without the notice that vaults add", async () => {
    const args = { generate: { keyType: "RSA" }, rotationPolicy: { rotateAfter: "P90D", expireAfter: "P1Y" } };
    const state = await resource.created(args);
    expect(await resource.drift(state)).toEqual({});
    const { lifetimeActions } = await policy();
    expect(lifetimeActions).toEqual([{ action: { type: "rotate" }, trigger: { timeAfterCreate: "P90D" } }]);
    const without = await resource.updated(state, { generate: { keyType: "RSA" } });
    expect(resource.operations()).toEqual(["updateKeyRotationPolicy"]);
    expect(await resource.drift(without)).toEqual({});
    expect((await policy()).lifetimeActions).toEqual([]);
  });

  it("rotates by its policy without drift", async () => {
    const args = { generate: { keyType: "EC" }, rotationPolicy: { rotateAfter: "P90D" } };
    const state = await resource.created(args);
    hsm.clock.advance(91 * 86_400_000);
    const after = await resource.refreshed(state);
    expect(after.outs.version).not.toBe(state.outs.version);
    expect(await resource.drift(state)).toEqual({});
  });

  it("is refused where it is symmetric and the vault is none", async () => {
    const vaultUrl = "https://contoso.vault.azure.net";
    expect(await resource.refused({ vaultUrl, import: { jwk: symmetric } })).toMatch(/Managed HSM/);
    const inHsm = { vaultUrl: "https://contoso.managedhsm.azure.net", import: { jwk: symmetric } };
    expect(await resource.refused(inHsm)).toBe("");
  });

  it("is nothing that a secret could be", async () => {
    const { secret } = await import("./providers.js");
    const secrets = new DrivenResource(secret, hsm, resource.defaults);
    expect(await secrets.refused({ value: "v" })).toMatch(/Managed HSM holds no secrets/);
  });

  async function policy(): Promise<{ lifetimeActions?: unknown }> {
    const answer = await fetch(`${hsm.url}/keys/orders/rotationpolicy?api-version=7.4`, {
      headers: { authorization: `Bearer ${hsm.token}` },
    });
    return (await answer.json()) as { lifetimeActions?: unknown };
  }
});
