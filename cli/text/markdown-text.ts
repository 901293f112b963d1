import { inert } from "./pipeline-text.js";
import { printable } from "./terminal-text.js";

/** Starts a list, a heading or a quotation where it is the first of a line. */
const AT_START = /^(\d*)(?=[-+=#.)])/;

/**
 * Text as text, in a paragraph, an item or a cell: no markup, no HTML, no link, and nobody is mentioned by it.
 * The empty comment keeps GitHub from reading `@name` and `#1`, which a backslash does not.
 */
export function markdownText(content: string): string {
  return inert(printable(content))
    .replaceAll("&", "&amp;")
    .replace(/[\\`*_{}[\]<>|~$]/g, "\\$&")
    .replace(/:(?=\/\/)/g, "\\:")
    .replace(/\b(www)\./gi, "$1\\.")
    .replace(/[@#](?=[\w\\])/g, "$&<!-- -->")
    .replace(AT_START, "$1\\");
}

/**
 * A code span in a cell. Code spans cannot escape: a backtick inside needs a longer fence, and a pipe would end the
 * cell. Readers do not agree on a pipe behind two backslashes: a space keeps its own apart.
 */
export function markdownCode(content: string): string {
  const shown = inert(printable(content)).replaceAll("\\|", "\\ |").replaceAll("|", "\\|");
  const fence = "`".repeat(Math.max(0, ...(shown.match(/`+/g) ?? []).map((run) => run.length)) + 1);
  const pad = shown === "" || shown.startsWith("`") || shown.endsWith("`") ? " " : "";
  return `${fence}${pad}${shown}${pad}${fence}`;
}

export function markdownRow(cells: readonly string[]): string {
  return `| ${cells.join(" | ")} |`;
}
