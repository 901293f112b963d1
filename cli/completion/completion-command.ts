import { Argument, type Command } from "commander";
import { COMPLETED_SHELLS, type CompletedShell } from "./completion-script.js";

const HELP = `
Prints what makes a shell complete the commands, their options and the options'
values. In the start-up file of the shell:
  bash  source <(pulumi-keyvault completion bash)
  zsh   source <(pulumi-keyvault completion zsh)
  fish  pulumi-keyvault completion fish | source

Exit codes:
  0  the script is printed
  1  it is not; the code on standard error says why

Examples:
  source <(pulumi-keyvault completion bash)
  pulumi-keyvault completion fish | source`;

export function registerCompletion(program: Command): void {
  program
    .command("completion")
    .summary("complete commands and options in a shell")
    .description("Prints the completion script of a shell.")
    .addArgument(new Argument("<shell>", "whose script").choices(COMPLETED_SHELLS))
    .addHelpText("after", HELP)
    .action(async (shell: CompletedShell) => {
      const { completionScript } = await import("./completion-script.js");
      process.stdout.write(completionScript(program, shell));
    });
}
