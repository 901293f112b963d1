import { type Command, CommanderError } from "commander";
import { CliError } from "./cli-error.js";

/** Prints a failure to stderr, without a stack, and tells the exit code. */
export function reportFailure(program: Command, error: unknown): number {
  if (error instanceof CommanderError) return reportUsage(program, error);
  process.stderr.write(`${commandName(program)}: ${describe(error)}\n`);
  return error instanceof CliError ? error.exitCode : 1;
}

/** Help and version, when they were asked for, have been printed and are no failure. */
function reportUsage(program: Command, { code, message, exitCode }: CommanderError): number {
  if (code.startsWith("commander.help") || code === "commander.version") return exitCode;
  const what = message.replace(/^error: /, "").replace(/\.$/, "");
  process.stderr.write(`${commandName(program)}: KV_USAGE: ${what}: see --help for what is possible\n`);
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
  return `${code}${error.message}`;
}
