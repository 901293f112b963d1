import { spawnSync } from "node:child_process";
import { join } from "node:path";
import { stripVTControlCharacters } from "node:util";
import { describe, expect, it } from "vitest";
import { createProgram } from "../../cli/program.js";
import { commandLine, runCommand } from "./command-line.js";

const preview = join(__dirname, "fixtures/drift-preview.json");
const COMMANDS = createProgram().commands.map((command) => command.name());

/** In a terminal of its own, of 80 columns; util-linux's `script` has one. */
function inTerminal(command: string, env: Record<string, string> = {}) {
  const session = `stty cols 80 rows 24; ${process.execPath} ${commandLine} ${command}`;
  const run = spawnSync("script", ["-qec", session, "/dev/null"], {
    encoding: "utf8",
    env: { PATH: process.env.PATH, TERM: "xterm-256color", ...env },
  });
  return { exitCode: run.status, lines: run.stdout.replaceAll("\r", "").split("\n") };
}

describe.skipIf(spawnSync("script", ["--version"]).status !== 0)("in a terminal of 80 columns", () => {
  it("a drift report has colours and keeps to the width", () => {
    const { exitCode, lines } = inTerminal(`drift --from ${preview}`);
    expect(exitCode).toBe(7);
    expect(lines.join()).toContain("\u001b[");
    for (const line of lines) expect(stripVTControlCharacters(line).length).toBeLessThanOrEqual(80);
  });

  it("NO_COLOR takes the colours away", () => {
    expect(inTerminal(`drift --from ${preview}`, { NO_COLOR: "1" }).lines.join()).not.toContain("\u001b");
  });

  it("a preview is not waited for where nobody can pipe one in", () => {
    const { exitCode, lines } = inTerminal("drift --from - < /dev/tty");
    expect(exitCode).toBe(1);
    expect(lines.join("\n")).toContain("KV_USAGE: --from - reads the preview from standard input");
  });

  it.each(COMMANDS)("the help of %s fits", (command) => {
    for (const line of inTerminal(`${command} --help`).lines) expect(line.length).toBeLessThanOrEqual(80);
  });
});

describe("piped", () => {
  it("a drift report is plain text of 80 columns, whatever the environment says of colours", async () => {
    const { stdout } = await runCommand(["drift", "--from", preview], { env: { FORCE_COLOR: "1", COLUMNS: "200" } });
    expect(stdout).not.toContain("\u001b");
    for (const line of stdout.split("\n")) expect(line.length).toBeLessThanOrEqual(80);
  });

  it("a reader that has seen enough is no failure", () => {
    const run = spawnSync(
      "bash",
      ["-c", `${process.execPath} ${commandLine} drift --from ${preview} --format json | head -c 10`],
      {
        encoding: "utf8",
      },
    );
    expect(run).toMatchObject({ stdout: '{\n  "forma', stderr: "", status: 0 });
  });

  it.each(COMMANDS)("the help of %s has all that a reader looks for, in one order", async (command) => {
    const { stdout, exitCode } = await runCommand([command, "--help"]);
    expect(exitCode).toBe(0);
    const order = ["Usage: pulumi-keyvault", "Options:", "Exit codes:\n  0  ", "Examples:\n  "].map((part) =>
      stdout.indexOf(part),
    );
    expect(order.every((place) => place >= 0)).toBe(true);
    expect(order).toEqual([...order].sort((a, b) => a - b));
    expect(stdout).toContain(`pulumi-keyvault ${command}`);
    for (const line of stdout.split("\n")) expect(line.length).toBeLessThanOrEqual(80);
    // Each command that asks a vault says with what right.
    if (/^ {2}--credential/m.test(stdout))
      expect(stdout).toMatch(/[Nn]eeds (keys|secrets)\/|PERMISSION|Permissions|seed/);
  });

  it("options of one name say the same in every command", () => {
    const said = new Map<string, Set<string>>();
    for (const command of createProgram().commands) {
      for (const { flags, description } of command.options) {
        const [first = ""] = description.split(" (");
        if (/^--(credential)/.test(flags)) said.set(flags, (said.get(flags) ?? new Set()).add(first));
      }
    }
    expect([...said.values()].map((each) => [...each].filter((text) => !text.includes("--seed-from")).length)).toEqual([
      1,
    ]);
  });

  it("the commands are listed with a line each", async () => {
    const { stdout, exitCode } = await runCommand(["--help"]);
    expect(exitCode).toBe(0);
    for (const command of COMMANDS) expect(stdout).toMatch(new RegExp(`^ {2}${command} `, "m"));
    for (const line of stdout.split("\n")) expect(line.length).toBeLessThanOrEqual(80);
  });
});
