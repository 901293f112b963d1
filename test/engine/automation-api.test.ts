import { type InlineProgramArgs, type Stack as InlineStack, LocalWorkspace } from "@pulumi/pulumi/automation/index.js";
import { afterAll, beforeAll, describe, expect, it, vi } from "vitest";
import { type Emulator, startEmulator } from "../../emulator/index.js";
import { Key, KeyBackup } from "../../sdk/index.js";
import { askedOperations } from "../emulator/asked-requests.js";
import { rsaKey } from "./demo-keys.js";
import { Stack } from "./stack.js";

describe("a key's life in an inline program of the Automation API", () => {
  let vault: Emulator;
  let project: Stack;
  let stack: InlineStack;
  let material = rsaKey();
  let name = "orders";
  let logical = "signing";

  const program: InlineProgramArgs["program"] = async () => {
    const signing = new Key(logical, { name, import: { pem: material.pkcs8 }, tags: { team: "orders" } });
    const backup = new KeyBackup(logical, { key: signing });
    return { thumbprint: signing.thumbprint, version: backup.version, blob: backup.blob };
  };

  beforeAll(async () => {
    vault = await startEmulator();
    project = await Stack.create({ program: "", env: { KEYVAULT_TOKEN: vault.token } });
    vi.stubEnv("PATH", project.env.PATH ?? "");
    stack = await LocalWorkspace.createOrSelectStack(
      { projectName: "inline", stackName: "dev", program },
      { workDir: project.folder, envVars: project.env },
    );
    await stack.setAllConfig({
      "keyvault:vaultUrl": { value: vault.url },
      "keyvault:credential": { value: "token" },
    });
  });
  afterAll(async () => {
    vi.unstubAllEnvs();
    await project?.remove();
    await vault?.close();
  });

  const call = async (method: string, path: string, body?: unknown): Promise<number> => {
    const answer = await fetch(`${vault.url}${path}?api-version=7.4`, {
      method,
      headers: { authorization: `Bearer ${vault.token}`, "content-type": "application/json" },
      ...(body === undefined ? {} : { body: JSON.stringify(body) }),
    });
    return answer.status;
  };
  const requests = (): string[] => askedOperations(vault);
  const clean = async () => expect((await stack.preview({ refresh: true })).changeSummary).toEqual({ same: 3 });

  it("up imports the key with a look, an import and a backup, and is clean then", async () => {
    const { outputs } = await stack.up();
    expect(requests()).toEqual(["getKey", "importKey", "backupKey"]);
    expect(outputs.blob?.secret).toBe(true);
    await clean();
  });

  it("a tag changed outside and a swapped key are told, refused by a pipeline, and repaired", async () => {
    await call("PATCH", "/keys/orders", { tags: { team: "orders", added: "outside" } });
    const { kty, n, e, d, p, q, dp, dq, qi } = rsaKey().jwk;
    await call("PUT", "/keys/orders", { key: { kty, n, e, d, p, q, dp, dq, qi } });
    await expect(stack.preview({ refresh: true, expectNoChanges: true })).rejects.toThrow(/no changes were expected/);
    await stack.up({ refresh: true });
    await clean();
  });

  it("new material is a new version in place, and its backup is taken again", async () => {
    const before = await stack.outputs();
    material = rsaKey();
    vault.requests.clear();
    const { summary, outputs } = await stack.up();
    expect(summary.resourceChanges).toEqual({ same: 1, update: 2 });
    expect(requests()).toEqual(["getKey", "importKey", "backupKey"]);
    expect(outputs.thumbprint?.value).not.toBe(before.thumbprint?.value);
    expect(outputs.version?.value).not.toBe(before.version?.value);
  });

  it("another name is another key", async () => {
    name = "invoices";
    expect((await stack.preview()).changeSummary).toMatchObject({ replace: 2 });
    await stack.up();
    expect(await call("GET", "/keys/orders")).toBe(404);
    await clean();
  });

  it("a key whose resource a run renames and leaves out stays, until a whole run shows it", async () => {
    logical = "renamed";
    const { stdout } = await stack.up({ exclude: ["**renamed"] });
    expect(stdout).toMatch(/stays: the program declares it \(Key "renamed", which this run leaves out\)/);
    expect(await call("GET", "/keys/invoices")).toBe(200);
    await stack.up();
    await clean();
  });

  it("a key deleted outside comes back, and destroy deletes it so that it can be recovered", async () => {
    await call("DELETE", "/keys/invoices");
    await stack.up({ refresh: true });
    expect(await call("GET", "/keys/invoices")).toBe(200);
    const { deployment } = await stack.exportStack();
    expect(material.canaries.filter((canary) => JSON.stringify(deployment).includes(canary))).toEqual([]);
    // What the program still declares goes all the same.
    await stack.destroy({ runProgram: true });
    expect(await call("GET", "/deletedkeys/invoices")).toBe(200);
  });
});
