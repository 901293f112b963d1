/**
 * What a terminal, a log or a reader's eye obeys: control characters but tab and line feed, formats (directions of text, characters without width), and the
 * separators of lines and paragraphs.
 */
const CONTROL = /(?![\t\n])[\p{Cc}\p{Cf}\p{Zl}\p{Zp}]/gu;

/**
 * What a build agent takes for an order to it, wherever it reads a line: `##vso[…]`, `##[…]` and `##teamcity[…]`
 * anywhere (Azure Pipelines, GitHub Actions, TeamCity), `::command::` at the start (GitHub Actions).
 */
export const ORDER_ANYWHERE = /##(?=\w*\[)/g;
export const ORDER_AT_START = /^([^\S\n]*):(?=:)/gm;

/** Text that no build agent obeys, with a space in the words that would be orders. */
export function inert(text: string): string {
  return text.replace(ORDER_ANYWHERE, "# #").replace(ORDER_AT_START, "$1: ");
}

/**
 * A text of others as it may be shown: controls are written out, as JSON writes them (`\u001b`), and a build agent finds no
 * order in it.
 */
export function printableText(text: string): string {
  const shown = text.replace(CONTROL, (character) =>
    character
      .split("")
      .map((unit) => `\\u${unit.charCodeAt(0).toString(16).padStart(4, "0")}`)
      .join(""),
  );
  return inert(shown);
}

/** The same on one line: white space of any kind and length is one blank. */
export function printableLine(text: string): string {
  return printableText(text.replace(/\s+/g, " ").trim());
}
