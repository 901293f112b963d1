/** Control and format characters (bidi overrides, joiners, soft hyphens), separators of lines, halves of surrogate pairs, and what has no meaning. */
const UNPRINTABLE = /[\p{Cc}\p{Cf}\p{Cs}\p{Co}\p{Cn}\p{Zl}\p{Zp}]/gu;

/** Text from a vault may hold anything: what moves a cursor, hides or turns text around is shown as its number. */
export function printable(text: string): string {
  return text.replace(UNPRINTABLE, (character) => {
    if (character === "\n") return "\\n";
    const hex = (character.codePointAt(0) ?? 0).toString(16).padStart(4, "0");
    return hex.length > 4 ? `\\u{${hex}}` : `\\u${hex}`;
  });
}

/** {@link printable} of each line, for text of ours that has several. */
export function printableLines(text: string): string {
  return text.split("\n").map(printable).join("\n");
}

/** Versions, thumbprints and ids are copied as a whole: up to this length no word is broken, however narrow the terminal. */
export const LONGEST_WHOLE_WORD = 44;

/** Breaks at spaces, and inside of words that are wider than the line and longer than an id. Line breaks of a value are shown as such. */
export function wrap(text: string, width: number): string[] {
  const lines: string[] = [];
  for (const word of printable(text).split(" ")) {
    let rest = word;
    const last = lines.at(-1);
    if (last !== undefined && last.length + 1 + rest.length <= width) {
      lines[lines.length - 1] = `${last} ${rest}`;
      continue;
    }
    while (rest.length > Math.max(width, LONGEST_WHOLE_WORD)) {
      // Never between the halves of a surrogate pair, each of which would be a character that cannot be shown.
      const end = /[\ud800-\udbff]/.test(rest.charAt(width - 1)) ? Math.max(width - 1, 2) : width;
      lines.push(rest.slice(0, end));
      rest = rest.slice(end);
    }
    lines.push(rest);
  }
  return lines;
}
