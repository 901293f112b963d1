import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import { type Emulator, startEmulator } from "../../emulator/index.js";
import { decrypt, encrypt, getKey } from "../../sdk/index.js";
import { DrivenResource } from "./driven-resource.js";
import { key } from "./providers.js";

const generate = { keyType: "oct-HSM", keySize: 256 };

describe("a symmetric key in a vault of the premium tier", () => {
  let vault: Emulator;
  let resource: DrivenResource;
  const start = async (sku: "premium" | "standard", apiVersion: string) => {
    vault = await startEmulator({ vaults: [{ name: "contoso", sku }] });
    resource = new DrivenResource(key, vault, { vaultUrl: vault.url, name: "wrapping" });
    vi.stubEnv("KEYVAULT_API_VERSION", apiVersion);
  };
  beforeEach(() => start("premium", "2026-04-01"));
  afterEach(() => vault.close());

  it("is made, read as the program says, and made anew for other keepers or another size", async () => {
    const state = await resource.created({ generate });
    expect(state.outs).toMatchObject({ keyType: "oct-HSM", publicKey: {} });
    expect(await resource.drift(state)).toEqual({});
    await resource.updated(await resource.refreshed(state), { generate, onDelete: "purge" });
    expect(resource.operations()).toEqual([]);
    const next = await resource.updated(state, { generate: { ...generate, keySize: 128 } });
    expect(resource.operations()).toEqual(["getKey", "createKey"]);
    expect(next.outs.version).not.toBe(state.outs.version);
    expect(await resource.drift(next)).toEqual({});
  });

  it("tells its size, and encrypts", async () => {
    await resource.created({ generate });
    const options = { credential: vault.credential };
    const read = await getKey({ vaultUrl: vault.url, name: "wrapping" }, options);
    expect(read).toMatchObject({ keyType: "oct-HSM", keySize: 256, hardwareProtected: true });
    expect(read).not.toHaveProperty("publicKeyPem");
    const sealed = await encrypt({ key: read, algorithm: "A256GCM", plaintext: "text" }, options);
    const opened = await decrypt({ id: sealed.versionId, algorithm: "A256GCM", ...sealed } as never, options);
    expect(await (opened.plaintext as unknown as { promise(): Promise<string> }).promise()).toBe("text");
    const wrong = encrypt({ key: read, algorithm: "A128GCM", plaintext: "text" }, options);
    await expect(wrong).rejects.toThrow(/needs a key of 128 bits, and the key has 256/);
  });

  it("is refused with what to do where the api-version is older", async () => {
    await vault.close();
    await start("premium", "7.4");
    await expect(resource.created({ generate })).rejects.toThrow(
      /^KV_INVALID_INPUT: create key "wrapping" in \S+ was refused: this vault makes no symmetric keys.*premium tier.*keyvault:apiVersion to 2026-04-01/,
    );
  });

  it("is refused by a vault of the standard tier, which keeps nothing in an HSM", async () => {
    await vault.close();
    await start("standard", "2026-04-01");
    await expect(resource.created({ generate })).rejects.toThrow(
      /KV_FORBIDDEN: .*HSM keys need a vault of the premium tier/,
    );
  });

  it("cannot be imported, which is told before anything is asked", async () => {
    const k = Buffer.alloc(32, 7).toString("base64url");
    const told = await resource.refused({
      vaultUrl: "https://contoso.vault.azure.net",
      import: { jwk: { kty: "oct", k } },
    });
    expect(told).toMatch(/imported into a Managed HSM only.*generate with keyType oct-HSM/);
    expect(told).not.toContain(k);
  });
});
