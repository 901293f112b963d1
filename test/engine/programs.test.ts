import { LocalWorkspace } from "@pulumi/pulumi/automation/index.js";
import { afterAll, beforeAll, describe, expect, it, vi } from "vitest";
import { type Emulator, startEmulator } from "../../emulator/index.js";
import { Key, KeyBackup } from "../../sdk/index.js";
import { rsaKey } from "./demo-keys.js";
import { type ProjectKind, Stack } from "./stack.js";

describe("a program runs through its life", () => {
  let vault: Emulator;
  beforeAll(async () => {
    vault = await startEmulator();
  });
  afterAll(() => vault?.close());

  const settings = () => ({
    config: { "keyvault:vaultUrl": vault.url, "keyvault:credential": "token" },
    env: { KEYVAULT_TOKEN: vault.token },
  });

  it.each<[ProjectKind, string]>([
    ["commonjs", "exports.thumbprint ="],
    ["pnpm", "exports.thumbprint ="],
    ["esm", "export const thumbprint ="],
    ["typescript", "export const thumbprint: pulumi.Output<string | undefined> ="],
    ["typescript-esm", "export const thumbprint: pulumi.Output<string | undefined> ="],
  ])("as %s", async (kind, exported) => {
    const stack = await Stack.create({
      kind,
      program: `
        const signing = new keyvault.Key("signing", { import: { file: "signing.pem" } });
        new keyvault.KeyBackup("signing", { key: signing });
        ${exported} signing.thumbprint;`,
      ...settings(),
    });
    await stack.file("signing.pem", rsaKey().pkcs8);
    await stack.up();
    expect((await stack.drift()).run.exitCode).toBe(0);
    expect(await stack.outputs()).toEqual({ thumbprint: expect.stringMatching(/^[\w-]{43}$/) });
    await stack.destroy();
    await stack.remove();
  });

  it("as an inline program of the Automation API", async () => {
    const project = await Stack.create({ program: "", ...settings() });
    vi.stubEnv("PATH", project.env.PATH ?? "");
    const { pkcs8 } = rsaKey();
    const stack = await LocalWorkspace.createOrSelectStack(
      {
        projectName: "inline",
        stackName: "dev",
        program: async () => {
          const signing = new Key("signing", { import: { pem: pkcs8 }, tags: { team: "orders" } });
          return { version: new KeyBackup("signing", { key: signing }).version, name: signing.name };
        },
      },
      { workDir: project.folder, envVars: project.env },
    );
    await stack.setAllConfig({
      "keyvault:vaultUrl": { value: vault.url },
      "keyvault:credential": { value: "token" },
    });
    const up = await stack.up();
    expect(up.outputs.name?.value).toMatch(/^signing-[0-9a-f]{7}$/);
    const preview = await stack.preview({ refresh: true, expectNoChanges: true });
    expect(preview.changeSummary).toEqual({ same: 3 });
    await stack.destroy();
    vi.unstubAllEnvs();
    await project.remove();
  });
});
