import { appendFile, readFile, writeFile } from "node:fs/promises";
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

/** Every kind of key and secret that a vault may hold. */
async function fillVault(vault: Emulator, call: CallVault): Promise<void> {
  const create = (name: string, body: object) => call("POST", `/keys/${name}/create`, body);
  await create("plain", { kty: "RSA" });
  await create("orders-signing", {
    kty: "EC",
    crv: "P-384",
    tags: { team: "orders", "odd key": 'quo"te\nnew line', __proto: "x" },
    attributes: { exp: 3_800_000_000, nbf: 1_700_000_000 },
  });
  await create("Upper-Case", { kty: "EC", crv: "P-256K" });
  await create("off", { kty: "RSA-HSM", key_size: 3072, key_ops: ["verify", "sign"], attributes: { enabled: false } });
  await create("---", { kty: "EC-HSM" });
  await create("1st", { kty: "EC", crv: "P-521" });
  await create("class", { kty: "EC", key_ops: [] });
  await create("kek", { kty: "RSA-HSM", key_ops: ["import"] });
  await create("releasable", {
    kty: "RSA-HSM",
    attributes: { exportable: true },
    release_policy: { data: Buffer.from(JSON.stringify(releasePolicy)).toString("base64url") },
  });
  await create("rotating", { kty: "RSA" });
  await call("PUT", "/keys/rotating/rotationpolicy", {
    lifetimeActions: [
      { trigger: { timeAfterCreate: "P90D" }, action: { type: "Rotate" } },
      { trigger: { timeBeforeExpiry: "P20D" }, action: { type: "Notify" } },
    ],
    attributes: { expiryTime: "P2Y" },
  });
  await call("POST", "/keys/rotating/rotate");
  await create("noticed", { kty: "RSA", attributes: { exp: 3_800_000_000 } });
  await call("PUT", "/keys/noticed/rotationpolicy", {
    lifetimeActions: [{ trigger: { timeBeforeExpiry: "P15D" }, action: { type: "Notify" } }],
  });
  await create("of-certificate", { kty: "RSA" });
  await call("PUT", "/secrets/of-certificate", { value: "x" });
  await create("deleted", { kty: "RSA" });
  await call("DELETE", "/keys/deleted");
  await call("PUT", "/secrets/Orders-Signing", { value: "first" });
  await call("PUT", "/secrets/Orders-Signing", { value: "second", contentType: "text/plain", tags: { a: "b" } });
  await call("PUT", "/secrets/off", { value: "v", attributes: { enabled: false, exp: 3_800_000_000 } });
  await call("PUT", "/secrets/empty", { value: "" });
  vault.vault("emulator").giveToCertificate("keys", "of-certificate");
  vault.vault("emulator").giveToCertificate("secrets", "of-certificate");
}

describe("adopting a vault on the real engine", () => {
  let vault: Emulator;
  let stack: Stack;
  let call: CallVault;

  const adopt = (...args: string[]) =>
    runCommand(["adopt", "--vault", vault.url, ...args], { cwd: stack.folder, env: stack.env });
  const importAll = (file: string) =>
    stack.pulumi("import", "--file", file, "--yes", "--protect=false", "--generate-code=false");
  const writes = () =>
    askedRequests(vault)
      .filter(({ method }) => method !== "GET")
      .map(({ operation }) => operation);

  beforeAll(async () => {
    vault = await startEmulator();
    call = vaultCaller(vault);
    await fillVault(vault, call);
    stack = await Stack.create({
      program: "",
      kind: "typescript",
      config: { "keyvault:credential": "token" },
      env: { KEYVAULT_TOKEN: vault.token, KEYVAULT_CREDENTIAL: "token" },
    });
    vault.requests.clear();
  });

  afterAll(async () => {
    await stack?.remove();
    await vault?.close();
  });

  it("imports everything without a request", async () => {
    const adopted = await adopt("--force");
    expect(adopted).toMatchObject({ exitCode: 0, stderr: "" });
    expect(adopted.stdout).toContain("11 keys and 3 secrets to adopt. Left out: 2 of certificates, 1 deleted.");
    vault.requests.clear();
    const imported = await importAll("keyvault-import.json");
    expect(imported.exitCode, imported.text).toBe(0);
    expect(imported.text).toContain("14 imported");
    expect(vault.requests.log).toEqual([]);
  });

  it("has nothing to change after it: no drift, no version, no write", async () => {
    const { run, properties } = await stack.drift();
    expect(properties).toEqual({});
    expect(run.exitCode, run.text).toBe(0);
    expect((await runCommand(["drift"], { cwd: stack.folder, env: stack.env })).stdout).toBe(
      "No drift: 14 resources compared with the cloud.\n",
    );
    await stack.up("--refresh");
    expect(writes()).toEqual([]);
  });

  it("changes just what an edit of the program changes", async () => {
    const program = await readFile(join(stack.folder, "index.ts"), "utf8");
    await writeFile(join(stack.folder, "index.ts"), program.replace('team: "orders"', 'team: "payments"'));
    vault.requests.clear();
    const { steps } = await stack.preview();
    expect(
      steps.map(({ op, urn, detailedDiff }) => [op, urn.split("::").at(-1), Object.keys(detailedDiff ?? {})]),
    ).toEqual([["update", "orders-signing", ["tags.team"]]]);
    await stack.up();
    expect(writes()).toEqual(["updateKey"]);
    expect(await call("GET", "/keys/orders-signing")).toMatchObject({
      tags: { team: "payments", "odd key": 'quo"te\nnew line' },
      attributes: { exp: 3_800_000_000, nbf: 1_700_000_000 },
    });
  });

  it("is run again for what is new, and leaves what the stack has", async () => {
    await call("POST", "/keys/new-one/create", { kty: "EC" });
    const again = await adopt("--stack", "dev", "--program", "new-keys.ts");
    expect(again.stdout).toContain(
      "1 key and 0 secrets to adopt. Left out: 2 of certificates, 1 deleted, 14 in the stack already.",
    );
    expect((await importAll("new-keys-import.json")).exitCode).toBe(0);
    await appendFile(join(stack.folder, "index.ts"), 'import "./new-keys";\n');
    vault.requests.clear();
    const { run } = await stack.drift();
    expect(run.exitCode, run.text).toBe(0);
    expect((await adopt("--stack", "--program", "none.ts")).stdout).toContain("Nothing to adopt");
    expect(writes()).toEqual([]);
  });

  it("tells a stack that is not there", async () => {
    const run = await adopt("--stack", "no-such-stack", "--program", "none.ts");
    expect(run.exitCode).toBe(6);
    expect(run.stderr).toContain("pulumi-keyvault adopt: KV_STACK: ");
  });

  it("leaves every object in the vault when the stack goes", async () => {
    vault.requests.clear();
    await stack.destroy();
    expect(writes()).toEqual([]);
  });
});

