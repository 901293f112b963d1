import { createDecipheriv, randomBytes } from "node:crypto";
import { CryptographyClient, KeyClient } from "@azure/keyvault-keys";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { type Emulator, startEmulator } from "../../emulator/index.js";
import { askedOperations } from "../emulator/asked-requests.js";
import { decryptedState, stateFiles } from "./decrypted-state.js";
import { ecKey, rsaKey } from "./demo-keys.js";
import { Stack } from "./stack.js";

describe("a Managed HSM on the real engine", () => {
  const rsa = rsaKey();
  const elliptic = ecKey("secp384r1");
  const symmetric = randomBytes(32);
  const k = symmetric.toString("base64url");
  const clientOptions = { disableChallengeResourceVerification: true, allowInsecureConnection: true };
  let hsm: Emulator;
  let other: Emulator;
  let stack: Stack;

  const urlOf = ({ port }: Emulator): string => `http://contoso.managedhsm.localhost:${port}`;
  const program = (more: string): string => `
    const keys = {
      rsa: new keyvault.Key("rsa", { name: "rsa", import: { file: "rsa.pem" }, rotationPolicy: { rotateAfter: "P90D" } }),
      ec: new keyvault.Key("ec", { name: "ec", import: { file: "ec.pem" } ${more} }),
      symmetric: new keyvault.Key("symmetric", { name: "symmetric", import: { file: "symmetric.json" } }),
      generated: new keyvault.Key("generated", { name: "generated", generate: { keyType: "oct-HSM", keySize: 128 } }),
    };
    exports.types = pulumi.all(Object.values(keys).map((key) => key.keyType));
    for (const [name, key] of Object.entries(keys)) {
      const backup = new keyvault.KeyBackup(name, { key });
      new keyvault.Key(name + "-copy", { vaultUrl: "${urlOf(other)}", restore: backup });
    }`;

  beforeAll(async () => {
    hsm = await startEmulator({ vaults: [{ name: "contoso", plane: "managedhsm" }] });
    other = await startEmulator({ vaults: [{ name: "contoso", plane: "managedhsm" }] });
    stack = await Stack.create({
      program: program(""),
      config: { "keyvault:vaultUrl": urlOf(hsm), "keyvault:credential": "token" },
      env: { KEYVAULT_TOKEN: hsm.token },
    });
    await stack.file("rsa.pem", rsa.pkcs8);
    await stack.file("ec.pem", elliptic.pkcs8);
    await stack.file("symmetric.json", JSON.stringify({ kty: "oct", k }));
  });
  afterAll(async () => {
    await stack?.remove();
    await hsm?.close();
    await other?.close();
  });

  it("gets hardware keys of every type, backed up and restored into another HSM", async () => {
    await stack.up();
    expect((await stack.outputs()).types).toEqual(["RSA-HSM", "EC-HSM", "oct-HSM", "oct-HSM"]);
    for (const { url, credential } of [hsm, other]) {
      const { properties } = await new KeyClient(url, credential, clientOptions).getKey("symmetric");
      const id = `${url}/keys/symmetric/${properties.version}`;
      const wrapped = randomBytes(16);
      const { result } = await new CryptographyClient(id, credential, clientOptions).wrapKey("A256KW", wrapped);
      const cipher = createDecipheriv("id-aes256-wrap", symmetric, Buffer.alloc(8, 0xa6));
      expect(Buffer.concat([cipher.update(result), cipher.final()]).equals(wrapped)).toBe(true);
    }
  });

  it("drifts in nothing, though it tells operations in an order of its own and adds some", async () => {
    const { run, properties } = await stack.drift();
    expect(properties).toEqual({});
    expect(run.exitCode).toBe(0);
  });

  it("is changed with a look and one request, and drifts in nothing after that", async () => {
    await stack.program(program(', keyOps: ["sign", "verify"], tags: { a: "1" }'));
    hsm.requests.clear();
    await stack.up();
    const asked = askedOperations(hsm);
    expect(asked).toEqual(["getKey", "updateKey", "backupKey"]);
    expect((await stack.drift()).properties).toEqual({});
  });

  it("leaves nothing private in state, opened or not", () => {
    const texts = [decryptedState(stack), ...stateFiles(stack)];
    const canaries = [
      ...rsa.canaries,
      ...elliptic.canaries,
      k,
      symmetric.toString("base64"),
      symmetric.toString("hex"),
    ];
    expect(canaries.filter((canary) => texts.some((text) => text.includes(canary)))).toEqual([]);
  });
});
