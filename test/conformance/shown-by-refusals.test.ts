import { generateKeyPairSync } from "node:crypto";
import { describe, expect, it } from "vitest";
import { replayInEmulatorMode } from "../../conformance/emulator-mode.js";
import {
  deletionOf,
  keyBundle,
  refusal,
  type ScriptedExchange,
  type ScriptOptions,
  scriptedRecording,
  versionNamed,
} from "./scripted-recording.js";

const replay = (exchanges: ScriptedExchange[], options?: ScriptOptions) =>
  replayInEmulatorMode(scriptedRecording(exchanges, options));
const passed = { status: "passed" };

const rsa = generateKeyPairSync("rsa", { modulusLength: 2048 }).privateKey.export({ format: "jwk" });
/** A modulus with a leading zero byte, as some libraries write it. */
const n = Buffer.concat([Buffer.alloc(1), Buffer.from(rsa.n ?? "", "base64url")]).toString("base64url");
const e = "AAEAAQ";
const operations = ["encrypt", "decrypt", "sign", "verify", "wrapKey", "unwrapKey"];
const rsaBundle = (version: string, more: Record<string, unknown> = {}) => {
  const { key, ...rest } = more;
  const numbers = { kty: "RSA", crv: undefined, x: undefined, y: undefined, n, e, key_ops: operations };
  return keyBundle("k", version, { ...rest, key: { ...numbers, ...(key as object | undefined) } });
};

describe("RSA numbers", () => {
  const read = { method: "GET", path: "/keys/k", status: 200, answer: rsaBundle("one") };

  it("come back as they were sent", async () => {
    const key = { ...rsa, n, e, kty: "RSA" };
    expect(
      await replay([{ method: "PUT", path: "/keys/k", status: 200, body: { key }, answer: rsaBundle("one") }, read]),
    ).toEqual(passed);
  });

  it("are there as shown where nobody imports them", async () => {
    expect(await replay([read])).toEqual(passed);
  });

  it("come out of a backup as they went in", async () => {
    const restored = {
      method: "POST",
      path: "/keys/restore",
      body: { value: "b64" },
      status: 200,
      answer: rsaBundle("one"),
    };
    expect(await replay([restored, read])).toEqual(passed);
  });

  it("keep their form where their private part was not recorded", async () => {
    const key = { kty: "RSA", n, e, d: "REDACTED" };
    expect(
      await replay([{ method: "PUT", path: "/keys/k", status: 200, body: { key }, answer: rsaBundle("one") }, read]),
    ).toEqual(passed);
  });

  it("keep their form where they came in a transfer blob", async () => {
    const kid = `https://scripted.vault.azure.net/keys/kek/${versionNamed("kek")}`;
    const blob = Buffer.from(
      JSON.stringify({ header: { kid, alg: "dir", enc: "CKM_RSA_AES_KEY_WRAP" }, ciphertext: "AAAA" }),
    );
    const key = { kty: "RSA-HSM", key_hsm: blob.toString("base64url") };
    const answer = rsaBundle("one", { key: { kty: "RSA-HSM", e: "AQAB" } });
    expect(
      await replay([
        { method: "PUT", path: "/keys/k", status: 200, body: { key }, answer },
        { method: "GET", path: "/keys/k", status: 200, answer },
      ]),
    ).toEqual(passed);
  });
});

