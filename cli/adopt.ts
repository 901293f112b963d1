import type { Command } from "commander";

export function registerAdopt(program: Command): void {
  program.command("adopt");
}
