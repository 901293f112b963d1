import { spawn } from "node:child_process";
import { cp, readFile, rm, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { parse } from "yaml";
import { z } from "zod";
import { type Emulator, startEmulator } from "../../emulator/index.js";
import { type CommandRun, ended } from "../cli/command-line.js";
import { vaultCaller } from "../cli/vault-caller.js";
import { findWorkflowLinter } from "../tools/workflow-linter.js";
import { linkCommand } from "./guide-walk.js";
import { ReadmeCommands } from "./readme-commands.js";
import { Stack } from "./stack.js";

const EXAMPLE = join(__dirname, "../../examples/drift-pipeline");
const readme = new ReadmeCommands("examples/drift-pipeline/README.md");
const WORKFLOW = ".github/workflows/drift.yml";

const workflow = z.object({
  jobs: z.object({ drift: z.object({ steps: z.array(z.object({ run: z.string().optional() })) }) }),
});
const pipeline = z.object({
  steps: z.array(z.object({ inputs: z.object({ inlineScript: z.string().optional() }).optional() })),
});

const read = async (name: string): Promise<unknown> => parse(await readFile(join(EXAMPLE, name), "utf8"));

describe("the example of a drift pipeline", () => {
  let vault: Emulator;
  let stack: Stack;

  beforeAll(async () => {
    vault = await startEmulator({
      vaults: [
        {
          name: "emulator",
          permissions: {
            principals: { "emulator-owner": { keys: ["*"], secrets: ["*"] }, pipeline: { keys: ["get", "list"] } },
          },
        },
      ],
    });
    stack = await Stack.create({ kind: "typescript", program: "" });
    for (const file of ["index.ts", "Pulumi.yaml", "tsconfig.json"]) {
      await cp(join(EXAMPLE, file), join(stack.folder, file));
    }
    await linkCommand(stack.folder);
    Object.assign(stack.env, { KEYVAULT_TOKEN: vault.token, KEYVAULT_CREDENTIAL: "token" });
    // The vault is one with permissions, which the embedded one of the README has not.
    await writeFile(join(stack.folder, "Pulumi.dev.yaml"), `config:\n  keyvault:vaultUrl: ${vault.url}\n`);
    const { stdout } = await readme.run(stack, "npx pulumi-keyvault drift");
    expect(stdout).toContain("No drift: 3 resources compared with the cloud.");
    stack.env.KEYVAULT_TOKEN = "pipeline";
  });

  afterAll(async () => {
    await stack?.remove();
    await vault?.close();
  });

  /** A step of the pipeline, in the shell that its service uses. */
  const shell = (script: string, args: string[], env: Record<string, string> = {}): Promise<CommandRun> =>
    ended(
      spawn("bash", [...args, "-c", script], {
        cwd: stack.folder,
        env: { ...stack.env, STACK: "dev", ...env },
        stdio: ["pipe", "pipe", "pipe"],
      }),
    );

  const onGithub = async (): Promise<CommandRun> => {
    const { jobs } = workflow.parse(await read(WORKFLOW));
    const [script = "exit 99"] = jobs.drift.steps.flatMap(({ run }) => (run?.includes("drift") ? [run] : []));
    return shell(script, ["-e", "-o", "pipefail"], { GITHUB_STEP_SUMMARY: join(stack.folder, "summary.md") });
  };

  const onAzure = async (): Promise<CommandRun> => {
    const { steps } = pipeline.parse(await read("azure-pipelines.yml"));
    const [script = "exit 99"] = steps.flatMap(({ inputs }) => inputs?.inlineScript ?? []);
    return shell(script, []);
  };

  it("does what its README says", () => {
    expect(readme.left).toEqual([]);
  });

  it("passes on GitHub while nothing drifted, without the private key and with permission to read", async () => {
    const run = await onGithub();
    expect(run, run.stderr).toMatchObject({ exitCode: 0, stdout: "No drift: 3 resources compared with the cloud.\n" });
  });

  it("passes on Azure, with a test case for each resource", async () => {
    const run = await onAzure();
    expect(run.exitCode, run.stderr).toBe(0);
    expect(await readFile(join(stack.folder, "drift.xml"), "utf8")).toContain('tests="3" failures="0"');
  });

  it("fails on both with exit code 7 when somebody changes a key and adds another", async () => {
    const call = vaultCaller(vault);
    await call("PATCH", "/keys/orders-signing", { tags: {} });
    await call("POST", "/keys/made-by-hand/create", { kty: "RSA" });
    await rm(join(stack.folder, "summary.md"), { force: true });

    const github = await onGithub();
    expect(github.exitCode, github.stderr).toBe(7);
    expect(github.stdout).toMatch(/^::warning title=Drift of Key signing::.*tags\.team/m);
    expect(github.stdout).toMatch(/^::warning title=Drift of KeyInventory vault::.*made-by-hand appeared/m);
    expect(await readFile(join(stack.folder, "summary.md"), "utf8")).toContain("## Key Vault drift");

    const azure = await onAzure();
    expect(azure.exitCode, azure.stderr).toBe(7);
    expect(azure.stdout).toContain("Key signing");
    expect(await readFile(join(stack.folder, "drift.xml"), "utf8")).toContain('tests="3" failures="2"');
  });

  it("fails on both with another code when the identity lost its permission", async () => {
    stack.env.KEYVAULT_TOKEN = "nobody";
    for (const run of [await onGithub(), await onAzure()]) {
      expect(run.exitCode).toBe(1);
      expect(run.stderr).toMatch(/Missing permission: .*keys\/get/);
    }
  });
});

describe("the workflow of the example", () => {
  const { lint, why } = findWorkflowLinter();

  it.skipIf(lint === undefined)(`passes actionlint${why}`, { timeout: 180_000 }, () => {
    expect(lint?.([join(EXAMPLE, WORKFLOW)])).toBe("");
  });

  it("asks for no more than to read the repository and to log in", async () => {
    expect(await read(WORKFLOW)).toMatchObject({ permissions: { contents: "read", "id-token": "write" } });
  });
});
