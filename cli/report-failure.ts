import { type Command, CommanderError } from "commander";
import { CliError } from "./cli-error.js";

/** Prints a failure to stderr, without a stack, and tells the exit code. */
export function reportFailure(program: Command, error: unknown): number {
  // Commander has printed its own message, or the help that was asked for.
  if (error instanceof CommanderError) return error.exitCode;
  process.stderr.write(`${commandName(program)}: ${describe(error)}\n`);
  return error instanceof CliError ? error.exitCode : 1;
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
