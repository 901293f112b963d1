import { randomBytes } from "node:crypto";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { type Emulator, startEmulator } from "../../emulator/index.js";
import { UNKNOWN } from "../../provider/engine/unknown.js";
import { readKeyMaterial } from "../../provider/material/key-material.js";
import { type CallVault, vaultCaller } from "../cli/vault-caller.js";
import { ecKey, rsaKey } from "../engine/demo-keys.js";
import { DrivenResource } from "./driven-resource.js";
import { startOtherServer } from "./other-server.js";
import { key } from "./providers.js";

interface Made {
  key: { kid: string; kty: string };
}

describe("an import that is wrapped on its way", () => {
  let vault: Emulator;
  let call: CallVault;
  let resource: DrivenResource;
  let kek: string;

  beforeEach(async () => {
    vault = await startEmulator();
    call = vaultCaller(vault);
    resource = new DrivenResource(key, vault, { vaultUrl: vault.url, name: "orders" });
    kek = await exchangeKey("kek");
    vault.requests.clear();
  });
  afterEach(() => vault.close());

  /** Makes a key, and tells its versionless id. */
  async function exchangeKey(name: string, body: object = {}): Promise<string> {
    await call("POST", `/keys/${name}/create`, { kty: "RSA-HSM", key_ops: ["import"], ...body });
    return `${vault.url}/keys/${name}`;
  }

  it.each([
    ["RSA", () => rsaKey(), { keyType: "RSA-HSM" }],
    ["P-256", () => ecKey(), { keyType: "EC-HSM" }],
    ["P-256K", () => ecKey("secp256k1"), { keyType: "EC-HSM" }],
  ])(
    "of %s is opened by the vault, kept in its HSM, and known by its own thumbprint",
    async (_kind, make, expected) => {
      const material = make();
      const state = await resource.created({ import: { pem: material.pkcs8, wrapWith: kek } });
      expect(resource.operations()).toEqual(["getKey", "getKey", "importKey"]);
      expect(state.outs).toMatchObject({ ...expected, thumbprint: readKeyMaterial(material.pkcs8).thumbprint });
      expect(state.inputs).toMatchObject({ hardwareProtected: true });
      expect(JSON.stringify(state)).not.toContain("kek");
      expect(await resource.drift(state)).toEqual({});
    },
  );

  it("sends nothing of the material that is not wrapped", async () => {
    const sent: string[] = [];
    const server = await startOtherServer(vault, (exchange) => {
      sent.push(exchange.sent);
      return exchange;
    });
    const material = rsaKey();
    const wired = new DrivenResource(key, vault, { vaultUrl: server.url, name: "orders" });
    await wired.created({ import: { pem: material.pkcs8, wrapWith: `${server.url}/keys/kek` } });
    server.close();
    const text = sent.join("\n");
    expect(text).toContain("key_hsm");
    const blob = Buffer.from(/"key_hsm":"([\w-]+)"/.exec(text)?.[1] ?? "", "base64url").toString();
    const numbers = Object.values(material.jwk).filter((number) => number.length > 40);
    expect([...material.canaries, ...numbers].filter((part) => `${text}${blob}`.includes(part))).toEqual([]);
  });

  it("is no success where what the vault opened is another key", async () => {
    const { x, y } = ecKey().jwk;
    const server = await startOtherServer(vault, (exchange) => {
      const { path, body, status } = exchange;
      if (status !== 200 || !path.startsWith("/keys/orders")) return exchange;
      return { status, body: { ...body, key: { ...(body?.key as object), x, y } } };
    });
    const other = new DrivenResource(key, vault, { vaultUrl: server.url, name: "orders" });
    const creating = other.created({ import: { pem: ecKey().pkcs8, wrapWith: `${server.url}/keys/kek` } });
    await expect(creating).rejects.toThrow(/KV_CONFLICT/);
    server.close();
  });

  it("makes a new version for other material, wrapped again, and tells drift of it", async () => {
    const state = await resource.created({ import: { pem: ecKey().pkcs8, wrapWith: kek } });
    const next = await resource.updated(state, { import: { pem: ecKey().pkcs8, wrapWith: kek } });
    expect(resource.operations()).toEqual(["getKey", "getKey", "importKey"]);
    expect(next.outs.version).not.toBe(state.outs.version);
    await call("POST", "/keys/orders/create", { kty: "EC" });
    expect(Object.keys(await resource.drift(next))).toEqual(["thumbprint"]);
  });

  it("goes on without its exchange key once it is there: neither another, nor an expired or missing one, changes anything", async () => {
    const material = { pem: ecKey().pkcs8 };
    const state = await resource.created({ import: { ...material, wrapWith: kek } });
    const other = await exchangeKey("other", { attributes: { exp: 1_600_000_000 } });
    const facts = { keyType: "RSA-HSM", expiresOn: "2020-01-01T00:00:00Z" };
    for (const wrapWith of [other, `${vault.url}/keys/nobody`, { id: kek, ...facts }]) {
      expect(await resource.checked({ import: { ...material, wrapWith } }, state.inputs)).toEqual(state.inputs);
    }
  });

  it("brings a key that was in software into the HSM, as a new version", async () => {
    const material = { pem: ecKey().pkcs8 };
    const state = await resource.created({ import: material });
    const next = await resource.updated(state, { import: { ...material, wrapWith: kek } });
    expect(next.outs).toMatchObject({ keyType: "EC-HSM", thumbprint: state.outs.thumbprint });
    expect(next.outs.version).not.toBe(state.outs.version);
  });

  it("takes one material to two names, each as its program says", async () => {
    const { pkcs8 } = ecKey();
    await resource.created({ name: "wrapped", import: { pem: pkcs8, wrapWith: kek } });
    await resource.created({ name: "plain", import: { pem: pkcs8 } });
    const types = await Promise.all(["wrapped", "plain"].map((name) => call("GET", `/keys/${name}`) as Promise<Made>));
    expect(types.map(({ key: { kty } }) => kty)).toEqual(["EC-HSM", "EC"]);
  });

  it("checks its material in a preview that is still to make the exchange key", async () => {
    const wrapWith = { id: UNKNOWN, version: UNKNOWN, keyType: UNKNOWN, keyOps: UNKNOWN };
    const material = ecKey().pkcs8;
    const inputs = await resource.checked({ import: { pem: material, wrapWith } });
    expect(inputs.thumbprint).toBe(readKeyMaterial(material).thumbprint);
    expect(await resource.refused({ import: { pem: "no key", wrapWith } })).toMatch(/KV_INVALID_KEY_MATERIAL/);
  });

  it("is never sent plain where its exchange key did not become known", async () => {
    const inputs = await resource.checked({ import: { pem: ecKey().pkcs8, wrapWith: { id: UNKNOWN } } });
    await expect(resource.provider.create(inputs)).rejects.toThrow(/KV_INVALID_INPUT: .*exchange key is not known/);
    expect(resource.operations()).not.toContain("importKey");
  });

  it.each<[string, unknown, RegExp]>([
    ["has expired", { expiresOn: "2020-01-01T00:00:00Z" }, /has expired on 2020-01-01T00:00:00Z.*new version/],
    ["does not import", { keyOps: ["wrapKey", "unwrapKey"] }, /do not include "import".*keyOps/],
    ["is of another type", { keyType: "EC" }, /of type EC, and an exchange key is of type RSA-HSM/],
    ["is too small", { keySize: 1024 }, /1024 bits/],
    ["is not valid yet", { notBefore: "2999-01-01T00:00:00Z" }, /not valid before 2999/],
  ])("is refused in the preview where the exchange key is known and %s", async (_what, facts, why) => {
    const told = await resource.refused({
      import: { pem: ecKey().pkcs8, wrapWith: { id: kek, ...(facts as object) } },
    });
    expect(told).toMatch(/^KV_INVALID_INPUT: import: wrapWith: key "kek" in \S+ cannot be used/);
    expect(told).toMatch(why);
    expect(vault.requests.count).toBe(0);
  });

  it.each<[string, unknown, object, RegExp]>([
    [
      "another vault",
      "https://other.vault.azure.net/keys/kek",
      {},
      /names a key in https:\/\/other\.vault\.azure\.net/,
    ],
    ["a secret", "https://other.vault.azure.net/secrets/kek", {}, /secrets, not of its keys/],
    ["no id", "hunter2hunter2", {}, /text of 14 characters/],
    ["a number", 4, {}, /a number/],
    ["nothing where a key was meant: it is not sent plain", null, {}, /wrapWith must be a Key .* is null/],
    ["an Output that has no value", "", {}, /wrapWith must be a Key .* is empty: what should name it has no value/],
    ["a key in software", undefined, { hardwareProtected: false }, /hardwareProtected.*false/],
  ])("is refused in the preview with %s", async (_what, wrapWith, more, why) => {
    const told = await resource.refused({
      import: { pem: ecKey().pkcs8, wrapWith: wrapWith === undefined ? kek : wrapWith },
      ...more,
    });
    expect(told).toMatch(why);
    expect(told).not.toContain("hunter2");
  });

  it("is refused of a transfer blob, which is wrapped already", async () => {
    const header = {
      kid: `${vault.url}/keys/kek/0123456789abcdef0123456789abcdef`,
      alg: "dir",
      enc: "CKM_RSA_AES_KEY_WRAP",
    };
    const byok = { schema_version: "1.0.0", header, ciphertext: randomBytes(600).toString("base64url") };
    expect(await resource.refused({ import: { byok, wrapWith: kek } })).toMatch(/wrapped already/);
  });

  it.each<[string, object, RegExp]>([
    ["is disabled", { attributes: { enabled: false } }, /is disabled.*enable it/],
    ["does not import", { key_ops: ["wrapKey"] }, /"import"/],
    ["is in software", { kty: "RSA" }, /type RSA,/],
    ["is of a curve", { kty: "EC-HSM", key_ops: ["sign"] }, /type EC-HSM/],
  ])("is not sent where the vault's exchange key %s", async (_what, body, why) => {
    const wrapWith = await exchangeKey("bad", body);
    vault.requests.clear();
    await expect(resource.created({ import: { pem: ecKey().pkcs8, wrapWith } })).rejects.toThrow(why);
    expect(resource.operations()).toEqual(["getKey", "getKey"]);
  });

  it("is not sent where the vault's exchange key has expired, as it does after 48 hours", async () => {
    await call("PATCH", "/keys/kek", { attributes: { exp: 1_600_000_000 } });
    vault.requests.clear();
    await expect(resource.created({ import: { pem: ecKey().pkcs8, wrapWith: kek } })).rejects.toThrow(
      /has expired on 2020-09-13T12:26:40Z: a vault lets an exchange key live for 48 hours.*generate\.keepers/,
    );
    expect(resource.operations()).toEqual(["getKey", "getKey"]);
  });

  it("is not sent where the exchange key is not there, which says nothing of the key itself", async () => {
    const wrapWith = `${vault.url}/keys/nobody`;
    await expect(resource.created({ import: { pem: ecKey().pkcs8, wrapWith } })).rejects.toThrow(
      /^KV_INVALID_INPUT: .*exchange key, key "nobody" in \S+, is not there/,
    );
    expect(resource.operations()).toEqual(["getKey", "getKey"]);
  });

  it("takes the version that wrapWith names", async () => {
    const { key: first } = (await call("GET", "/keys/kek")) as Made;
    await exchangeKey("kek", { kty: "RSA-HSM", attributes: { enabled: false } });
    await expect(resource.created({ import: { pem: ecKey().pkcs8, wrapWith: kek } })).rejects.toThrow(/disabled/);
    const state = await resource.created({ import: { pem: ecKey().pkcs8, wrapWith: first.kid } });
    expect(state.outs.keyType).toBe("EC-HSM");
  });
});

describe("on a Managed HSM", () => {
  it("a symmetric key is wrapped, too", async () => {
    const hsm = await startEmulator({ vaults: [{ name: "contoso", plane: "managedhsm" }] });
    const vaultUrl = `http://contoso.managedhsm.localhost:${hsm.port}`;
    const resource = new DrivenResource(key, hsm, { vaultUrl, name: "orders" });
    await vaultCaller(hsm)("POST", "/keys/kek/create", { kty: "RSA-HSM", key_ops: ["import"] });
    const k = randomBytes(32).toString("base64url");
    const state = await resource.created({ import: { jwk: { kty: "oct", k }, wrapWith: `${vaultUrl}/keys/kek` } });
    expect(state.outs.keyType).toBe("oct-HSM");
    expect(state.outs.thumbprint).toMatch(/^oct:scrypt:/);
    await hsm.close();
  });
});
