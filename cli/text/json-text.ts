import { inertJson } from "./pipeline-text.js";

/** What a terminal obeys or an editor hides. `JSON.stringify` leaves most of it as it is. */
const MISLEADING = /[\p{Cc}\p{Cf}\p{Cs}\p{Co}\p{Cn}\p{Zl}\p{Zp}]/gu;

/** JSON that says exactly what the value is, in characters that neither a terminal nor a build agent obeys. */
export function jsonText(value: unknown): string {
  return inertJson(escapeMisleading(JSON.stringify(value) ?? "undefined"));
}

/** {@link jsonText} of a whole document: two spaces deep, with a line's end. */
export function jsonDocument(value: unknown): string {
  const lines = JSON.stringify(value, undefined, 2).split("\n");
  return `${inertJson(lines.map(escapeMisleading).join("\n"))}\n`;
}

function escapeMisleading(json: string): string {
  return json.replace(MISLEADING, (character) =>
    Array.from(
      { length: character.length },
      (_, index) => `\\u${character.charCodeAt(index).toString(16).padStart(4, "0")}`,
    ).join(""),
  );
}
