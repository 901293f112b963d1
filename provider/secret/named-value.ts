import { resolve } from "node:path";
import { describeText } from "../engine/described-value.js";
import { readRegularFile, saysMissing } from "../material/regular-file.js";
import { shownPath, shownVariable } from "../material/shown-place.js";

const MAX_FILE_BYTES = 1024 * 1024;

export type NamedValue =
  | { status: "value"; value: string; subject: string }
  /** Not at hand here, which is no fault where the secret exists already. Both reasons are clauses for a message. */
  | { status: "absent"; reason: string }
  | { status: "refused"; reason: string };

/**
 * Reads the value that `{ env }` or `{ file }` names, in this process and as it is: a final line break of a file is part
 * of the value. What is empty is not at hand: a pipeline that has no such secret sets its variable to nothing.
 */
export function readNamedValue(source: Record<string, unknown>): NamedValue {
  const given = Object.entries(source).filter(([, member]) => member !== undefined && member !== null);
  const [[origin, place] = []] = given;
  if (given.length !== 1 || (origin !== "env" && origin !== "file") || typeof place !== "string") {
    return { status: "refused", reason: 'must be text, { env: "NAME" } or { file: "path" }' };
  }
  return origin === "env" ? readVariable(place) : readFile(place);
}

function readVariable(name: string): NamedValue {
  if (!/^[A-Za-z_]\w{0,127}$/.test(name)) {
    return {
      status: "refused",
      reason: `env has to hold the name of an environment variable, not its value, and is ${describeText(name)}`,
    };
  }
  const value = process.env[name];
  const subject = shownVariable(name);
  if (value === undefined) return { status: "absent", reason: `${subject} is not set` };
  return value === "" ? { status: "absent", reason: `${subject} is empty` } : { status: "value", value, subject };
}

function readFile(file: string): NamedValue {
  if (file === "" || file.length > 1024 || /[\r\n\0]|-----BEGIN|^\s*[{[]/.test(file)) {
    return {
      status: "refused",
      reason: `file has to hold a path, not what the file holds, and is ${describeText(file)}`,
    };
  }
  const subject = `file ${shownPath(file)}`;
  const found = readRegularFile(resolve(file), MAX_FILE_BYTES);
  if (found.status === "refused") return { status: "refused", reason: `${subject}: ${found.reason}` };
  if (found.status === "missing") {
    return {
      status: "absent",
      reason: `${subject} ${saysMissing(file)}`,
    };
  }
  if (found.bytes.length === 0) return { status: "absent", reason: `${subject} is empty` };
  const value = textOf(found.bytes);
  if (value === undefined) {
    return {
      status: "refused",
      reason: `${subject}: it is not UTF-8 text, and a secret's value is text: encode it, in base64 for example`,
    };
  }
  return { status: "value", value, subject };
}

function textOf(bytes: Buffer): string | undefined {
  try {
    return new TextDecoder("utf-8", { fatal: true, ignoreBOM: true }).decode(bytes);
  } catch {
    return undefined;
  }
}
