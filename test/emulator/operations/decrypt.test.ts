import { constants, createCipheriv, generateKeyPairSync, publicEncrypt, randomBytes } from "node:crypto";
import { describe, expect, it } from "vitest";
import { openVault, refusal } from "../open-vault.js";

describe("decrypt", () => {
  it("opens what the public key outside has sealed, with an imported key and with a restored one", async () => {
    const { call } = await openVault();
    const { privateKey, publicKey } = generateKeyPairSync("rsa", { modulusLength: 2048 });
    await call("PUT", "/keys/a", { key: privateKey.export({ format: "jwk" }), attributes: { exp: 1 } });
    const plaintext = randomBytes(20);
    const padding = { padding: constants.RSA_PKCS1_OAEP_PADDING, oaepHash: "sha256" };
    const value = publicEncrypt({ key: publicKey, ...padding }, plaintext).toString("base64url");
    const expected = { status: 200, body: { value: plaintext.toString("base64url") } };
    expect(await call("POST", "/keys/a/decrypt", { alg: "RSA-OAEP-256", value })).toMatchObject(expected);
    const backup = await call("POST", "/keys/a/backup");
    await call("DELETE", "/keys/a");
    await call("DELETE", "/deletedkeys/a");
    await call("POST", "/keys/restore", backup.body);
    expect(await call("POST", "/keys/a/decrypt", { alg: "RSA-OAEP-256", value })).toMatchObject(expected);
  });

  it("does not work on a disabled key", async () => {
    const { call } = await openVault();
    await call("POST", "/keys/a/create", { kty: "RSA", attributes: { enabled: false } });
    expect(await call("POST", "/keys/a/decrypt", { alg: "RSA1_5", value: "AAAA" })).toMatchObject(
      refusal(403, "Forbidden", "Operation decrypt is not allowed on a disabled key.", "KeyDisabled"),
    );
  });

  it("says only that the parameter is incorrect when the text is not what it was", async () => {
    const { call } = await openVault();
    await call("POST", "/keys/a/create", { kty: "RSA" });
    const value = randomBytes(256).fill(0, 0, 1).toString("base64url");
    expect(await call("POST", "/keys/a/decrypt", { alg: "RSA-OAEP", value })).toMatchObject(
      refusal(400, "BadParameter", "The parameter is incorrect.\r\n"),
    );
  });

  it("opens AES on a Managed HSM with an imported key", async () => {
    const { call } = await openVault({ vaults: [{ name: "hsm", plane: "managedhsm" }] });
    const [k, iv] = [randomBytes(32), randomBytes(16)];
    await call("PUT", "/keys/a", { key: { kty: "oct", k: k.toString("base64url") } });
    const cipher = createCipheriv("aes-256-cbc", k, iv);
    const value = Buffer.concat([cipher.update("sealed outside"), cipher.final()]).toString("base64url");
    const { body } = await call("POST", "/keys/a/decrypt", { alg: "A256CBCPAD", value, iv: iv.toString("base64url") });
    expect(Object.keys(body)).toEqual(["alg", "kid", "value"]);
    expect(Buffer.from(body.value as string, "base64url").toString()).toBe("sealed outside");
    expect(await call("POST", "/keys/a/decrypt", { alg: "A128CBCPAD", value })).toMatchObject(
      refusal(400, "BadParameter"),
    );
  });
});
