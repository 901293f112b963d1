import { jsonText } from "./json-text.js";
import { printable } from "./terminal-text.js";

const LINE = 110;
const IDENTIFIER = /^[A-Za-z_$][\w$]*$/;

/** Text for a comment of either kind: it stays on its line and never ends a block. */
export function commentText(text: string): string {
  return printable(text).replaceAll("*/", "*\\/");
}

/** A word of the vault for a comment: as it is where it is one, else as a string, so that it is no directive either. */
export function commentWord(word: string): string {
  return /^[\w-]{1,127}$/.test(word) ? word : commentText(literal(word));
}

/** A value as TypeScript: on one line where it fits, else one member a line. `used` is what stands before it. */
export function literal(value: unknown, indent = "", used = 0): string {
  const short = inline(value);
  if (indent.length + used + short.length <= LINE || value === null || typeof value !== "object") return short;
  const inner = `${indent}  `;
  const members = Array.isArray(value)
    ? value.map((item) => `${inner}${literal(item, inner, 1)},`)
    : Object.entries(value).map(([name, item]) => {
        const key = memberName(name);
        return `${inner}${key}: ${literal(item, inner, key.length + 3)},`;
      });
  const [open, close] = Array.isArray(value) ? ["[", "]"] : ["{", "}"];
  return `${open}\n${members.join("\n")}\n${indent}${close}`;
}

/** `__proto__` as a plain member would set the prototype. */
export function memberName(name: string): string {
  if (name === "__proto__") return '["__proto__"]';
  return IDENTIFIER.test(name) ? name : jsonText(name);
}

function inline(value: unknown): string {
  if (Array.isArray(value)) return `[${value.map(inline).join(", ")}]`;
  if (value !== null && typeof value === "object") {
    const members = Object.entries(value).map(([name, item]) => `${memberName(name)}: ${inline(item)}`);
    return members.length === 0 ? "{}" : `{ ${members.join(", ")} }`;
  }
  return jsonText(value);
}