describe("key operations", () => {
  const forbidden = (operation: string, innerCode?: string) =>
    refusal("Forbidden", `Operation ${operation} is not permitted on this key.`, innerCode);

  it.each(["encrypt", "decrypt", "wrapKey", "unwrapKey"])(
    "%s is forbidden where key_ops exclude it",
    async (operation) => {
      const key_ops = operations.filter((each) => each !== operation);
      const answer = rsaBundle("one", { key: { key_ops, n: rsa.n, e: "AQAB" } });
      expect(
        await replay([
          { method: "POST", path: "/keys/k/create", status: 200, body: { kty: "RSA", key_ops }, answer },
          {
            method: "POST",
            path: `/keys/k/${versionNamed("one")}/${operation.toLowerCase()}`,
            status: 403,
            body: { alg: "RSA-OAEP", value: "AAAA" },
            answer: forbidden(operation, "KeyOperationForbidden"),
          },
        ]),
      ).toEqual(passed);
    },
  );

  it.each(["encrypt", "decrypt", "wrapKey", "unwrapKey", "sign"])(
    "%s is missing where only its refusal tells of the key",
    async (operation) => {
      for (const innerCode of ["KeyOperationForbidden", undefined]) {
        const exchange = {
          method: "POST",
          path: `/keys/k/${versionNamed("one")}/${operation.toLowerCase()}`,
          status: 403,
          body: { alg: operation === "sign" ? "RS256" : "RSA-OAEP", value: "A".repeat(43) },
          answer: forbidden(operation, innerCode),
        };
        expect(await replay([exchange], { build: innerCode === undefined ? "1.0.0.800" : "1.9.1054.1" })).toEqual(
          passed,
        );
      }
    },
  );

  it("change with an update", async () => {
    const path = `/keys/k/${versionNamed("one")}`;
    const first = rsaBundle("one", { key: { n: rsa.n, e: "AQAB" } });
    const answer = rsaBundle("one", { key: { n: rsa.n, e: "AQAB", key_ops: ["sign"] } });
    const body = { alg: "RSA-OAEP", value: "AAAA" };
    expect(
      await replay([
        { method: "GET", path, status: 200, answer: first },
        { method: "PATCH", path, status: 200, body: { key_ops: ["sign"] }, answer },
        {
          method: "POST",
          path: `${path}/decrypt`,
          status: 403,
          body,
          answer: forbidden("decrypt", "KeyOperationForbidden"),
        },
      ]),
    ).toEqual(passed);
  });
});

const data = (policy: object) => Buffer.from(JSON.stringify(policy)).toString("base64url");
const policyOf = (equals: unknown) => ({
  version: "1.0.0",
  anyOf: [{ authority: "https://attestation.example/", allOf: [{ claim: "c", equals }] }],
});

describe("release policies", () => {
  const contentType = "application/json; charset=utf-8";
  const bundle = (release_policy: object | undefined, more: Record<string, unknown> = {}) =>
    rsaBundle("one", {
      key: { kty: "RSA-HSM", n: rsa.n, e: "AQAB" },
      attributes: { exportable: true },
      ...(release_policy === undefined ? {} : { release_policy }),
      ...more,
    });
  const create = (immutable: boolean | undefined, equals: unknown = "true") => ({
    method: "POST",
    path: "/keys/k/create",
    status: 200,
    body: {
      kty: "RSA-HSM",
      attributes: { exportable: true },
      release_policy: { data: data(policyOf(equals)), ...(immutable === undefined ? {} : { immutable }) },
    },
    answer: bundle({ contentType, data: data(policyOf(String(equals))), immutable: immutable ?? false }),
  });
  const immutableRefusal = (plane: "vault" | "managedhsm" = "vault") =>
    refusal(
      "BadParameter",
      plane === "vault"
        ? "AKV.SKR.1020: Immutable Key Release Policy cannot be modified."
        : "Immutable Release policy cannot be modified (Activity ID: 59958c8e-daf0-11ec-ad9a-6045bda2a4e6)",
    );

  it("say what a claim equals as text", async () => {
    expect(await replay([create(false, true)])).toEqual(passed);
    expect(await replay([create(undefined, false)])).toEqual(passed);
  });

  it.each([
    ["other", { data: data(policyOf("false")), immutable: true }],
    ["the same", { data: data(policyOf("true")), immutable: true }],
    ["the same without the flag", { data: data(policyOf("true")) }],
    ["the flag alone", { immutable: false }],
  ])("that are immutable are not changed to %s", async (_, release_policy) => {
    expect(
      await replay([
        create(true),
        { method: "PATCH", path: "/keys/k/", status: 400, body: { release_policy }, answer: immutableRefusal() },
      ]),
    ).toEqual(passed);
  });

  it("are immutable where only a refusal tells of them, with a request or without", async () => {
    const patch = { method: "PATCH", path: "/keys/k/", status: 400, answer: immutableRefusal() };
    const body = { attributes: {}, release_policy: { immutable: true, data: data(policyOf("false")) } };
    expect(await replay([patch])).toEqual(passed);
    expect(await replay([{ ...patch, body }])).toEqual(passed);
    const onHsm = { ...patch, body, answer: immutableRefusal("managedhsm") };
    expect(await replay([onHsm], { plane: "managedhsm" })).toEqual(passed);
  });

  it("are immutable on a key that is shown with one", async () => {
    const release_policy = { contentType, data: data(policyOf("true")), immutable: true };
    const body = { release_policy: { data: data(policyOf("false")), immutable: true } };
    expect(
      await replay([
        { method: "GET", path: "/keys/k", status: 200, answer: bundle(release_policy) },
        { method: "PATCH", path: "/keys/k/", status: 400, body, answer: immutableRefusal() },
        {
          method: "PATCH",
          path: "/keys/k/",
          status: 200,
          body: { attributes: { enabled: false } },
          answer: bundle(release_policy, { attributes: { enabled: false, exportable: true } }),
        },
      ]),
    ).toEqual(passed);
  });
});

