import { KeyClient } from "@azure/keyvault-keys";
import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import { type Emulator, startEmulator } from "../../emulator/index.js";
import { askedOperations } from "../emulator/asked-requests.js";
import { ecKey, rsaKey } from "../engine/demo-keys.js";
import { owned } from "../engine/owned-tags.js";
import { identity, nextEngineRun, startEngineRun } from "./engine-run.js";
import { key } from "./providers.js";

const material = rsaKey();
const other = rsaKey();
const elliptic = ecKey();

describe("create", () => {
  let vault: Emulator;

  beforeEach(async () => {
    vault = await startEmulator({ timing: "short" });
    startEngineRun(vault);
  });
  afterEach(() => vault.close());

  const create = async (args: Record<string, unknown>) => {
    const { inputs, failures } = await key.check({}, { ...identity(), vaultUrl: vault.url, name: "orders", ...args });
    expect(failures).toEqual([]);
    return key.create(inputs);
  };
  const official = () =>
    new KeyClient(vault.url, vault.credential, {
      disableChallengeResourceVerification: true,
      allowInsecureConnection: true,
    });
  const versions = async (): Promise<number> => {
    let count = 0;
    for await (const _version of official().listPropertiesOfKeyVersions("orders")) count += 1;
    return count;
  };
  const operations = (): string[] => askedOperations(vault);
  const deleted = async (): Promise<void> => {
    const poller = await official().beginDeleteKey("orders", { intervalInMs: 20 });
    await poller.pollUntilDone();
  };

  it("takes over a key that already has the material, without a new version, and converges its attributes", async () => {
    await create({ import: { pem: material.pkcs8 }, tags: { from: "an interrupted run" } });
    await create({ import: { pem: material.pkcs8 }, tags: { team: "orders" }, enabled: false });
    const taken = await official().getKey("orders");
    expect(taken.properties).toMatchObject({ enabled: false, tags: { team: "orders" } });
    expect(await versions()).toBe(1);
  });

  it("makes a version from the same material where an attribute of the taken key has to be cleared", async () => {
    await create({ import: { pem: material.pkcs8 }, expiresOn: "2090-01-01T00:00:00Z" });
    await create({ import: { pem: material.pkcs8 } });
    expect((await official().getKey("orders")).properties.expiresOn).toBeUndefined();
    expect(await versions()).toBe(2);
  });

  it("refuses a name that is taken by another key, and changes nothing", async () => {
    await create({ import: { pem: other.pkcs8 } });
    await expect(create({ import: { pem: material.pkcs8 } })).rejects.toThrow(/already holds a key.*adopt: true/s);
    await expect(create({ generate: { keyType: "RSA" } })).rejects.toThrow(/already holds a key/);
    expect(await versions()).toBe(1);
  });

  it("adopts a key as it is, and keeps what the program leaves out", async () => {
    await create({
      import: { pem: other.pkcs8 },
      tags: { by: "hand" },
      expiresOn: "2090-01-01T00:00:00Z",
      keyOps: ["sign", "verify"],
    });
    vault.requests.clear();
    const { outs } = await create({ adopt: true, tags: { team: "orders" } });
    expect(operations()).toEqual(["getKey", "getKey", "updateKey"]);
    expect(outs.found).toEqual({ expiresOn: "2090-01-01T00:00:00Z", keyOps: ["sign", "verify"] });

    const read = await key.read(`${vault.url}/keys/orders`, outs);
    expect(read.inputs).toEqual({
      vaultUrl: vault.url,
      name: "orders",
      adopt: true,
      tags: { team: "orders" },
      __provider: undefined,
    });
    expect(await versions()).toBe(1);
  });

  it("refuses to adopt a key that is not the one of the material", async () => {
    await create({ import: { pem: other.pkcs8 } });
    await expect(create({ adopt: true, import: { pem: material.pkcs8 } })).rejects.toThrow(
      /not the one that import names/,
    );
  });

  it("tells in the preview that the key to adopt is not there, or belongs to a certificate", async () => {
    const adopt = { vaultUrl: vault.url, name: "orders", adopt: true };
    expect((await key.check({}, adopt)).failures[0]?.reason).toMatch(/no key "orders" to adopt/);
    await create({ import: { pem: other.pkcs8 } });
    expect((await key.check({}, adopt)).failures).toEqual([]);
    vault.vault("emulator").giveToCertificate("keys", "orders");
    expect((await key.check({}, adopt)).failures[0]?.reason).toMatch(/belongs to the certificate/);
  });

  it("asks for the name of the key to adopt where the program leaves it to be found out", async () => {
    const unnamed = { ...identity(), vaultUrl: vault.url, autoName: "orders-0a1b2c3", adopt: true };
    expect((await key.check({}, unnamed)).failures[0]?.reason).toMatch(/name is needed to adopt: which key of http/);
  });

  it("recovers a soft-deleted key of the same material, with the program's attributes", async () => {
    await create({ import: { pem: material.pkcs8 }, tags: { old: "yes" } });
    await deleted();
    await create({ import: { pem: material.pkcs8 }, tags: { team: "orders" } });
    expect((await official().getKey("orders")).properties.tags).toEqual(owned({ team: "orders" }));
    expect(await versions()).toBe(1);
  });

  it("recovers a soft-deleted key of other material, and makes a version of the program's", async () => {
    await create({ import: { pem: other.pkcs8 } });
    await deleted();
    const { outs } = await create({ import: { pem: material.pkcs8 } });
    const modulus = (await official().getKey("orders")).key?.n ?? new Uint8Array();
    expect(Buffer.from(modulus).toString("base64url")).toBe(material.jwk.n);
    expect(outs.version).toBe((await official().getKey("orders")).properties.version);
    expect(await versions()).toBe(2);
  });

  it("refuses to recover a key of another kind, before anything is changed", async () => {
    await create({ import: { pem: elliptic.pkcs8 } });
    await deleted();
    await expect(create({ import: { pem: material.pkcs8 } })).rejects.toThrow(/of another kind \(EC P-256/);
    expect((await official().getDeletedKey("orders")).name).toBe("orders");
  });

  it("refuses a soft-deleted name where the program says so", async () => {
    await create({ import: { pem: material.pkcs8 } });
    await deleted();
    await expect(create({ import: { pem: material.pkcs8 }, ifSoftDeleted: "fail" })).rejects.toThrow(
      /soft-deleted key holds the name/,
    );
  });

  it("waits for a deletion that is under way, then recovers", async () => {
    await create({ import: { pem: material.pkcs8 } });
    await official().beginDeleteKey("orders");
    await create({ import: { pem: material.pkcs8 } });
    expect((await official().getKey("orders")).name).toBe("orders");
  });

  it("gives up waiting after the resource's own time, and says what for", async () => {
    const frozen = await startEmulator({ timing: "short" });
    const args = { vaultUrl: frozen.url, name: "orders", import: { pem: material.pkcs8 }, timeouts: { create: "1s" } };
    const checked = async () => (await key.check({}, { ...identity(), ...args })).inputs;
    vi.stubEnv("KEYVAULT_TOKEN", frozen.token);
    const { id, outs } = await key.create(await checked());
    frozen.clock.freeze();
    nextEngineRun();
    await key.delete(id, outs);
    await expect(key.create(await checked())).rejects.toThrow(/waited .* for key "orders".*timeouts/);
    await frozen.close();
  });

  it("takes the version whose answer was lost, and sends nothing twice", async () => {
    vault.faults.add({ kind: "dropAfter", operation: "importKey", times: 1 });
    await create({ import: { pem: material.pkcs8 } });
    expect(operations().filter((operation) => operation === "importKey")).toHaveLength(1);
    expect(await versions()).toBe(1);
  });

  it("takes the generated version whose answer was lost", async () => {
    vault.faults.add({ kind: "dropAfter", operation: "createKey", times: 1 });
    const { outs } = await create({ generate: { keyType: "EC", curve: "P-384" } });
    expect(outs.version).toBe((await official().getKey("orders")).properties.version);
    expect(await versions()).toBe(1);
  });

  it("records a key whose rotation policy was refused, so that the next run goes on with it", async () => {
    vault.faults.add({ kind: "status", status: 503, operation: "updateKeyRotationPolicy", times: 10 });
    const failed = create({ generate: { keyType: "RSA" }, rotationPolicy: { rotateAfter: "P90D" } });
    await expect(failed).rejects.toMatchObject({
      id: `${vault.url}/keys/orders`,
      properties: { name: "orders", version: expect.stringMatching(/^[0-9a-f]{32}$/) },
      reasons: [expect.stringMatching(/RotationPolicy/i)],
    });
    await expect(failed).rejects.not.toHaveProperty("properties.rotationPolicy");
  });
});
