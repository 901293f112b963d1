import {
  constants,
  createHash,
  createPublicKey,
  publicEncrypt,
  randomBytes,
  verify as verifySignature,
} from "node:crypto";
import * as pulumi from "@pulumi/pulumi";
import { afterAll, beforeAll, beforeEach, describe, expect, it } from "vitest";
import { type Emulator, startEmulator } from "../../emulator/index.js";
import * as keyvault from "../../sdk/index.js";
import { type CallVault, vaultCaller } from "../cli/vault-caller.js";
import { askedOperations, askedRequests } from "../emulator/asked-requests.js";

const TEXT = "bootstrap-password: grüße";

function settled<T>(output: pulumi.Output<T>): Promise<T> {
  return (output as unknown as { promise(): Promise<T> }).promise();
}

describe("functions that use a key", () => {
  let vault: Emulator;
  let hsm: Emulator;
  let call: CallVault;
  let options: { credential: Emulator["credential"] };
  let rsa: keyvault.GetKeyResult;

  beforeAll(async () => {
    vault = await startEmulator();
    hsm = await startEmulator({ vaults: [{ name: "hsm", plane: "managedhsm" }] });
    options = { credential: vault.credential };
    call = vaultCaller(vault);
    await call("POST", "/keys/rsa/create", { kty: "RSA", key_size: 2048 });
    for (const crv of ["P-256", "P-384", "P-521", "P-256K"])
      await call("POST", `/keys/ec-${crv}/create`, { kty: "EC", crv });
    await call("POST", "/keys/signer/create", { kty: "RSA", key_ops: ["sign", "verify"] });
    await call("POST", "/keys/stopped/create", { kty: "RSA", attributes: { enabled: false } });
    await call("POST", "/keys/expired/create", { kty: "RSA", attributes: { exp: 1_600_000_000 } });
    await vaultCaller(hsm)("POST", "/keys/aes/create", { kty: "oct-HSM", key_size: 256 });
    rsa = await keyvault.getKey({ vaultUrl: vault.url, name: "rsa" }, options);
  });
  afterAll(async () => {
    await vault?.close();
    await hsm?.close();
  });
  beforeEach(() => vault.requests.clear());

  const key = (name: string) => ({ vaultUrl: vault.url, name });
  const refused = (why: RegExp) => ({ code: "KV_INVALID_INPUT", message: expect.stringMatching(why) });

  it.each(["RSA-OAEP", "RSA-OAEP-256", "RSA1_5"] as const)(
    "encrypt and decrypt text with %s, one request each",
    async (algorithm) => {
      const sealed = await keyvault.encrypt({ ...key("rsa"), algorithm, plaintext: TEXT }, options);
      expect(sealed).toEqual({ versionId: rsa.versionId, ciphertext: expect.stringMatching(/^[\w-]{342}$/) });
      const { plaintext, versionId } = await keyvault.decrypt(
        { id: sealed.versionId, algorithm, ciphertext: sealed.ciphertext },
        options,
      );
      expect(await settled(plaintext)).toBe(TEXT);
      expect(await pulumi.isSecret(plaintext)).toBe(true);
      expect(versionId).toBe(rsa.versionId);
      expect(askedOperations(vault)).toEqual(["encrypt", "decrypt"]);
    },
  );

  it("decrypt what others have encrypted, bytes as base64url, and refuse to make text of them", async () => {
    const bytes = Buffer.from([0, 255, 254, 10]);
    const padding = { padding: constants.RSA_PKCS1_OAEP_PADDING, oaepHash: "sha256" };
    const ciphertext = publicEncrypt({ key: createPublicKey(rsa.publicKeyPem ?? ""), ...padding }, bytes).toString(
      "base64url",
    );
    const given = { ...key("rsa"), algorithm: "RSA-OAEP-256", ciphertext } as const;
    const { plaintext } = await keyvault.decrypt({ ...given, encoding: "base64url" }, options);
    expect(await settled(plaintext)).toBe(bytes.toString("base64url"));
    await expect(keyvault.decrypt(given, options)).rejects.toMatchObject(refused(/no UTF-8.*encoding: "base64url"/));
  });

  it.each([
    ["ES256", "ec-P-256", "sha256"],
    ["ES384", "ec-P-384", "sha384"],
    ["ES512", "ec-P-521", "sha512"],
    ["ES256K", "ec-P-256K", "sha256"],
    ["RS256", "rsa", "sha256"],
    ["RS512", "rsa", "sha512"],
    ["PS384", "rsa", "sha384"],
  ] as const)(
    "sign data with %s as node:crypto verifies it, and send nothing but its digest",
    async (algorithm, name, hash) => {
      const known = await keyvault.getKey(key(name), options);
      vault.requests.clear();
      const { signature, versionId } = await keyvault.sign({ key: known, algorithm, data: TEXT }, options);
      expect(versionId).toBe(known.versionId);
      expect(askedOperations(vault)).toEqual(["sign"]);
      const pss = { padding: constants.RSA_PKCS1_PSS_PADDING, saltLength: constants.RSA_PSS_SALTLEN_DIGEST };
      const publicKey = {
        key: createPublicKey(known.publicKeyPem ?? ""),
        dsaEncoding: "ieee-p1363" as const,
        ...(algorithm.startsWith("PS") ? pss : {}),
      };
      expect(verifySignature(hash, Buffer.from(TEXT), publicKey, Buffer.from(signature, "base64url"))).toBe(true);

      const digest = createHash(hash).update(TEXT).digest();
      const of = { ...key(name), algorithm, signature };
      expect(await keyvault.verify({ ...of, data: TEXT }, options)).toEqual({ valid: true });
      expect(await keyvault.verify({ ...of, digest }, options)).toEqual({ valid: true });
      expect(await keyvault.verify({ ...of, data: `${TEXT}.` }, options)).toEqual({ valid: false });
    },
  );

  it("wrap and unwrap a key", async () => {
    const keyToWrap = randomBytes(32);
    const { wrappedKey } = await keyvault.wrapKey({ ...key("rsa"), algorithm: "RSA-OAEP-256", keyToWrap }, options);
    const { unwrappedKey } = await keyvault.unwrapKey(
      { ...key("rsa"), algorithm: "RSA-OAEP-256", wrappedKey },
      options,
    );
    expect(await settled(unwrappedKey)).toBe(keyToWrap.toString("base64url"));
    expect(await pulumi.isSecret(unwrappedKey)).toBe(true);
    expect(askedOperations(vault)).toEqual(["wrapKey", "unwrapKey"]);
  });

  it.each(["A256GCM", "A256CBCPAD", "A256CBC"] as const)("encrypt with a symmetric key and %s", async (algorithm) => {
    const aes = { vaultUrl: hsm.url, name: "aes" };
    const as = { credential: hsm.credential };
    const plaintext = { base64url: randomBytes(48).toString("base64url") };
    const more = algorithm === "A256GCM" ? { additionalData: "orders" } : {};
    const { versionId, ...sealed } = await keyvault.encrypt({ ...aes, algorithm, plaintext, ...more }, as);
    expect(sealed.iv).toMatch(/^[\w-]{16,22}$/);
    const opened = await keyvault.decrypt(
      { id: versionId, algorithm, encoding: "base64url", ...sealed, ...more } as keyvault.DecryptArgs,
      as,
    );
    expect(await settled(opened.plaintext)).toBe(plaintext.base64url);
  });

  it("wrap with a symmetric key", async () => {
    const aes = { vaultUrl: hsm.url, name: "aes" };
    const as = { credential: hsm.credential };
    const keyToWrap = randomBytes(32);
    const { wrappedKey } = await keyvault.wrapKey({ ...aes, algorithm: "A256KW", keyToWrap }, as);
    const { unwrappedKey } = await keyvault.unwrapKey({ ...aes, algorithm: "A256KW", wrappedKey }, as);
    expect(await settled(unwrappedKey)).toBe(keyToWrap.toString("base64url"));
  });

  it("have forms that take Outputs, whose secrets are secret as a whole", async () => {
    const name = pulumi.output("rsa");
    const sealed = keyvault.encryptOutput(
      { vaultUrl: vault.url, name, algorithm: "RSA-OAEP-256", plaintext: pulumi.secret(TEXT) },
      options,
    );
    expect(await pulumi.isSecret(sealed)).toBe(true);
    const opened = keyvault.decryptOutput(
      { id: sealed.versionId, algorithm: "RSA-OAEP-256", ciphertext: pulumi.unsecret(sealed.ciphertext) },
      options,
    );
    expect([await settled(opened.plaintext), await pulumi.isSecret(opened)]).toEqual([TEXT, true]);

    const known = keyvault.getKeyOutput({ vaultUrl: vault.url, name: "ec-P-256" }, options);
    const signed = keyvault.signOutput({ key: known, algorithm: "ES256", data: Buffer.from(TEXT) }, options);
    const verified = keyvault.verifyOutput(
      { key: known, algorithm: "ES256", data: pulumi.output(TEXT), signature: signed.signature },
      options,
    );
    expect(await settled(verified)).toEqual({ valid: true });
    expect(await pulumi.isSecret(signed)).toBe(false);

    const wrapped = keyvault.wrapKeyOutput({ id: rsa.id, algorithm: "RSA-OAEP", keyToWrap: randomBytes(16) }, options);
    const unwrapped = keyvault.unwrapKeyOutput(
      { id: rsa.id, algorithm: "RSA-OAEP", wrappedKey: wrapped.wrappedKey },
      options,
    );
    expect(await settled(unwrapped.unwrappedKey)).toMatch(/^[\w-]{22}$/);
    expect(await pulumi.isSecret(unwrapped)).toBe(true);
  });

  it("refuse, before anything is asked, what is wrong for any key or for the key that is known", async () => {
    const ec = await keyvault.getKey(key("ec-P-256"), options);
    const signer = await keyvault.getKey(key("signer"), options);
    vault.requests.clear();
    const said = <T>(value: unknown): T => value as T;
    const cases: [() => Promise<unknown>, RegExp][] = [
      [
        () => keyvault.sign({ ...key("rsa"), algorithm: said("ES265"), data: "x" }, options),
        /"ES265" is no algorithm.*RS256/,
      ],
      [
        () => keyvault.sign({ ...key("rsa"), algorithm: said("RSA-OAEP"), data: "x" }, options),
        /is no algorithm for it/,
      ],
      [
        () => keyvault.sign({ key: rsa, algorithm: "ES256", data: "x" }, options),
        /needs an elliptic-curve key, and the key is RSA.*take one of RS256, PS256/,
      ],
      [
        () => keyvault.sign({ key: ec, algorithm: "ES384", data: "x" }, options),
        /needs curve P-384, and the key's is P-256.*take one of ES256\./,
      ],
      [() => keyvault.encrypt({ key: ec, algorithm: "RSA-OAEP", plaintext: "x" }, options), /needs an RSA key/],
      [() => keyvault.encrypt({ key: rsa, algorithm: "A256GCM", plaintext: "x" }, options), /needs a symmetric key/],
      [
        () => keyvault.encrypt({ key: signer, algorithm: "RSA-OAEP", plaintext: "x" }, options),
        /operations do not include it \(they are sign, verify\).*keyOps/,
      ],
      [
        () => keyvault.encrypt({ key: rsa, algorithm: "RSA-OAEP-256", plaintext: "x".repeat(191) }, options),
        /191 bytes are more than RSA-OAEP-256 takes: 190/,
      ],
      [
        () => keyvault.encrypt({ ...key("rsa"), algorithm: "RSA-OAEP", plaintext: "x".repeat(471) }, options),
        /takes: 470 with the largest key/,
      ],
      [
        () => keyvault.sign({ ...key("rsa"), algorithm: "RS256", digest: Buffer.alloc(20) }, options),
        /digest of 32 bytes, and this has 20/,
      ],
      [() => keyvault.sign(said({ ...key("rsa"), algorithm: "RS256" }), options), /data or its digest/],
      [
        () => keyvault.decrypt({ ...key("rsa"), algorithm: "RSA-OAEP", ciphertext: "a+b/" }, options),
        /ciphertext is text of 4 characters.*base64url/,
      ],
      [() => keyvault.decrypt({ ...key("rsa"), algorithm: "A128GCM", ciphertext: "AAAA" }, options), /needs the iv/],
      [
        () => keyvault.wrapKey({ ...key("rsa"), algorithm: "RSA-OAEP", keyToWrap: said("text") }, options),
        /keyToWrap is text of 4 characters/,
      ],
      [
        () => keyvault.wrapKey({ ...key("rsa"), algorithm: "A256KW", keyToWrap: Buffer.alloc(15) }, options),
        /16 bytes and more/,
      ],
      [() => keyvault.encrypt({ ...key("rsa"), algorithm: "A128CBC", plaintext: "x" }, options), /take A128CBCPAD/],
      [
        () => keyvault.wrapKey({ ...key("rsa"), algorithm: "RSA-OAEP", keyToWrap: said({ 0: 1, 1: 2 }) }, options),
        /a Buffer that went through an Output/,
      ],
      [() => keyvault.sign(said({ algorithm: "RS256", data: "x" }), options), /no key is named/],
      [
        () => keyvault.encrypt({ ...key("rsa"), algorithm: "RSA-OAEP", plaintext: said(pulumi.output("x")) }, options),
        /plaintext is an Output: an Output is known only later: use the function whose name ends in Output/,
      ],
      [() => keyvault.getKey(said({ name: pulumi.output("x") }), options), /the name is an Output: .*ends in Output/],
      [
        () =>
          keyvault.encrypt(
            { ...key("rsa"), algorithm: "A256CBC", plaintext: Buffer.alloc(16), iv: Buffer.alloc(12) },
            options,
          ),
        /the iv has 12 bytes: give 16/,
      ],
    ];
    for (const [use, why] of cases) await expect(use()).rejects.toMatchObject(refused(why));
    expect(askedRequests(vault)).toEqual([]);
  });

  it("tell what the service refuses: a disabled or expired key, another type, an operation that the key does not have", async () => {
    const sign = (name: string, version?: string) =>
      keyvault.sign(
        { ...key(name), algorithm: "RS256", data: TEXT, ...(version === undefined ? {} : { version }) },
        options,
      );
    await expect(sign("stopped")).rejects.toMatchObject({
      code: "KV_FORBIDDEN",
      innerCode: "KeyDisabled",
      hint: expect.stringContaining("enable it"),
    });
    await expect(sign("expired")).rejects.toMatchObject({
      code: "KV_FORBIDDEN",
      hint: expect.stringContaining("expiresOn"),
    });
    await expect(sign("ec-P-256")).rejects.toMatchObject({ code: "KV_INVALID_INPUT" });
    await expect(
      keyvault.encrypt({ ...key("signer"), algorithm: "RSA-OAEP", plaintext: "x" }, options),
    ).rejects.toMatchObject({ innerCode: "KeyOperationForbidden", hint: expect.stringContaining("keyOps") });
    await expect(sign("rsa", "0".repeat(32))).rejects.toMatchObject({ code: "KV_NOT_FOUND" });
    await expect(sign("nobody")).rejects.toMatchObject({ code: "KV_NOT_FOUND" });
  });

  it("repeat no plaintext in a refusal", async () => {
    const secret = "plaintext-that-nobody-repeats";
    const failure = await keyvault
      .encrypt({ ...key("signer"), algorithm: "RSA-OAEP", plaintext: secret }, options)
      .catch((error: unknown) => error);
    const shown = JSON.stringify(failure, Object.getOwnPropertyNames(failure));
    expect(shown).toContain("KV_FORBIDDEN");
    expect(shown).not.toContain(secret);
    expect(shown).not.toContain(Buffer.from(secret).toString("base64url"));
  });
});

describe("a key of the program, used in a preview that is still to make it", () => {
  it("is waited for", async () => {
    const calls: string[] = [];
    await pulumi.runtime.setMocks(
      {
        newResource: ({ inputs }) => ({ id: undefined, state: inputs }),
        call: ({ token, inputs }) => {
          calls.push(token);
          return { inputs };
        },
      },
      "shop",
      "prod",
      true,
    );
    const vaultUrl = "https://contoso.vault.azure.net";
    const signing = (name: string) => new keyvault.Key(name, { vaultUrl, name, generate: { keyType: "EC" } });
    const waiting = keyvault.signOutput({ key: signing("new"), algorithm: "ES256", data: "x" });
    expect(await (waiting as unknown as { isKnown: Promise<boolean> }).isKnown).toBe(false);
    expect(calls).toEqual([]);
  });
});
