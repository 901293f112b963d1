import type { Command, Option } from "commander";

export const COMPLETED_SHELLS = ["bash", "zsh", "fish"] as const;
export type CompletedShell = (typeof COMPLETED_SHELLS)[number];

/** A shell's completion, made of the commands as they are: nothing here has to be kept up with them. */
export function completionScript(program: Command, shell: CompletedShell): string {
  if (shell === "fish") return fish(program);
  return shell === "zsh" ? `${ZSH}${bash(program)}` : bash(program);
}

/** zsh runs the completions of bash after this. A start-up file without completions of its own has not made them ready. */
const ZSH = `(( \${+functions[compdef]} )) || { autoload -U compinit && compinit; }
autoload -U +X bashcompinit && bashcompinit
`;

function bash(program: Command): string {
  const commands = program.commands.map((command) => command.name());
  const cases = program.commands.map((command) => {
    const choices = valueCases(command.options).map((line) => `        ${line}`);
    const words = [...flagsOf(command.options), ...argumentChoices(command)];
    return [
      `    ${command.name()})`,
      ...(choices.length > 0 ? ['      case "$previous" in', ...choices, "      esac"] : []),
      `      [ -n "$words" ] || words="${words.join(" ")}"`,
      "      ;;",
    ].join("\n");
  });
  return `_pulumi_keyvault() {
  local current="\${COMP_WORDS[COMP_CWORD]}" previous="\${COMP_WORDS[COMP_CWORD-1]}" words="" files="" file
  if [ "$current" = "=" ]; then current=""
  elif [ "$previous" = "=" ]; then previous="\${COMP_WORDS[COMP_CWORD-2]}"; fi
  case "\${COMP_WORDS[1]}" in
${cases.join("\n")}
  esac
  [ "$COMP_CWORD" -eq 1 ] && words="${[...commands, ...flagsOf(program.options)].join(" ")}"
  COMPREPLY=()
  if [ -z "$files" ]; then COMPREPLY=($(compgen -W "$words" -- "$current"))
  else
    compopt -o filenames 2>/dev/null
    while IFS= read -r file; do COMPREPLY+=("$file"); done < <(compgen -f -- "$current")
  fi
}
complete -F _pulumi_keyvault pulumi-keyvault
`;
}

/** What may stand after an option: one of its values, or the name of a file. */
function valueCases(options: readonly Option[]): string[] {
  return options.flatMap((option) => {
    const flags = [option.short, option.long].filter((flag) => flag !== undefined).join("|");
    if (option.argChoices) return [`${flags}) words="${option.argChoices.join(" ")}" ;;`];
    return /<file>/.test(option.flags) ? [`${flags}) files=yes ;;`] : [];
  });
}

function flagsOf(options: readonly Option[]): string[] {
  return [...options.map(({ long, short }) => long ?? short ?? ""), "--help"];
}

function argumentChoices(command: Command): string[] {
  return command.registeredArguments.flatMap(({ argChoices }) => argChoices ?? []);
}

function fish(program: Command): string {
  const complete = "complete -c pulumi-keyvault";
  const lines = [`${complete} -f`];
  for (const command of program.commands) {
    const isGiven = `-n "__fish_seen_subcommand_from ${command.name()}"`;
    lines.push(`${complete} -n "__fish_use_subcommand" -a ${command.name()} -d ${quoted(command.summary())}`);
    for (const option of command.options) {
      const long = option.long === undefined ? "" : ` -l ${option.long.replace(/^--/, "")}`;
      const short = option.short === undefined ? "" : ` -s ${option.short.replace(/^-/, "")}`;
      const values = option.argChoices ? ` -x -a ${quoted(option.argChoices.join(" "))}` : "";
      const value = values === "" && /<file>/.test(option.flags) ? " -r -F" : values;
      lines.push(`${complete} ${isGiven}${long}${short}${value} -d ${quoted(option.description)}`);
    }
    for (const choice of argumentChoices(command)) lines.push(`${complete} ${isGiven} -a ${choice}`);
  }
  return `${lines.join("\n")}\n`;
}

function quoted(text: string): string {
  return `'${text.replaceAll("\\", "\\\\").replaceAll("'", "\\'")}'`;
}
