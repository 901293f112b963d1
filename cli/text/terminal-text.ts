// biome-ignore lint/suspicious/noControlCharactersInRegex: they are what is replaced.
const UNPRINTABLE = /[\u0000-\u001f\u007f-\u009f\u202a-\u202e\u2066-\u2069]/g;

/** A value from a vault may hold anything: control characters must not reach a terminal. */
export function printable(text: string): string {
  return text.replace(UNPRINTABLE, (character) =>
    character === "\n" ? "\\n" : `\\u${(character.codePointAt(0) ?? 0).toString(16).padStart(4, "0")}`,
  );
}

/** Breaks at spaces, and inside of words that are wider than the line. Line breaks of a value are shown as such. */
export function wrap(text: string, width: number): string[] {
  const lines: string[] = [];
  for (const word of printable(text).split(" ")) {
    let rest = word;
    const last = lines.at(-1);
    if (last !== undefined && last.length + 1 + rest.length <= width) {
      lines[lines.length - 1] = `${last} ${rest}`;
      continue;
    }
    while (rest.length > width) {
      lines.push(rest.slice(0, width));
      rest = rest.slice(width);
    }
    lines.push(rest);
  }
  return lines;
}