describe("methods", () => {
  it.each([
    ["POST", "/keys/k"],
    ["POST", "/keys/k/"],
    ["POST", `/keys/k/${versionNamed("one")}`],
    ["POST", "/secrets/s"],
    ["POST", "/deletedkeys/k"],
    ["POST", "/keys"],
    ["PUT", "/keys"],
    ["PATCH", "/secrets"],
    ["DELETE", "/keys/"],
    ["PUT", "/deletedsecrets/s"],
  ])("%s %s is not allowed", async (method, path) => {
    const answer = refusal("MethodNotAllowed", `HTTP ${method} not allowed`);
    expect(await replay([{ method, path, status: 405, body: {}, answer }])).toEqual(passed);
  });
});

describe("a vault that certificates own", () => {
  const sentence = (verb: string) =>
    `Operation "${verb}" is not allowed on this secret, since it is associated with a certificate. Perform the operation on the corresponding certificate. For more information refer to https://docs.microsoft.com/en-us/azure/key-vault/certificates/about-certificates#composition-of-a-certificate`;
  const attributes = {
    enabled: true,
    created: 1_690_000_000,
    updated: 1_690_000_000,
    recoveryLevel: "CustomizedRecoverable+Purgeable",
    recoverableDays: 7,
  };
  const dates = { nbf: 1_689_000_000, exp: 1_720_000_000 };
  const secret = (name: string) => ({
    contentType: "application/x-pkcs12",
    id: `https://scripted.vault.azure.net/secrets/${name}`,
    managed: true,
    attributes: { ...attributes, ...dates },
  });
  const key = (name: string) => ({
    kid: `https://scripted.vault.azure.net/keys/${name}`,
    attributes: { ...attributes, ...dates },
    managed: true,
  });

  it("lists secrets that nobody can delete", async () => {
    const names = ["A", "B", "C"];
    expect(
      await replay([
        { method: "GET", path: "/secrets", status: 200, answer: { value: names.map(secret), nextLink: null } },
        ...names.map((name) => ({
          method: "DELETE",
          path: `/secrets/${name}`,
          status: 403,
          answer: refusal("Forbidden", sentence("delete"), "SecretManagedByKeyVault"),
        })),
      ]),
    ).toEqual(passed);
  });

  it("lists deleted secrets that nobody can purge", async () => {
    const names = ["A", "B"];
    const value = names.map((name) => ({ ...deletionOf("secrets", name), ...secret(name) }));
    expect(
      await replay([
        { method: "GET", path: "/deletedsecrets", status: 200, answer: { value, nextLink: null } },
        ...names.map((name) => ({
          method: "DELETE",
          path: `/deletedsecrets/${name}`,
          status: 403,
          answer: refusal("Forbidden", sentence("purge"), "SecretManagedByKeyVault"),
        })),
        ...names.map((name) => ({
          method: "POST",
          path: `/deletedsecrets/${name}/recover`,
          status: 403,
          answer: refusal("Forbidden", sentence("recover"), "SecretManagedByKeyVault"),
        })),
      ]),
    ).toEqual(passed);
  });

  it("lists keys that nobody can delete or purge, each of the size that it is shown with", async () => {
    const refused = (verb: string) =>
      refusal(
        "Forbidden",
        `Operation "${verb}" is not allowed as this object's lifetime is managed by Key Vault.`,
        "KeyManagedByKeyVault",
      );
    const value = ["A", "B"].map((name) => ({ ...deletionOf("keys", name), ...key(name) }));
    expect(
      await replay([
        { method: "GET", path: "/keys", status: 200, answer: { value: [key("C")], nextLink: null } },
        { method: "GET", path: "/deletedkeys", status: 200, answer: { value, nextLink: null } },
        { method: "DELETE", path: "/keys/C", status: 403, answer: refused("delete") },
        { method: "DELETE", path: "/deletedkeys/A", status: 403, answer: refused("purge") },
        { method: "DELETE", path: "/deletedkeys/B", status: 403, answer: refused("purge") },
      ]),
    ).toEqual(passed);
  });

  it("reads secrets with the id of their key, without a list before", async () => {
    const { id, ...rest } = secret("A");
    const version = versionNamed("one");
    const answer = {
      ...rest,
      value: "pfx",
      id: `${id}/${version}`,
      kid: `https://scripted.vault.azure.net/keys/A/${version}`,
    };
    expect(
      await replay([
        { method: "GET", path: "/secrets/A", status: 200, answer },
        {
          method: "PATCH",
          path: "/secrets/A",
          status: 200,
          body: { tags: { a: "b" } },
          answer: { ...answer, value: undefined, tags: { a: "b" } },
        },
        {
          method: "DELETE",
          path: "/secrets/A",
          status: 403,
          answer: refusal("Forbidden", sentence("delete"), "SecretManagedByKeyVault"),
        },
      ]),
    ).toEqual(passed);
  });

  it("shows a deleted secret of a certificate", async () => {
    const { id, ...rest } = secret("A");
    const version = versionNamed("one");
    const answer = {
      ...deletionOf("secrets", "A"),
      ...rest,
      id: `${id}/${version}`,
      kid: `https://scripted.vault.azure.net/keys/A/${version}`,
    };
    expect(await replay([{ method: "GET", path: "/deletedsecrets/A", status: 200, answer }])).toEqual(passed);
  });
});

