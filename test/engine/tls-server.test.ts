import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { type Emulator, startEmulator } from "../../emulator/index.js";
import { ecKey } from "./demo-keys.js";
import { Stack } from "./stack.js";

describe("a server on https://localhost with a certificate authority of its own", () => {
  let vault: Emulator;
  let stack: Stack;

  beforeAll(async () => {
    vault = await startEmulator({ tls: true });
  });
  afterAll(async () => {
    await stack?.remove();
    await vault?.close();
  });

  const program = `
    const key = new keyvault.Key("k", { import: { file: "key.pem" } });
    new keyvault.KeyBackup("k", { key });`;

  it("is used with its authority in NODE_EXTRA_CA_CERTS and a token from the environment", async () => {
    const vaultUrl = `https://localhost:${vault.port}`;
    stack = await Stack.create({
      program,
      config: { "keyvault:vaultUrl": vaultUrl, "keyvault:credential": "token" },
      env: { KEYVAULT_TOKEN: vault.token },
    });
    await stack.file("key.pem", ecKey().pkcs8);
    stack.env.NODE_EXTRA_CA_CERTS = await stack.file("ca.pem", vault.caCertificate ?? "");
    await stack.up();
    expect((await stack.drift()).run.exitCode).toBe(0);
    expect((await stack.resource("k", "Key")).id).toMatch(new RegExp(`^${vaultUrl}/keys/k-`));
    await stack.destroy();
  });

  it("is refused without its authority, in words that say what to do", async () => {
    delete stack.env.NODE_EXTRA_CA_CERTS;
    const { text, exitCode } = await stack.tryUp();
    expect(exitCode).not.toBe(0);
    expect(text).toMatch(/KV_TRANSPORT.*NODE_EXTRA_CA_CERTS/s);
  });
});
