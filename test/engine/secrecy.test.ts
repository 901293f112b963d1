import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { type Emulator, startEmulator } from "../../emulator/index.js";
import { ecKey, type PrivateKey, rsaKey } from "./demo-keys.js";
import { type Run, Stack } from "./stack.js";

describe("private material", () => {
  const fromFile = rsaKey();
  const inline = ecKey();
  const asJwk = rsaKey();
  const fromEnvironment = ecKey("secp384r1");
  const replacement = rsaKey();
  const secretValue = "a secret value that must not show: 7d1f0c2a";
  const keys: PrivateKey[] = [fromFile, inline, asJwk, fromEnvironment, replacement];
  const canaries = [...keys.flatMap(({ canaries: texts }) => texts), secretValue];

  let vault: Emulator;
  let stack: Stack;
  const printed: string[] = [];
  const ran = (run: Run): Run => {
    printed.push(run.text);
    return run;
  };

  beforeAll(async () => {
    vault = await startEmulator();
    stack = await Stack.create({
      program: `
        const config = new pulumi.Config();
        new keyvault.Key("file", { import: { file: "signing.pem" }, tags: { a: "1" } });
        new keyvault.Key("inline", { import: { pem: process.env.INLINE_PEM } });
        new keyvault.Key("jwk", { import: { jwk: JSON.parse(process.env.INLINE_JWK) } });
        new keyvault.Key("env", { import: { env: "KEY_FROM_ENV" } });
        const made = new keyvault.Secret("value", { value: process.env.SECRET_VALUE });
        new keyvault.SecretBackup("value", { secret: made });`,
      config: { "keyvault:vaultUrl": vault.url, "keyvault:credential": "token" },
      env: {
        KEYVAULT_TOKEN: vault.token,
        // Without it the CLI hides --event-log.
        PULUMI_DEBUG_COMMANDS: "true",
        INLINE_PEM: inline.pkcs8,
        INLINE_JWK: JSON.stringify(asJwk.jwk),
        KEY_FROM_ENV: fromEnvironment.pkcs8,
        SECRET_VALUE: secretValue,
      },
    });
    await stack.file("signing.pem", fromFile.pkcs8);
  });

  afterAll(async () => {
    await stack?.remove();
    await vault?.close();
  });

  const found = (text: string): string[] => canaries.filter((canary) => text.includes(canary));

  it("is in no preview, plan, event log, state or output of a run that imports it", async () => {
    const previewed = ran(await stack.pulumi("preview", "--json", "--save-plan", "plan.json"));
    expect(previewed.exitCode).toBe(0);
    ran(await stack.up("--event-log", join(stack.folder, "events.json")));
    const files = ["plan.json", "events.json"].map((file) => readFile(join(stack.folder, file), "utf8"));
    const texts = [...(await Promise.all(files)), JSON.stringify(await stack.resources()), ...printed];
    for (const text of texts) expect(text.length).toBeGreaterThan(100);
    expect(texts.flatMap(found)).toEqual([]);
  });

  it("is nowhere after a new version and a repair of drift", async () => {
    await stack.file("signing.pem", replacement.pkcs8);
    printed.push(JSON.stringify(await stack.preview()));
    ran(await stack.up("--refresh", "--event-log", join(stack.folder, "events.json")));
    const texts = [await readFile(join(stack.folder, "events.json"), "utf8"), JSON.stringify(await stack.resources())];
    expect([...texts, ...printed].flatMap(found)).toEqual([]);
  });

  it("is in no message of a failure", async () => {
    vault.requests.clear();
    await stack.program(`
      const broken = { ...JSON.parse(process.env.INLINE_JWK) };
      broken.dp = broken.dq;
      new keyvault.Key("broken", { import: { jwk: broken } });
      new keyvault.Key("truncated", { import: { pem: process.env.INLINE_PEM.slice(0, 150) } });
      new keyvault.Key("mistaken", { import: { file: process.env.INLINE_PEM } });`);
    const failed = ran(await stack.tryUp("--continue-on-error"));
    expect(failed.exitCode).not.toBe(0);
    expect(failed.text).toMatch(/KV_INVALID_KEY_MATERIAL/);
    // The engine ends with the first check that fails: this one in a run of its own.
    await stack.program(`new keyvault.Secret("mistaken", { value: [process.env.SECRET_VALUE] });`);
    expect(ran(await stack.tryUp()).text).toMatch(/value must be text/);
    expect(printed.flatMap(found)).toEqual([]);
    expect(vault.requests.log.filter(({ method }) => method === "PUT")).toEqual([]);
  });

  it("is not needed by a pipeline: without it the preview of an unchanged program is clean", async () => {
    await stack.program(`
      new keyvault.Key("file", { import: { file: "nowhere.pem" }, tags: { a: "1" } });
      new keyvault.Key("inline", { import: { pem: process.env.ABSENT } });
      new keyvault.Key("jwk", { import: { jwk: undefined } });
      new keyvault.Key("env", { import: { env: "ABSENT" } });
      const made = new keyvault.Secret("value", { value: process.env.SECRET_VALUE });
      new keyvault.SecretBackup("value", { secret: made });`);
    const { run, properties } = await stack.drift();
    expect(properties).toEqual({});
    expect(run.exitCode).toBe(0);
  });
});

describe("a key's state", () => {
  it("is under 1.3 KB of inputs and outputs", async () => {
    const vault = await startEmulator();
    const stack = await Stack.create({
      program: `
        new keyvault.Key("orders-signing", {
          name: "orders-signing",
          import: { file: "signing.pem" },
          tags: { team: "orders" },
          expiresOn: "2090-06-30T00:00:00Z",
          onDelete: "retain",
        });`,
      config: { "keyvault:vaultUrl": vault.url, "keyvault:credential": "token" },
      env: { KEYVAULT_TOKEN: vault.token },
    });
    await stack.file("signing.pem", rsaKey().pkcs8);
    await stack.up();
    const { inputs, outputs } = await stack.resource("orders-signing");
    expect(JSON.stringify(inputs).length + JSON.stringify(outputs).length).toBeLessThan(1300);
    await stack.remove();
    await vault.close();
  });
});