describe("services since 7.4", () => {
  const since = { apiVersion: "2026-04-01", build: "1.9.3347.1" };
  const numbers = { n: rsa.n, e: "AQAB" };

  it("challenge with words of their build, and of builds before", async () => {
    const get = { method: "GET", path: "/keys/k", status: 401 };
    for (const kinds of ["Bearer or PoP token", "Bearer, PoP, or MTLS_POP token"]) {
      const answer = refusal("Unauthorized", `AKV10000: Request is missing a ${kinds}.`);
      expect(await replay([{ ...get, answer }], since)).toEqual(passed);
    }
  });

  it("keep hardware keys on hardware of any generation, and software keys on none", async () => {
    const shown = (kty: string, hsmPlatform: string) =>
      rsaBundle("one", { key: { ...numbers, kty }, attributes: { hsmPlatform, key_size: 2048 } });
    const read = (answer: object) => replay([{ method: "GET", path: "/keys/k", status: 200, answer }], since);
    expect(await read(shown("RSA-HSM", "2"))).toEqual(passed);
    expect(await read(shown("RSA-HSM", "1"))).toEqual(passed);
    expect(await read(shown("RSA", "0"))).toEqual(passed);
    expect(await read(shown("RSA", "2"))).toMatchObject({ status: "failed" });
  });

  it("say the size of RSA keys, and of curves nobody knows", async () => {
    const attributes = { hsmPlatform: "0" };
    const read = (answer: object) => replay([{ method: "GET", path: "/keys/k", status: 200, answer }], since);
    expect(await read(rsaBundle("one", { key: numbers, attributes }))).toMatchObject({ status: "failed" });
    for (const more of [{}, { key_size: 256 }]) {
      expect(await read(keyBundle("k", "one", { attributes: { ...attributes, ...more } }))).toEqual(passed);
    }
  });

  it("attest what they like", async () => {
    const hsm = "https://scripted.managedhsm.azure.net";
    const kid = `${hsm}/keys/k/${versionNamed("one")}`;
    const attestation = {
      certificatePemFile: "c",
      privateKeyAttestation: "p",
      publicKeyAttestation: "q",
      version: "MRVL-1",
    };
    const answer = rsaBundle("one", { key: { ...numbers, kid, kty: "RSA-HSM" }, attributes: { attestation } });
    const read = { method: "GET", path: "/keys/k/attestation", status: 200, answer };
    expect(await replay([read], { plane: "managedhsm", apiVersion: "7.6" })).toEqual(passed);
  });
});
