import { type ChildProcess, spawn } from "node:child_process";
import { type CommandRun, ended } from "../cli/command-line.js";
import { readPage } from "../docs/page.js";
import { expectingExitCodes, pageEnvironment, SHELL } from "./guide-walk.js";
import type { Stack } from "./stack.js";

/** Where the commands are run, and with what. */
type Project = Pick<Stack, "folder" | "env">;

export interface ReadmeOptions {
  /** The heading of the part that is meant. Default: the whole page. */
  section?: string;
  /** A command as it is run here. Default: as it stands there. */
  edit?(command: string): string;
}

/** What changes the shell itself, and so counts for the commands after it. */
const SHELL_STATE = /^(cd|export|unset|\.) /;

/**
 * The commands of an example's README, which its test runs as they stand there, in their order and in one shell, as it
 * seems. What a test does between them is what the reader is told of in prose, or what somebody else does to the vault.
 */
export class ReadmeCommands {
  private readonly commands: string[];
  private readonly state: string[] = [];
  private readonly edit: (command: string) => string;

  constructor(page: string, { section, edit = (command) => command }: ReadmeOptions = {}) {
    const { text: written, blocks } = readPage(page);
    const part = section === undefined ? written : (written.split(`\n## ${section}\n`)[1]?.split("\n## ")[0] ?? "");
    this.edit = edit;
    this.commands = blocks
      .filter(({ language, note }) => language === "sh" && note === "")
      .filter(({ text }) => part.includes(text))
      .flatMap(({ text }) => text.trim().replaceAll("\\\n", "").split("\n"));
  }

  /** What no test has run so far: nothing, at the end. */
  get left(): readonly string[] {
    return this.commands;
  }

  /** Runs what comes next, up to the command that begins with `last`. Each has to end with 0, or as the page says of it. */
  async run(stack: Project, last: string, exitCode = 0): Promise<CommandRun & { text: string }> {
    const run = await ended(this.start(stack, last));
    const text = run.stdout + run.stderr;
    if (run.exitCode !== exitCode) throw new Error(`the README, up to "${last}", ended with ${run.exitCode}:\n${text}`);
    return { ...run, text };
  }

  /** Runs one that goes on until somebody presses Ctrl-C, which is once it has printed something. */
  async runUntilCtrlC(stack: Project, last: string): Promise<CommandRun> {
    const child = this.start(stack, last);
    // A terminal tells all processes of the command. Windows knows no such group.
    const isGroup = child.pid !== undefined && process.platform !== "win32";
    child.stdout?.once("data", () => (isGroup ? process.kill(-(child.pid ?? 0), "SIGINT") : child.kill("SIGINT")));
    return ended(child);
  }

  private start(stack: Project, last: string): ChildProcess {
    const found = this.commands.findIndex((command) => command.startsWith(last));
    if (found < 0) throw new Error(`the README has no further command "${last}": ${this.commands.join("; ")}`);
    const next = this.commands.splice(0, found + 1).map(this.edit);
    const script = [...this.state, ...next.map(expectingExitCodes)].join("\n");
    this.state.push(...next.filter((command) => SHELL_STATE.test(command)));
    return spawn("bash", ["-c", `${SHELL}${script}\n`], {
      cwd: stack.folder,
      env: pageEnvironment(stack),
      stdio: ["ignore", "pipe", "pipe"],
      detached: true,
    });
  }
}
