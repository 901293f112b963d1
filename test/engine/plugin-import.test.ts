import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { type Emulator, startEmulator } from "../../emulator/index.js";
import { runCommand } from "../cli/command-line.js";
import { type CallVault, vaultCaller } from "../cli/vault-caller.js";
import { askedRequests } from "../emulator/asked-requests.js";
import { Stack } from "./stack.js";

const releasePolicy = {
  version: "1.0.0",
  anyOf: [
    {
      authority: "https://sharedeus.eus.attest.azure.net",
      allOf: [{ claim: "x-ms-attestation-type", equals: "sevsnpvm" }],
    },
  ],
};

describe("what exists, taken into a program of the plugin", () => {
  let vault: Emulator;
  let stack: Stack;
  let call: CallVault;

  const id = (path: string): string => `${vault.url}/${path}`;
  const importOne = (type: string, name: string, path: string) =>
    stack.pulumi(
      "import",
      `keyvault:index:${type}`,
      name,
      id(path),
      "--yes",
      "--protect=false",
      "--generate-code=false",
    );
  const writes = (): string[] =>
    askedRequests(vault)
      .filter(({ method }) => method !== "GET")
      .map(({ operation }) => operation);

  beforeAll(async () => {
    vault = await startEmulator();
    call = vaultCaller(vault);
    await call("POST", "/keys/orders/create", {
      kty: "EC",
      crv: "P-384",
      tags: { team: "orders" },
      attributes: { exp: 3_800_000_000 },
    });
    await call("POST", "/keys/rotating/create", { kty: "RSA" });
    await call("PUT", "/keys/rotating/rotationpolicy", {
      lifetimeActions: [{ trigger: { timeAfterCreate: "P90D" }, action: { type: "Rotate" } }],
    });
    await call("POST", "/keys/off/create", {
      kty: "RSA-HSM",
      key_size: 3072,
      key_ops: ["verify", "sign"],
      attributes: { enabled: false },
      tags: { "odd key": 'quo"te\nnew line' },
    });
    await call("POST", "/keys/Upper-Case/create", { kty: "EC", crv: "P-256K", key_ops: [] });
    await call("POST", "/keys/releasable/create", {
      kty: "RSA-HSM",
      attributes: { exportable: true },
      release_policy: { data: Buffer.from(JSON.stringify(releasePolicy)).toString("base64url") },
    });
    await call("PUT", "/secrets/off", { value: "v", attributes: { enabled: false, exp: 3_800_000_000 } });
    await call("PUT", "/secrets/empty", { value: "", tags: { a: "b" } });
    await call("POST", "/keys/of-certificate/create", { kty: "EC" });
    vault.vault("emulator").giveToCertificate("keys", "of-certificate");
    await call("PUT", "/secrets/password", { value: "hunter2-very-secret", contentType: "text/plain" });
    stack = await Stack.create({
      door: "plugin",
      program: "",
      config: { "keyvault:vaultUrl": vault.url, "keyvault:credential": "token" },
      env: { KEYVAULT_TOKEN: vault.token },
    });
  });
  afterAll(async () => {
    await stack?.remove();
    await vault?.close();
  });

  it("pulumi import reads a key and a secret, and writes nothing to the vault", async () => {
    vault.requests.clear();
    for (const [type, name, path] of [
      ["Key", "orders", "keys/orders"],
      ["Secret", "password", "secrets/password"],
    ] as const) {
      const run = await importOne(type, name, path);
      expect(run.exitCode, run.text).toBe(0);
      expect(run.text).not.toContain("hunter2");
    }
    expect(writes()).toEqual([]);
    const { inputs, outputs } = await stack.resource("orders", "Key");
    expect(inputs).toEqual({
      vaultUrl: vault.url,
      name: "orders",
      tags: { team: "orders" },
      expiresOn: "2090-06-01T11:33:20Z",
      adopt: true,
      onDelete: "retain",
    });
    expect(outputs).toMatchObject({ curve: "P-384", keySize: 384, keyType: "EC" });
  });

  it.each([
    ["Key", "keys/missing", "KV_NOT_FOUND"],
    ["Key", "keys/of-certificate", "belongs to the certificate of the same name"],
    ["Key", `keys/orders/${"a".repeat(32)}`, "KV_INVALID_INPUT: The id names a version"],
    ["Key", "secrets/password", "KV_INVALID_INPUT: The id is that of one of a vault's secrets"],
    ["KeyBackup", "keys/orders/backup", "KV_INVALID_INPUT: a KeyBackup has nothing to import"],
    ["Planted", "keys/orders", "KV_INVALID_INPUT: this version of the keyvault plugin has no resource"],
  ])("pulumi import of a %s by %s is refused: %s", async (type, path, message) => {
    const run = await importOne(type, "other", path);
    expect(run.exitCode).not.toBe(0);
    expect(run.text.replace(/\s+/g, " ")).toContain(message);
  });

  it("adopt --plugin writes an import file, after which the same program stands for the whole vault", async () => {
    const file = join(stack.folder, "keyvault-import.json");
    const adopted = await runCommand(["adopt", "--vault", vault.url, "--plugin", "--stack"], {
      cwd: stack.folder,
      env: { ...stack.env, KEYVAULT_CREDENTIAL: "token" },
    });
    expect(adopted.stderr).toBe("");
    expect(adopted.stdout).toContain(
      "4 keys and 2 secrets to adopt. Left out: 1 of certificates, 2 in the stack already.",
    );
    vault.requests.clear();
    const run = await stack.pulumi("import", "--file", file, "--yes", "--protect=false", "--generate-code=false");
    expect(run.exitCode, run.text).toBe(0);
    expect(writes()).toEqual([]);
    expect((await stack.resource("rotating", "Key")).inputs).toMatchObject({
      adopt: true,
      rotationPolicy: { rotateAfter: "P90D" },
    });
  });

  it("the program that Pulumi writes of it has nothing to do, and no drift", async () => {
    // It is made of the inputs that the import has recorded.
    const imported = (await stack.resources()).filter(({ type }) => type.startsWith("keyvault:index:"));
    expect(imported).toHaveLength(8);
    const lines = imported.map(({ type, urn, inputs }) => {
      const name = JSON.stringify(urn.split("::").at(-1));
      return `new keyvault.${type.split(":").at(-1)}(${name}, ${JSON.stringify(inputs)});`;
    });
    await stack.program(lines.join("\n"));
    const { run, steps } = await stack.drift();
    expect(steps.filter(({ op }) => op !== "refresh")).toEqual([]);
    expect(run.exitCode).toBe(0);
  });

  it("pulumi package get-schema reads the schema from the executable", async () => {
    const run = await stack.pulumi("package", "get-schema", join(stack.folder, "plugin/pulumi-resource-keyvault"));
    expect(run.exitCode, run.text).toBe(0);
    const schema = JSON.parse(run.stdout);
    expect(schema.name).toBe("keyvault");
    expect(Object.keys(schema.resources)).toContain("keyvault:index:Key");
    expect(schema.resources["keyvault:index:Key"].properties.publicKeyPem.description).toMatch(/^SubjectPublicKeyInfo/);
  });
});
