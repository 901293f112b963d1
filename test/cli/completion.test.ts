import { spawnSync } from "node:child_process";
import { mkdtempSync, readdirSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { type CompletedShell, completionScript } from "../../cli/completion/completion-script.js";
import { createProgram } from "../../cli/program.js";
import { runCommand } from "./command-line.js";

const script = (shell: CompletedShell): string => completionScript(createProgram(), shell);

/** What bash offers for the last word. */
function offered(...words: string[]): string[] {
  return offeredIn(__dirname, ...words);
}

function offeredIn(cwd: string, ...words: string[]): string[] {
  const line = ["pulumi-keyvault", ...words].map((word) => `'${word}'`).join(" ");
  const asked = `COMP_WORDS=(${line}); COMP_CWORD=${words.length}; _pulumi_keyvault; printf '%s\\n' "\${COMPREPLY[@]}"`;
  const { stdout, stderr } = spawnSync("bash", ["--norc", "-c", `${script("bash")}\n${asked}`], {
    encoding: "utf8",
    cwd,
  });
  expect(stderr).toBe("");
  return stdout.split("\n").filter((word) => word !== "");
}

describe("the completion of a shell", () => {
  it("offers the commands", () => {
    expect(offered("")).toEqual(expect.arrayContaining(["adopt", "drift", "emulator", "inventory", "completion"]));
    expect(offered("inv")).toEqual(["inventory"]);
  });

  it("offers each option of each command", () => {
    for (const command of createProgram().commands) {
      for (const { long } of command.options) expect(offered(command.name(), long ?? "")).toContain(long);
    }
  });

  it("offers the values of an option, and files where a file is wanted", () => {
    expect(offered("drift", "--format", "")).toEqual(["table", "json", "github", "junit", "markdown"]);
    expect(offered("inventory", "-f", "c")).toEqual(["csv"]);
    expect(offered("emulator", "--plane", "m")).toEqual(["managedhsm"]);
    expect(offered("drift", "--from", "completion")).toEqual(["completion.test.ts"]);
    expect(offered("completion", "f")).toEqual(["fish"]);
  });

  it("offers a file by its whole name, and takes the name for text", () => {
    const folder = mkdtempSync(join(tmpdir(), "completion-"));
    const names = ["*", "my key.pem", "my'$(touch pwned).pem"];
    for (const name of names) writeFileSync(join(folder, name), "");
    expect(offeredIn(folder, "byok", "--key", "").sort()).toEqual(names);
    expect(offeredIn(folder, "byok", "--key", "my k")).toEqual(["my key.pem"]);
    expect(readdirSync(folder)).toHaveLength(names.length);
    rmSync(folder, { recursive: true });
  });

  it("offers a value after an equals sign, which bash takes for a word of its own", () => {
    expect(offered("inventory", "--format", "=")).toEqual(["table", "json", "csv"]);
    expect(offered("inventory", "--format", "=", "j")).toEqual(["json"]);
  });

  it("takes no word for the name of a folder, which bash would end with a slash", () => {
    expect(script("bash")).toMatch(/^complete -F /m);
  });

  it("is the same for zsh, by its bashcompinit, and has every option for fish", () => {
    expect(script("zsh")).toContain(script("bash"));
    expect(script("zsh")).toMatch(/compinit; \}\nautoload -U \+X bashcompinit/);
    for (const command of createProgram().commands) {
      for (const { long } of command.options) expect(script("fish")).toContain(` -l ${long?.slice(2)}`);
    }
  });

  it("is refused for another shell, with the ones that there are", async () => {
    const run = await runCommand(["completion", "csh"]);
    expect(run).toMatchObject({ exitCode: 1, stdout: "" });
    expect(run.stderr).toMatch(/KV_USAGE: .*bash, zsh, fish/);
  });
});