it("adopting a Managed HSM leaves nothing to change: symmetric keys, and operations in the order of the HSM", async () => {
  const hsm = await startEmulator({ vaults: [{ name: "hsm", plane: "managedhsm" }] });
  const stack = await Stack.create({
    program: "",
    kind: "typescript",
    config: { "keyvault:credential": "token" },
    env: { KEYVAULT_TOKEN: hsm.token, KEYVAULT_CREDENTIAL: "token" },
  });
  try {
    const call = vaultCaller(hsm);
    await call("POST", "/keys/wrapping/create", { kty: "oct-HSM", key_size: 256, tags: { team: "orders" } });
    await call("POST", "/keys/signing/create", { kty: "EC-HSM", crv: "P-521" });
    await call("POST", "/keys/some/create", {
      kty: "RSA-HSM",
      key_ops: ["wrapKey", "encrypt"],
      attributes: { enabled: false },
    });
    const adopted = await runCommand(["adopt", "--vault", hsm.url, "--force"], { cwd: stack.folder, env: stack.env });
    expect(adopted.stdout).toContain("3 keys and 0 secrets");
    hsm.requests.clear();
    await stack.pulumi("import", "--file", "keyvault-import.json", "--yes", "--protect=false", "--generate-code=false");
    const { run } = await stack.drift();
    expect(run.exitCode, run.text).toBe(0);
    expect(run.text).toContain('"same": 4');
    const writes = askedRequests(hsm).filter(({ method }) => method !== "GET");
    expect(writes).toEqual([]);
  } finally {
    await stack.remove();
    await hsm.close();
  }
});

describe("adopt --set", () => {
  it("takes many keys over in one resource, without a write, and the next previews are clean", async () => {
    const vault = await startEmulator();
    const call = vaultCaller(vault);
    for (let index = 0; index < 30; index++) {
      await call("POST", `/keys/pump-${index}/create`, { kty: "EC", tags: { fleet: "devices", n: String(index % 3) } });
    }
    await call("PATCH", "/keys/pump-7", { attributes: { enabled: false, exp: 3_800_000_000 } });
    await call("PUT", "/secrets/password", { value: "v" });
    const stack = await Stack.create({
      kind: "typescript",
      program: "",
      config: { "keyvault:credential": "token" },
      env: { KEYVAULT_TOKEN: vault.token },
    });
    const adopted = await runCommand(
      ["adopt", "--vault", vault.url, "--credential", "token", "--set", "devices", "--force"],
      { cwd: stack.folder, env: { ...stack.env, KEYVAULT_TOKEN: vault.token } },
    );
    expect(adopted.exitCode, adopted.stderr).toBe(0);
    expect(adopted.stdout).toContain("30 keys and 1 secret to adopt");
    const imported = await stack.pulumi(
      ...["import", "--file", "keyvault-import.json", "--yes", "--protect=false", "--generate-code=false"],
    );
    expect(imported.exitCode, imported.text).toBe(0);
    expect(imported.text).not.toMatch(/problem|warning/);
    vault.requests.clear();
    expect((await stack.drift()).properties).toEqual({});
    await stack.up("--expect-no-changes");
    const writes = askedRequests(vault).filter(({ method }) => method !== "GET");
    expect(writes).toEqual([]);
    await stack.remove();
    await vault.close();
  });
});
