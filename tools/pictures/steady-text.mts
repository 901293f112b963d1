/**
 * What a run prints, without what is another each time: ids and digests get numbers in the order in which they come,
 * moments and versions of tools are fixed, ports are one. Works on text with colours too.
 */
export function steady(text: string): string {
  const seen = new Map<string, number>();
  const numbered = (found: string): number => {
    const number = seen.get(found) ?? seen.size + 1;
    seen.set(found, number);
    return number;
  };
  return text
    .replaceAll("\r", "")
    .replace(/\b[0-9a-f]{32}\b/g, (id) => madeUp(`version ${numbered(id)}`, "0123456789abcdef", 32))
    .replace(/(?<![\w/-])[\w-]{43}(?![\w/-])/g, (digest) => madeUp(`digest ${numbered(digest)}`, BASE64URL, 43))
    .replace(/20\d\d-\d\d-\d\dT\d\d:\d\d:\d\d(?:\.\d+)?Z/g, "2027-01-01T12:00:00Z")
    .replace(/(localhost|127\.0\.0\.1):\d{4,5}/g, "$1:8443")
    .replace(/(Pulumi) \d+\.\d+\.\d+(?: \([^)]*\))?/g, "$1 3.259.0")
    .replace(/(Node(?:\.js)?) \d+\.\d+\.\d+/g, "$1 24.21.0")
    .replace(/(@pulumi\/pulumi) \d+\.\d+\.\d+/g, "$1 3.276.0");
}

const BASE64URL = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789";

/** Looks like one of them, and is the same for the same name. */
function madeUp(name: string, alphabet: string, length: number): string {
  let state = [...name].reduce((sum, character) => (sum * 31 + character.charCodeAt(0)) >>> 0, 7);
  let text = "";
  while (text.length < length) {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0;
    text += alphabet[(state >>> 16) % alphabet.length];
  }
  return text;
}
