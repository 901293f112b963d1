import { readFileSync } from "node:fs";
import { join } from "node:path";
import * as pulumi from "@pulumi/pulumi";
import { afterAll, beforeAll, beforeEach, describe, expect, it } from "vitest";
import { type Emulator, startEmulator } from "../../emulator/index.js";
import {
  getKey,
  getKeyOutput,
  getKeyVersion,
  getKeyVersionOutput,
  getSecret,
  getSecretMetadata,
  getSecretMetadataOutput,
  getSecretOutput,
  Key,
  Secret,
} from "../../sdk/index.js";
import { type CallVault, vaultCaller } from "../cli/vault-caller.js";
import { askedOperations } from "../emulator/asked-requests.js";

const VALUE = "hidden-value-of-the-secret";
const EXPIRES = 4_000_000_000;

/** What an Output holds. */
function settled<T>(output: pulumi.Output<T>): Promise<T> {
  return (output as unknown as { promise(): Promise<T> }).promise();
}

const isSecret = (output: pulumi.Output<unknown>) => pulumi.isSecret(output);

interface SentKey {
  key: { kid: string };
}

const versionOf = (id: string) => id.split("/").pop() ?? "";

describe("functions that read", () => {
  let vault: Emulator;
  let call: CallVault;
  let options: { credential: Emulator["credential"] };
  let firstKey: string;
  let firstSecret: string;

  beforeAll(async () => {
    vault = await startEmulator();
    options = { credential: vault.credential };
    call = vaultCaller(vault);
    const first = (await call("POST", "/keys/orders/create", { kty: "EC" })) as SentKey;
    firstKey = versionOf(first.key.kid);
    firstSecret = versionOf(((await call("PUT", "/secrets/db", { value: "former-value" })) as { id: string }).id);
    await vault.clock.advance(5_000);
    await call("POST", "/keys/orders/create", {
      kty: "RSA",
      attributes: { exp: EXPIRES, enabled: false },
      tags: { team: "orders", "pulumi-keyvault": "shop/prod abcdef" },
    });
    await call("PUT", "/secrets/db", { value: VALUE, contentType: "text/plain", attributes: { exp: EXPIRES } });
    await call("PUT", "/secrets/stopped", { value: VALUE, attributes: { enabled: false } });
    await call("POST", "/keys/former/create", { kty: "EC" });
    await call("PUT", "/secrets/former", { value: VALUE });
    await call("DELETE", "/keys/former");
    await call("DELETE", "/secrets/former");
    await call("PUT", "/secrets/stopped-former", { value: VALUE, attributes: { enabled: false } });
    await call("DELETE", "/secrets/stopped-former");
    await vault.clock.advance(120_000);
  });
  afterAll(() => vault?.close());
  beforeEach(() => vault.requests.clear());

  const operations = (): string[] => askedOperations(vault);

  it("ask the vault as docs/requests.md says", async () => {
    const object = (name: string) => ({ vaultUrl: vault.url, name });
    const steps: Record<string, () => Promise<unknown>> = {
      getKey: () => getKey(object("orders"), options),
      getKeyVersion: () => getKeyVersion({ ...object("orders"), version: firstKey }, options),
      getSecret: () => getSecret(object("db"), options),
      "getSecretMetadata, for each 25 versions": () => getSecretMetadata(object("db"), options),
      "getKey of a key that is gone": () => getKey(object("former"), options).catch(() => undefined),
      "getSecret of a secret that is gone": () => getSecret(object("former"), options).catch(() => undefined),
    };
    const page = readFileSync(join(__dirname, "../../docs/requests.md"), "utf8").split("## Functions")[1] ?? "";
    const rows = [...page.matchAll(/^\| (get.+?) \| (\d+) \| (.*?) \|$/gm)];
    expect(rows.map(([, step]) => step)).toEqual(Object.keys(steps));
    for (const [, step = "", count, asked = ""] of rows) {
      vault.requests.clear();
      await steps[step]?.();
      expect([step, operations().join(", "), operations().length]).toEqual([step, asked, Number(count)]);
    }
  });

  it("getKey reads the current version, a disabled one too, with one request", async () => {
    const key = await getKey({ vaultUrl: vault.url, name: "orders" }, options);
    expect(operations()).toEqual(["getKey"]);
    expect(key).toMatchObject({
      id: `${vault.url}/keys/orders`,
      versionId: `${vault.url}/keys/orders/${key.version}`,
      vaultUrl: vault.url,
      name: "orders",
      keyType: "RSA",
      keySize: 2048,
      keyOps: ["encrypt", "decrypt", "sign", "verify", "wrapKey", "unwrapKey"],
      hardwareProtected: false,
      enabled: false,
      expiresOn: "2096-10-02T07:06:40Z",
      createdOn: expect.stringMatching(/^\d{4}-\d\d-\d\dT[\d:]{8}Z$/),
      tags: { team: "orders" },
      managed: false,
      publicKeyPem: expect.stringContaining("BEGIN PUBLIC KEY"),
      publicKeyOpenSsh: expect.stringMatching(/^ssh-rsa /),
      publicKeyJwk: { kty: "RSA", n: expect.any(String), e: "AQAB" },
      thumbprint: expect.stringMatching(/^[\w-]{43}$/),
    });
    expect(key.version).not.toBe(firstKey);
  });

  it("getKeyVersion reads the version that is named, by its parts and by its id, with one request", async () => {
    const id = `${vault.url}/keys/orders/${firstKey}`;
    const key = await getKeyVersion({ vaultUrl: vault.url, name: "orders", version: firstKey }, options);
    expect(operations()).toEqual(["getKey"]);
    expect(key).toMatchObject({ version: firstKey, versionId: id, keyType: "EC", curve: "P-256", enabled: true });
    expect(await getKeyVersion({ id }, options)).toEqual(key);
    expect(await getKeyVersion({ id: key.id, version: firstKey }, options)).toEqual(key);
  });

  it("getSecret reads a value as a secret Output, with one request", async () => {
    const current = await getSecret({ vaultUrl: vault.url, name: "db" }, options);
    expect(operations()).toEqual(["getSecret"]);
    expect(await settled(current.value)).toBe(VALUE);
    expect(await isSecret(current.value)).toBe(true);
    expect(JSON.stringify({ ...current, value: undefined })).not.toContain(VALUE);
    expect(current).toMatchObject({ name: "db", contentType: "text/plain", expiresOn: "2096-10-02T07:06:40Z" });
    const former = await getSecret({ id: `${vault.url}/secrets/db`, version: firstSecret }, options);
    expect(await settled(former.value)).toBe("former-value");
    expect(former.versionId).toBe(`${vault.url}/secrets/db/${firstSecret}`);
  });

  it("getSecretMetadata reads all but the value, of a disabled version too, with one request that reads none", async () => {
    const metadata = await getSecretMetadata({ vaultUrl: vault.url, name: "db" }, options);
    expect(operations()).toEqual(["getSecretVersions"]);
    const { value, ...read } = await getSecret({ vaultUrl: vault.url, name: "db" }, options);
    expect(await settled(value)).toBe(VALUE);
    expect(metadata).toEqual(read);
    expect(await getSecretMetadata({ vaultUrl: vault.url, name: "stopped" }, options)).toMatchObject({
      enabled: false,
    });
    const former = { vaultUrl: vault.url, name: "db", version: firstSecret };
    expect(await getSecretMetadata(former, options)).toMatchObject({ version: firstSecret });
  });

  it("getSecretMetadata does not guess which of two versions of one second is the current one", async () => {
    vault.clock.freeze();
    await call("PUT", "/secrets/twice", { value: VALUE });
    await call("PUT", "/secrets/twice", { value: VALUE });
    vault.clock.resume();
    await expect(getSecretMetadata({ vaultUrl: vault.url, name: "twice" }, options)).rejects.toMatchObject({
      code: "KV_CONFLICT",
    });
  });

  it("have a form that takes Outputs, whose result of a secret is secret as a whole", async () => {
    const name = pulumi.output("orders");
    const vaultUrl = pulumi.output(vault.url);
    const key = getKeyOutput({ vaultUrl, name }, options);
    expect(await settled(key.keyType)).toBe("RSA");
    expect(await isSecret(key)).toBe(false);
    const id = pulumi.interpolate`${vaultUrl}/keys/${name}`;
    expect(await settled(getKeyVersionOutput({ id, version: firstKey }, options).keyType)).toBe("EC");
    const secret = getSecretOutput({ vaultUrl, name: "db" }, options);
    expect(await settled(secret.value)).toBe(VALUE);
    expect(await isSecret(secret.value)).toBe(true);
    const metadata = getSecretMetadataOutput({ vaultUrl, name: "db" }, options);
    expect(await isSecret(metadata)).toBe(false);
    expect(await settled(metadata)).toMatchObject({ contentType: "text/plain" });
    expect(operations()).toEqual(["getKey", "getKey", "getSecret", "getSecretVersions"]);
  });

  it("stay secret where an argument is", async () => {
    const key = getKeyOutput({ vaultUrl: vault.url, name: pulumi.secret("orders") }, options);
    expect(await isSecret(key.keyType)).toBe(true);
  });

  it("tell until when a deleted object can be recovered", async () => {
    const deleted = {
      code: "KV_DELETED_RECOVERABLE",
      message: expect.stringMatching(/was deleted on .*T.*Z and can be recovered until \d{4}-.*Z/),
    };
    await expect(getKey({ vaultUrl: vault.url, name: "former" }, options)).rejects.toMatchObject(deleted);
    expect(operations()).toEqual(["getKey", "getDeletedKey"]);
    await expect(getSecret({ vaultUrl: vault.url, name: "former" }, options)).rejects.toMatchObject(deleted);
    await expect(getSecretMetadata({ vaultUrl: vault.url, name: "former" }, options)).rejects.toMatchObject(deleted);
  });

  it("tell of a secret that was disabled before it was deleted that it can be recovered", async () => {
    const deleted = {
      code: "KV_DELETED_RECOVERABLE",
      message: expect.stringContaining("was deleted and can be recovered"),
    };
    const gone = { vaultUrl: vault.url, name: "stopped-former" };
    await expect(getSecret(gone, options)).rejects.toMatchObject(deleted);
    await expect(getSecretMetadata(gone, options)).rejects.toMatchObject(deleted);
  });

  it.each([
    ["a map", {}],
    ["a number", 5],
    ["an Output", pulumi.output("token")],
  ])("refuse %s, which is no credential", async (_what, credential) => {
    const asker = { credential } as unknown as typeof options;
    await expect(getKey({ vaultUrl: vault.url, name: "orders" }, asker)).rejects.toMatchObject({
      code: "KV_INVALID_INPUT",
      message: expect.stringMatching(/The credential is .*getToken/),
    });
  });

  it("tell what is not there, and which version", async () => {
    const nothing = { code: "KV_NOT_FOUND" };
    await expect(getKey({ vaultUrl: vault.url, name: "nobody" }, options)).rejects.toMatchObject(nothing);
    await expect(getSecretMetadata({ vaultUrl: vault.url, name: "nobody" }, options)).rejects.toMatchObject(nothing);
    const version = "0".repeat(32);
    const named = { ...nothing, message: expect.stringMatching(/^KV_NOT_FOUND: version 0{32} of (key|secret) "/) };
    await expect(getKeyVersion({ vaultUrl: vault.url, name: "orders", version }, options)).rejects.toMatchObject(named);
    await expect(getSecret({ vaultUrl: vault.url, name: "db", version }, options)).rejects.toMatchObject(named);
    await expect(getSecretMetadata({ vaultUrl: vault.url, name: "db", version }, options)).rejects.toMatchObject(named);
  });

  it("tell that a secret is disabled", async () => {
    await expect(getSecret({ vaultUrl: vault.url, name: "stopped" }, options)).rejects.toMatchObject({
      code: "KV_FORBIDDEN",
      innerCode: "SecretDisabled",
      message: expect.stringContaining("enable it first"),
    });
  });

  it("tell which permission and role is missing", async () => {
    const permissions = { principals: { reader: { secrets: ["list"] } } };
    const guarded = await startEmulator({ vaults: [{ name: "guarded", permissions }] });
    const as = { credential: guarded.credentialFor("reader") };
    const object = { vaultUrl: guarded.url, name: "db" };
    const refused = (...words: string[]) => ({
      code: "KV_FORBIDDEN",
      message: expect.stringMatching(new RegExp(words.join(".*"))),
    });
    await expect(getKey(object, as)).rejects.toMatchObject(refused("keys/get", "keys/read", "Key Vault Reader"));
    await expect(getSecret(object, as)).rejects.toMatchObject(
      refused("secrets/get", "secrets/getSecret/action", "Key Vault Secrets User"),
    );
    // Without secrets/get nobody may look among the deleted ones, which is said and hides nothing.
    await expect(getSecretMetadata(object, as)).rejects.toMatchObject({
      code: "KV_NOT_FOUND",
      message: expect.stringContaining("could not be read"),
    });
    await guarded.close();
  });

  it("refuse what names no object, before anything is asked", async () => {
    const vaultUrl = vault.url;
    const refused = (why: RegExp) => ({ code: "KV_INVALID_INPUT", message: expect.stringMatching(why) });
    const said = <T>(value: unknown): T => value as T;
    await expect(getKey({ id: `${vaultUrl}/keys/orders/${firstKey}` }, options)).rejects.toMatchObject(
      refused(/getKeyVersion/),
    );
    await expect(getKey({ id: `${vaultUrl}/secrets/db` }, options)).rejects.toMatchObject(
      refused(/secrets, not of its keys/),
    );
    await expect(getKey(said({ vaultUrl }), options)).rejects.toMatchObject(refused(/no key is named/));
    await expect(getKey(said(undefined), options)).rejects.toMatchObject(refused(/no key is named/));
    await expect(getSecret({ vaultUrl, name: "a_b" }, options)).rejects.toMatchObject(refused(/no name of a secret/));
    await expect(getSecret({ vaultUrl, name: "db", version: "../db" }, options)).rejects.toMatchObject(
      refused(/no version/),
    );
    await expect(getKey(said({ id: `${vaultUrl}/keys/orders`, name: "other" }), options)).rejects.toMatchObject(
      refused(/beside it/),
    );
    await expect(getKeyVersion(said({ vaultUrl, name: "orders" }), options)).rejects.toMatchObject(
      refused(/getKey reads the current one/),
    );
    await expect(getKey({ vaultUrl, name: said(pulumi.output("orders")) }, options)).rejects.toMatchObject(
      refused(/ends in Output/),
    );
    await expect(getKey({ name: "orders" }, options)).rejects.toMatchObject(refused(/No vault is named/));
    expect(vault.requests.count).toBe(0);
  });
});

describe("functions in a unit test with Pulumi's mocks", () => {
  const vaultUrl = "https://contoso.vault.azure.net";
  let calls: { token: string; inputs: unknown }[] = [];
  const mocks = (preview: boolean) =>
    pulumi.runtime.setMocks(
      {
        newResource: ({ name, inputs }) => ({ id: preview ? undefined : `${name}_id`, state: inputs }),
        call: ({ token, inputs }) => {
          calls.push({ token, inputs });
          return { ...inputs, value: VALUE, keyType: "EC" };
        },
      },
      "shop",
      "prod",
      preview,
    );
  beforeEach(() => {
    calls = [];
  });

  it("are answered by the mock's call, a value as a secret", async () => {
    await mocks(false);
    expect(await getKey({ vaultUrl, name: "orders" })).toMatchObject({ keyType: "EC" });
    const { value } = await getSecret({ vaultUrl, name: "db" });
    expect([await settled(value), await isSecret(value)]).toEqual([VALUE, true]);
    expect(calls).toEqual([
      { token: "keyvault:index:getKey", inputs: { vaultUrl, name: "orders" } },
      { token: "keyvault:index:getSecret", inputs: { vaultUrl, name: "db" } },
    ]);
  });

  it("ask nothing in a preview as long as an argument is unknown", async () => {
    await mocks(true);
    const { id } = new Key("orders", { vaultUrl, name: "orders", generate: { keyType: "EC" } });
    const key = getKeyOutput({ id });
    expect(await (key as unknown as { isKnown: Promise<boolean> }).isKnown).toBe(false);
    expect(calls).toEqual([]);
  });

  it("wait in a preview for a resource that is still to be made, though its name is known", async () => {
    await mocks(true);
    const made = new Key("orders", { vaultUrl, name: "orders", generate: { keyType: "EC" } });
    expect(await settled(made.name)).toBe("orders");
    for (const key of [
      getKeyOutput({ vaultUrl, name: made.name }),
      getKeyOutput({ vaultUrl, name: "orders" }, { dependsOn: made }),
    ]) {
      expect(await (key as unknown as { isKnown: Promise<boolean> }).isKnown).toBe(false);
    }
    expect(calls).toEqual([]);
    expect(await settled(getKeyOutput({ vaultUrl, name: "orders" }).keyType)).toBe("EC");
  });

  it("are what Key.get and Secret.get name for the id of a version", async () => {
    await mocks(false);
    const version = "0123456789abcdef0123456789abcdef";
    expect(() => Key.get("k", `${vaultUrl}/keys/orders/${version}`)).toThrow(
      /give https:\/\/contoso\.vault\.azure\.net\/keys\/orders, or read that version with getKeyVersion/,
    );
    expect(() => Secret.get("s", `${vaultUrl}/secrets/db/${version}`)).toThrow(/with getSecret/);
  });
});
