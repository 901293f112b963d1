import { type Command, CommanderError } from "commander";
import { inert } from "../text/pipeline-text.js";
import { printable, printableLines } from "../text/terminal-text.js";
import { withoutMaterial } from "../text/withheld-arguments.js";
import { CliError } from "./cli-error.js";

/** Tells on stderr of something that a command goes on without. */
export function tellProblem(command: string, line: string): void {
  writeProblem(printable(`pulumi-keyvault ${command}: ${line}`));
}

/** What failed may quote a vault, a server or a program: no terminal and no build agent is to obey it. */
function writeProblem(text: string): void {
  process.stderr.write(`${inert(printableLines(withoutMaterial(text)))}\n`);
}

/** Prints a failure to stderr, without a stack, and tells the exit code. */
export function reportFailure(program: Command, error: unknown): number {
  if (error instanceof CommanderError) return reportUsage(program, error);
  writeProblem(`${commandName(program)}: ${describe(error)}`);
  return error instanceof CliError ? error.exitCode : 1;
}

/** Help and version, when they were asked for, have been printed and are no failure. */
function reportUsage(program: Command, { code, message, exitCode }: CommanderError): number {
  if (code.startsWith("commander.help") || code === "commander.version") return exitCode;
  const what = message
    .replace(/^error: /, "")
    .replace(/\.$/, "")
    // The parser's guess has a line of its own.
    .replace(/\n\(Did you mean (.+)\?\)$/, " (did you mean $1?)");
  writeProblem(`${commandName(program)}: KV_USAGE: ${what}: see --help for what is possible`);
  return exitCode;
}

function commandName(program: Command): string {
  const [command] = program.args;
  const known = program.commands.some((each) => each.name() === command);
  return known ? `${program.name()} ${command}` : program.name();
}

function describe(error: unknown): string {
  if (!(error instanceof Error)) return "failed for an unknown reason";
  const code = "code" in error && typeof error.code === "string" ? `${error.code}: ` : "";
  // Our own messages have lines of their own; what follows a line break of any other stays told as a part of it.
  return `${code}${error instanceof CliError ? error.message : error.message.replace(/\r?\n/g, "\n  ")}`;
}
