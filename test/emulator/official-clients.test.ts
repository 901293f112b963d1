import { createHash, generateKeyPairSync, randomBytes } from "node:crypto";
import { Agent } from "node:https";
import { CryptographyClient, type JsonWebKey, KeyClient } from "@azure/keyvault-keys";
import { SecretClient } from "@azure/keyvault-secrets";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { type Emulator, startEmulator } from "../../emulator/index.js";

let emulator: Emulator;
let agent: Agent;
let keys: KeyClient;
let secrets: SecretClient;

function options(serviceVersion: "7.4" | "7.5" | "7.6" = "7.4") {
  return {
    serviceVersion,
    retryOptions: { maxRetries: 0 },
    additionalPolicies: [
      {
        position: "perRetry" as const,
        policy: {
          name: "agent",
          sendRequest: (request: { agent?: unknown }, next: (request: never) => never) => {
            request.agent = agent;
            return next(request as never);
          },
        },
      },
    ],
  } as object;
}

beforeAll(async () => {
  emulator = await startEmulator({ tls: true, timing: "short", vaults: ["official", "other"] });
  agent = new Agent({ keepAlive: true, ca: emulator.caCertificate, lookup: emulator.lookup });
  keys = new KeyClient(emulator.vault("official").url, emulator.credential, options());
  secrets = new SecretClient(emulator.vault("official").url, emulator.credential, options());
});

afterAll(async () => {
  agent.destroy();
  await emulator.close();
});

async function collect<T>(items: AsyncIterable<T>): Promise<T[]> {
  const all: T[] = [];
  for await (const item of items) all.push(item);
  return all;
}

const jwkOf = (key: import("node:crypto").KeyObject) => {
  const jwk = key.export({ format: "jwk" });
  const bytes = (member: string | undefined) => Buffer.from(member ?? "", "base64url");
  const { kty, crv } = jwk;
  const numbers = Object.fromEntries(
    (["n", "e", "d", "p", "q", "dp", "dq", "qi", "x", "y"] as const)
      .filter((member) => jwk[member] !== undefined)
      .map((member) => [member, bytes(jwk[member])]),
  );
  return { kty, crv, ...numbers } as JsonWebKey;
};

