/**
 * What a terminal, a log or a reader's eye obeys: control characters but tab and line feed, formats (directions of text, characters without width), and the
 * separators of lines and paragraphs.
 */
const CONTROL = /(?![\t\n])[\p{Cc}\p{Cf}\p{Zl}\p{Zp}]/gu;

/** A text of others as it may be shown: controls are written out, as JSON writes them (`\u001b`). */
export function printableText(text: string): string {
  return text.replace(CONTROL, (character) =>
    character
      .split("")
      .map((unit) => `\\u${unit.charCodeAt(0).toString(16).padStart(4, "0")}`)
      .join(""),
  );
}

/** The same on one line: white space of any kind and length is one blank. */
export function printableLine(text: string): string {
  return printableText(text.replace(/\s+/g, " ").trim());
}
