import { createPublicKey, type KeyObject, sign, verify } from "node:crypto";
import { CryptographyClient, type JsonWebKey, KeyClient } from "@azure/keyvault-keys";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { type Emulator, startEmulator } from "../../emulator/index.js";
import { decryptedState, stateFiles } from "./decrypted-state.js";
import { ecKey, type PrivateKey, rsaKey } from "./demo-keys.js";
import { Stack } from "./stack.js";

const MESSAGE = Buffer.from("a message");
const ALGORITHMS = {
  "rsa-2048": { key: () => rsaKey(), name: "PS256", hash: "sha256" },
  "rsa-3072": { key: () => rsaKey(3072), name: "PS256", hash: "sha256" },
  "rsa-4096": { key: () => rsaKey(4096), name: "PS256", hash: "sha256" },
  "p-256": { key: () => ecKey(), name: "ES256", hash: "sha256" },
  "p-384": { key: () => ecKey("secp384r1"), name: "ES384", hash: "sha384" },
  "p-521": { key: () => ecKey("secp521r1"), name: "ES512", hash: "sha512" },
  "p-256k": { key: () => ecKey("secp256k1"), name: "ES256K", hash: "sha256" },
} as const;
type KeyName = keyof typeof ALGORITHMS;
const names = Object.keys(ALGORITHMS) as KeyName[];

/** Every key is imported here, backed up, and restored there, all in one program. */
describe("on the real engine, the private key that was imported and the key in the vault belong together", () => {
  const material = Object.fromEntries(names.map((name) => [name, ALGORITHMS[name].key()])) as Record<
    KeyName,
    PrivateKey
  >;
  const clientOptions = { disableChallengeResourceVerification: true, allowInsecureConnection: true };
  let here: Emulator;
  let there: Emulator;
  let stack: Stack;

  beforeAll(async () => {
    here = await startEmulator();
    there = await startEmulator();
    stack = await Stack.create({
      program: `
        exports.keys = {};
        for (const name of ${JSON.stringify(names)}) {
          const made = new keyvault.Key(name, { name, import: { file: name + ".pem" } });
          const backup = new keyvault.KeyBackup(name, { key: made });
          new keyvault.Key(name + "-copy", { vaultUrl: "${there.url}", restore: backup });
          exports.keys[name] = { pem: made.publicKeyPem, jwk: made.publicKeyJwk, openSsh: made.publicKeyOpenSsh, size: made.keySize };
        }`,
      config: { "keyvault:vaultUrl": here.url, "keyvault:credential": "token" },
      env: { KEYVAULT_TOKEN: here.token },
    });
    for (const name of names) await stack.file(`${name}.pem`, material[name].pkcs8);
    await stack.up();
  });
  afterAll(async () => {
    await stack?.remove();
    await here?.close();
    await there?.close();
  });

  /** What the local key signs, the vault's public key verifies, and the other way round. */
  const agrees = async (vault: Emulator, name: KeyName): Promise<void> => {
    const { name: algorithm, hash } = ALGORITHMS[name];
    const local = material[name].key;
    const { key: jwk = {}, properties } = await new KeyClient(vault.url, vault.credential, clientOptions).getKey(name);
    const signature = sign(hash, MESSAGE, asKeyVaultSigns(local));
    expect(verify(hash, MESSAGE, asKeyVaultSigns(publicKeyOf(jwk)), signature)).toBe(true);
    const id = `${vault.url}/keys/${name}/${properties.version}`;
    const { result } = await new CryptographyClient(id, vault.credential, clientOptions).signData(algorithm, MESSAGE);
    expect(verify(hash, MESSAGE, asKeyVaultSigns(createPublicKey(local)), result)).toBe(true);
  };

  it.each(names)("after the import: %s", (name) => agrees(here, name));

  it.each(names)("after backup and restore into another vault: %s", (name) => agrees(there, name));

  it("as the outputs tell the public key", async () => {
    const outputs = (await stack.outputs()).keys as Record<
      KeyName,
      { pem: string; jwk: Record<string, string>; openSsh?: string; size: number }
    >;
    for (const name of names) {
      const { pem, jwk, openSsh, size } = outputs[name];
      const expected = createPublicKey(material[name].key);
      expect(createPublicKey(pem).equals(expected)).toBe(true);
      expect(createPublicKey({ key: jwk, format: "jwk" }).equals(expected)).toBe(true);
      expect(size).toBe(Number(name.replace(/\D/g, "")));
      // OpenSSH does not know P-256K.
      expect(openSsh?.split(" ")[0]).toBe(
        name === "p-256k" ? undefined : name.startsWith("rsa") ? "ssh-rsa" : `ecdsa-sha2-nistp${size}`,
      );
    }
  });

  it("after all was deleted and recovered, and nothing private is in the state, opened or not", async () => {
    await stack.destroy();
    await stack.up();
    for (const name of names) await agrees(here, name);
    for (const name of names) await agrees(there, name);
    const texts = [decryptedState(stack), ...stateFiles(stack)];
    const canaries = names.flatMap((name) => material[name].canaries);
    expect(canaries.filter((canary) => texts.some((text) => text.includes(canary)))).toEqual([]);
  });
});

/** RSA-PSS, and EC signatures as two plain numbers. */
function asKeyVaultSigns(key: KeyObject) {
  const isRsa = key.asymmetricKeyType === "rsa";
  return { key, dsaEncoding: "ieee-p1363" as const, ...(isRsa ? { padding: 6, saltLength: 32 } : {}) };
}

function publicKeyOf({ kty = "", crv, n, e, x, y }: JsonWebKey): KeyObject {
  const text = (bytes: Uint8Array | undefined): string => Buffer.from(bytes ?? []).toString("base64url");
  const members = crv
    ? { kty: "EC", crv: crv === "P-256K" ? "secp256k1" : crv, x: text(x), y: text(y) }
    : { kty: kty.slice(0, 3), n: text(n), e: text(e) };
  return createPublicKey({ key: members, format: "jwk" });
}
