import type { Command } from "commander";

export function registerDrift(program: Command): void {
  program.command("drift");
}
