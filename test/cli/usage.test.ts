import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { type Emulator, startEmulator } from "../../emulator/index.js";
import { runCommand } from "./command-line.js";

describe("what somebody types who does not know the command line", () => {
  const folder = mkdtempSync(join(tmpdir(), "keyvault-usage-"));
  let vault: Emulator;
  beforeAll(async () => {
    vault = await startEmulator({
      vaults: [{ name: "emulator", permissions: { principals: { "emulator-owner": { keys: ["*"], secrets: [] } } } }],
    });
    writeFileSync(join(folder, "mine.html"), "mine");
  });
  afterAll(async () => {
    await vault.close();
    rmSync(folder, { recursive: true });
  });

  const env = () => ({
    AZURE_KEYVAULT_URL: vault.url,
    KEYVAULT_CREDENTIAL: "token",
    KEYVAULT_TOKEN: vault.token,
  });

  it.each([
    [
      "a command with a typing error",
      ["drfit"],
      "pulumi-keyvault: KV_USAGE: unknown command 'drfit' (did you mean drift?): see --help for what is possible\n",
    ],
    [
      "an option with a typing error",
      ["inventory", "--valt", "x"],
      "pulumi-keyvault inventory: KV_USAGE: unknown option '--valt' (did you mean --vault?): see --help for what is possible\n",
    ],
    [
      "a stack without its option",
      ["drift", "prod"],
      "pulumi-keyvault drift: KV_USAGE: 'prod' is no option: name a stack with --stack, and give what is for pulumi preview after --\n",
    ],
    [
      "a credential that there is not",
      ["inventory", "--credential", "azcli"],
      /Credential "azcli" is unknown: .*, or the name of an entry in keyvault:credentials \(KEYVAULT_CREDENTIALS\)\.\n$/,
    ],
  ])("%s is told in one line", async (_what, args, said) => {
    const { exitCode, stdout, stderr } = await runCommand(args, { cwd: folder, env: env() });
    expect({ exitCode, stdout, stderr }).toEqual({
      exitCode: 1,
      stdout: "",
      stderr: typeof said === "string" ? said : expect.stringMatching(said),
    });
  });

  it("a report that may not be written is refused before a vault is asked", async () => {
    vault.requests.clear();
    const { exitCode, stderr } = await runCommand(["report", "-o", "mine.html"], { cwd: folder, env: env() });
    expect({ exitCode, stderr }).toMatchObject({ exitCode: 1, stderr: expect.stringContaining("KV_FILE_EXISTS") });
    expect(vault.requests.count).toBe(0);
  });

  it.skipIf(process.platform === "win32")(
    "a program that does not compile is a line of the report on its drift",
    async () => {
      const fixture = (name: string) => readFileSync(join(__dirname, "fixtures", `${name}.json`), "utf8");
      const complaint = Array.from({ length: 50 }, (_, line) => `index.ts(${line},1): error TS2540: what is wrong`);
      const message = `error: Running program failed:\n${complaint.join("\n")}`;
      const failed = { ...JSON.parse(fixture("drift-refresh")), diagnostics: [{ severity: "error", message }] };
      writeFileSync(join(folder, "preview.json"), JSON.stringify(failed));
      writeFileSync(join(folder, "refresh.json"), fixture("drift-refresh"));
      writeFileSync(join(folder, "pulumi"), `#!/bin/sh\ncat "${folder}/$1.json"\nexit 7\n`, { mode: 0o755 });
      const { exitCode, stdout } = await runCommand(["drift"], {
        cwd: folder,
        env: { PATH: `${folder}:/bin:/usr/bin` },
      });
      const note = stdout.split("\n").slice(stdout.split("\n").indexOf("Notes:") + 1);
      expect(exitCode).toBe(7);
      expect(note.join(" ").replace(/\s+/g, " ")).toMatch(/drift alone: Running program failed: index\.ts\(0,1\).*…/);
      expect(note.length).toBeLessThan(10);
    },
  );

  it.each([
    ["adopt", [], "--only keys"],
    ["backup", ["--to", "backup"], '--keys "*"'],
  ])("whoever may not list secrets is told how %s does without them", async (command, args, way) => {
    const { exitCode, stderr } = await runCommand([command, ...args], { cwd: folder, env: env() });
    expect({ exitCode, stderr }).toMatchObject({
      exitCode: 1,
      stderr: expect.stringMatching(/secrets\/list permission/),
    });
    expect(stderr).toContain(`Without secrets: ${way}.\n`);
  });

  it("an adoption of what there is not says of which globs nothing came", async () => {
    const args = ["adopt", "--only", "keyz/*", "--ignore", "old-*", "secrets"];
    const { exitCode, stdout } = await runCommand(args, { cwd: folder, env: env() });
    expect({ exitCode, stdout }).toEqual({
      exitCode: 0,
      stdout: `Nothing to adopt in ${vault.url} that matches --only keyz/* and not --ignore old-* secrets.\n`,
    });
  });
});