describe("the official clients, with their challenge verification on", () => {
  it("create keys of every kind", async () => {
    const rsa = await keys.createRsaKey("rsa", { keySize: 2048, tags: { a: "b" } });
    expect(rsa).toMatchObject({
      keyType: "RSA",
      properties: { tags: { a: "b" }, enabled: true, version: expect.any(String) },
    });
    expect((await keys.createRsaKey("rsa-hsm", { hsm: true })).keyType).toBe("RSA-HSM");
    for (const curve of ["P-256", "P-384", "P-521", "P-256K"]) {
      expect((await keys.createEcKey(`ec-${curve}`, { curve })).key?.crv).toBe(curve);
    }
    await expect(keys.createOctKey("oct", { hsm: true })).rejects.toMatchObject({
      statusCode: 400,
      code: "BadParameter",
    });
  });

  it("create keys by type, hand out a cryptography client and refuse to release", async () => {
    const key = await keys.createKey("general", "RSA", {
      keySize: 3072,
      enabled: true,
      expiresOn: new Date("2037-01-01"),
    });
    expect(key.properties.expiresOn).toEqual(new Date("2037-01-01"));
    const version = key.properties.version ?? "";
    const client = keys.getCryptographyClient("general", { keyVersion: version });
    expect((await client.sign("PS256", createHash("sha256").update("x").digest())).result.length).toBe(384);
    await expect(keys.releaseKey("general", "attestation")).rejects.toMatchObject({
      statusCode: 403,
      code: "Forbidden",
    });
  });

  it("import, get, update and list the versions of a key", async () => {
    const { privateKey } = generateKeyPairSync("rsa", { modulusLength: 2048 });
    const first = await keys.importKey("imported", jwkOf(privateKey));
    const second = await keys.importKey("imported", jwkOf(privateKey), { hardwareProtected: true, enabled: false });
    expect(second.keyType).toBe("RSA-HSM");
    expect((await keys.getKey("imported")).properties.version).toBe(second.properties.version);
    expect((await keys.getKey("imported", { version: first.properties.version ?? "" })).keyType).toBe("RSA");
    const updated = await keys.updateKeyProperties("imported", { enabled: true, tags: { moved: "yes" } });
    expect(updated.properties).toMatchObject({ enabled: true, tags: { moved: "yes" } });
    const versions = await collect(keys.listPropertiesOfKeyVersions("imported"));
    expect(versions.map((version) => version.version).sort()).toEqual(
      [first.properties.version, second.properties.version].sort(),
    );
  });

  it("delete, recover and purge with their pollers", async () => {
    await keys.createEcKey("doomed");
    const deleted = await (await keys.beginDeleteKey("doomed", { intervalInMs: 50 })).pollUntilDone();
    expect(deleted.properties.recoveryId).toContain("/deletedkeys/doomed");
    expect((await keys.getDeletedKey("doomed")).name).toBe("doomed");
    expect((await collect(keys.listDeletedKeys())).map((key) => key.name)).toContain("doomed");
    await expect(keys.createEcKey("doomed")).rejects.toMatchObject({ statusCode: 409, code: "Conflict" });
    const recovered = await (await keys.beginRecoverDeletedKey("doomed", { intervalInMs: 50 })).pollUntilDone();
    expect(recovered.name).toBe("doomed");
    await (await keys.beginDeleteKey("doomed", { intervalInMs: 50 })).pollUntilDone();
    await keys.purgeDeletedKey("doomed");
    await expect(keys.getDeletedKey("doomed")).rejects.toMatchObject({ statusCode: 404, code: "KeyNotFound" });
  });

  it("back a key up and restore it in another vault", async () => {
    const source = await keys.createEcKey("movable", { tags: { team: "orders" } });
    const blob = await keys.backupKey("movable");
    const other = new KeyClient(emulator.vault("other").url, emulator.credential, options());
    const copy = await other.restoreKeyBackup(blob ?? new Uint8Array());
    expect(copy.properties.version).toBe(source.properties.version);
    expect(copy.key?.x).toEqual(source.key?.x);
    expect(copy.properties.tags).toEqual({ team: "orders" });
    await expect(other.restoreKeyBackup(blob ?? new Uint8Array())).rejects.toMatchObject({ statusCode: 409 });
  });

  it("rotate by hand and by policy", async () => {
    await keys.createEcKey("turning");
    const policy = await keys.updateKeyRotationPolicy("turning", {
      expiresIn: "P90D",
      lifetimeActions: [{ action: "Rotate", timeAfterCreate: "P30D" }],
    });
    expect(policy.lifetimeActions).toEqual([
      { action: "Rotate", timeAfterCreate: "P30D", timeBeforeExpiry: undefined },
      { action: "Notify", timeAfterCreate: undefined, timeBeforeExpiry: "P30D" },
    ]);
    expect((await keys.getKeyRotationPolicy("turning")).expiresIn).toBe("P90D");
    const rotated = await keys.rotateKey("turning");
    const lifetime = (rotated.properties.expiresOn?.getTime() ?? 0) - (rotated.properties.createdOn?.getTime() ?? 0);
    expect(lifetime).toBe(90 * 86_400_000);
  });

  it("page over 60 keys and find every one", async () => {
    const names = Array.from({ length: 60 }, (_, index) => `page-${String(index).padStart(2, "0")}`);
    await Promise.all(names.map((name) => keys.createEcKey(name)));
    const listed = (await collect(keys.listPropertiesOfKeys())).map((key) => key.name);
    expect(listed.filter((name) => name.startsWith("page-"))).toEqual(names);
    let pages = 0;
    for await (const page of keys.listPropertiesOfKeys().byPage({ maxPageSize: 10 })) {
      pages += 1;
      expect(page.length).toBeLessThanOrEqual(10);
    }
    expect(pages).toBeGreaterThan(6);
  });

  it("encrypt, wrap and sign with RSA", async () => {
    const key = await keys.createRsaKey("crypto-rsa");
    const client = new CryptographyClient(key, emulator.credential, options());
    const remote = new CryptographyClient(key.id ?? "", emulator.credential, options());
    for (const algorithm of ["RSA1_5", "RSA-OAEP", "RSA-OAEP-256"] as const) {
      const plaintext = randomBytes(32);
      const sealed = await client.encrypt({ algorithm, plaintext });
      expect(Buffer.from((await remote.decrypt({ algorithm, ciphertext: sealed.result })).result)).toEqual(plaintext);
      const wrapped = await remote.wrapKey(algorithm, plaintext);
      expect(Buffer.from((await remote.unwrapKey(algorithm, wrapped.result)).result)).toEqual(plaintext);
    }
    for (const algorithm of ["RS256", "RS384", "RS512", "PS256", "PS384", "PS512"]) {
      const data = randomBytes(100);
      const { result } = await client.signData(algorithm, data);
      // verifyData is left out: this client does it by itself for RSA, over no data at all.
      const digest = createHash(`sha${algorithm.slice(2)}`)
        .update(data)
        .digest();
      expect((await remote.verify(algorithm, digest, result)).result).toBe(true);
      expect((await remote.verify(algorithm, randomBytes(digest.length), result)).result).toBe(false);
    }
  });

  it("sign and verify with every curve", async () => {
    for (const [algorithm, curve, hash] of [
      ["ES256", "P-256", "sha256"],
      ["ES384", "P-384", "sha384"],
      ["ES512", "P-521", "sha512"],
      ["ES256K", "P-256K", "sha256"],
    ] as const) {
      const key = await keys.createEcKey(`crypto-${curve}`, { curve });
      const client = new CryptographyClient(key.id ?? "", emulator.credential, options());
      const digest = createHash(hash).update("message").digest();
      const { result } = await client.sign(algorithm, digest);
      expect((await client.verify(algorithm, digest, result)).result).toBe(true);
      expect((await client.verify(algorithm, createHash(hash).update("other").digest(), result)).result).toBe(false);
    }
  });

  it("speak newer api-versions and see the platform of hardware keys", async () => {
    const newest = new KeyClient(emulator.vault("official").url, emulator.credential, options("7.6"));
    expect((await newest.createRsaKey("newest", { hsm: true })).properties.hsmPlatform).toBe("1");
  });

  it("keep secrets through their whole life", async () => {
    const set = await secrets.setSecret("db", "first", { contentType: "text/plain", tags: { a: "b" } });
    expect(set).toMatchObject({ value: "first", properties: { contentType: "text/plain", tags: { a: "b" } } });
    await secrets.setSecret("db", "second\nline");
    expect((await secrets.getSecret("db")).value).toBe("second\nline");
    expect((await secrets.getSecret("db", { version: set.properties.version ?? "" })).value).toBe("first");
    const updated = await secrets.updateSecretProperties("db", set.properties.version ?? "", { contentType: "x" });
    expect(updated.contentType).toBe("x");
    expect(await collect(secrets.listPropertiesOfSecretVersions("db"))).toHaveLength(2);
    expect((await collect(secrets.listPropertiesOfSecrets())).map((secret) => secret.name)).toContain("db");
    const blob = await secrets.backupSecret("db");
    await (await secrets.beginDeleteSecret("db", { intervalInMs: 50 })).pollUntilDone();
    expect((await secrets.getDeletedSecret("db")).recoveryId).toContain("/deletedsecrets/db");
    expect(await collect(secrets.listDeletedSecrets())).toHaveLength(1);
    await (await secrets.beginRecoverDeletedSecret("db", { intervalInMs: 50 })).pollUntilDone();
    await (await secrets.beginDeleteSecret("db", { intervalInMs: 50 })).pollUntilDone();
    await secrets.purgeDeletedSecret("db");
    const other = new SecretClient(emulator.vault("other").url, emulator.credential, options());
    expect((await other.restoreSecretBackup(blob ?? new Uint8Array())).name).toBe("db");
    expect((await other.getSecret("db")).value).toBe("second\nline");
  });

  it("page over 60 secrets and find every one", async () => {
    await Promise.all(Array.from({ length: 60 }, (_, index) => secrets.setSecret(`many-${index}`, "x")));
    const listed = await collect(secrets.listPropertiesOfSecrets());
    expect(listed.filter((secret) => secret.name.startsWith("many-"))).toHaveLength(60);
  });
});

