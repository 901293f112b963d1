import { inertXml } from "./pipeline-text.js";
import { printable, printableLines } from "./terminal-text.js";

/** Text between tags. It may have lines. */
export function xmlContent(text: string): string {
  return inertXml(escaped(printableLines(text)));
}

/** Text between double quotes. */
export function xmlAttribute(text: string): string {
  return inertXml(escaped(printable(text)).replaceAll('"', "&quot;"));
}

/** What XML 1.0 has no way to write is gone already: none of it is printable. `]]>` is no end of anything either. */
function escaped(text: string): string {
  return text.replaceAll("&", "&amp;").replaceAll("<", "&lt;").replaceAll(">", "&gt;");
}
