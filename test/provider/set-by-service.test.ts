import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { type Emulator, startEmulator } from "../../emulator/index.js";
import { call } from "../engine/vault-by-hand.js";
import { DrivenResource } from "./driven-resource.js";
import { key } from "./providers.js";

describe("what the service sets by itself", () => {
  let vault: Emulator;
  let resource: DrivenResource;
  beforeEach(async () => {
    vault = await startEmulator();
    resource = new DrivenResource(key, vault, { vaultUrl: vault.url, name: "kek" });
  });
  afterEach(() => vault.close());

  const spellings = [
    { keyType: "RSA-HSM" },
    { keyType: "RSA-HSM", keySize: 2048 },
    { keySize: 2048, keyType: "RSA-HSM", keepers: {} },
  ];
  it.each(spellings)("is no drift: the 48 hours of a key exchange key, generated from %j", async (generate) => {
    const args = { generate, keyOps: ["import"] };
    const state = await resource.created(args);
    const { attributes } = (await call(vault, "GET", "/keys/kek")) as { attributes?: { exp?: number } };
    expect(attributes?.exp).toBeDefined();
    const seen = await resource.refreshed(state);
    expect(await resource.drift(state)).toEqual({});
    const next = await resource.updated(seen, { ...args, tags: { a: "1" } });
    expect(resource.operations()).toEqual(["updateKey"]);
    expect(next.outs.version).toBe(state.outs.version);
    expect(await resource.drift(next)).toEqual({});
  });

  it("is drift again where somebody moves it", async () => {
    const state = await resource.created({ generate: { keyType: "RSA-HSM" }, keyOps: ["import"] });
    const exp = Math.floor(Date.parse("2037-01-01T00:00:00Z") / 1000);
    await call(vault, "PATCH", `/keys/kek/${state.outs.version}`, { attributes: { exp } });
    expect(Object.keys(await resource.drift(state))).toEqual(["expiresOn"]);
  });

  it("is no reason for another version: a default of generate that is spelled, in whatever order", async () => {
    const state = await resource.created({ generate: { keyType: "EC" } });
    const inputs = await resource.checked({ generate: { curve: "P-256", keyType: "EC" } }, state.inputs);
    expect(inputs).toEqual(state.inputs);
  });

  it("never becomes new material: an expiry that is taken out of a generated key is refused, however it is spelled", async () => {
    for (const generate of [{ keyType: "EC" }, { curve: "P-256", keyType: "EC" }]) {
      const state = await resource.created({
        generate,
        name: `k-${Object.keys(generate).length}`,
        expiresOn: "2090-01-01T00:00:00Z",
      });
      const args = { generate, name: state.inputs.name };
      expect(await resource.refused(args, state.inputs)).toMatch(/expiresOn cannot be removed/);
    }
  });
});