describe("the official clients against a Managed HSM", () => {
  it("make symmetric keys, use them and draw random bytes", async () => {
    const hsm = await startEmulator({ tls: true, vaults: [{ name: "hsm", plane: "managedhsm" }] });
    const own = new Agent({ ca: hsm.caCertificate, lookup: hsm.lookup });
    const previous = agent;
    agent = own;
    try {
      const client = new KeyClient(`https://hsm.localhost:${hsm.port}`, hsm.credential, options());
      const key = await client.createOctKey("aes", { keySize: 256, hsm: true });
      expect(key.keyType).toBe("oct-HSM");
      expect((await client.createRsaKey("soft")).keyType).toBe("RSA-HSM");
      expect((await client.getRandomBytes(16)).length).toBe(16);
      const crypto = new CryptographyClient(key, hsm.credential, options());
      const plaintext = randomBytes(48);
      const gcm = await crypto.encrypt({ algorithm: "A256GCM", plaintext });
      const opened = await crypto.decrypt({
        algorithm: "A256GCM",
        ciphertext: gcm.result,
        iv: gcm.iv ?? new Uint8Array(),
        authenticationTag: gcm.authenticationTag ?? new Uint8Array(),
      });
      expect(Buffer.from(opened.result)).toEqual(plaintext);
      const cbc = await crypto.encrypt({ algorithm: "A256CBCPAD", plaintext, iv: randomBytes(16) });
      const back = await crypto.decrypt({
        algorithm: "A256CBCPAD",
        ciphertext: cbc.result,
        iv: cbc.iv ?? new Uint8Array(),
      });
      expect(Buffer.from(back.result)).toEqual(plaintext);
      const wrapped = await crypto.wrapKey("A256KW", plaintext);
      expect(Buffer.from((await crypto.unwrapKey("A256KW", wrapped.result)).result)).toEqual(plaintext);
    } finally {
      agent = previous;
      own.destroy();
      await hsm.close();
    }
  });
});
