import { inert } from "./pipeline-text.js";
import { printable } from "./terminal-text.js";

/** A workflow command of GitHub Actions. Neither title nor message can end it or begin another. */
export function githubCommand(name: "notice" | "warning" | "error", title: string, message: string): string {
  return `::${name} title=${escapedProperty(inert(printable(title)))}::${escapedData(inert(printable(message)))}`;
}

function escapedData(text: string): string {
  return text.replaceAll("%", "%25");
}

function escapedProperty(text: string): string {
  return escapedData(text).replaceAll(":", "%3A").replaceAll(",", "%2C");
}
