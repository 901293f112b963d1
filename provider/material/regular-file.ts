import { closeSync, constants, fstatSync, openSync, readSync, type Stats, statSync } from "node:fs";

export type RegularFile =
  | { status: "read"; bytes: Buffer }
  | { status: "missing" }
  /** A clause that says what it is or why it cannot be read, and what to do; it names no path. */
  | { status: "refused"; reason: string };

const chunk = 64 * 1024;

/**
 * Reads a file of at most `limit` bytes, and nothing that is no file: a pipe, device or socket could wait or go on for
 * ever. It is looked at before it is opened, since opening some devices does something, and after it, since another may
 * stand there by then.
 */
export function readRegularFile(path: string, limit: number): RegularFile {
  try {
    const refusal = refusalOf(statSync(path), limit);
    return refusal === undefined ? readOpen(path, limit) : { status: "refused", reason: refusal };
  } catch (error) {
    const code = error instanceof Error && "code" in error ? error.code : undefined;
    if (code === "ENOENT" || code === "ENOTDIR") return { status: "missing" };
    const remedy = code === "EACCES" || code === "EPERM" ? "grant read access to it" : "see that it can be read";
    return { status: "refused", reason: `it cannot be read (${String(code ?? "unknown error")}): ${remedy}` };
  }
}

/** What is told of a path where nothing is. */
export function saysMissing(path: string): string {
  return `does not exist${path.startsWith("~") ? ": a path does not expand ~" : ""}`;
}

/** By pieces, since a file may grow between the look at its size and here: memory stays bounded either way. */
function readOpen(path: string, limit: number): RegularFile {
  // Windows has no such flag, and no pipes in folders.
  const descriptor = openSync(path, constants.O_RDONLY | (constants.O_NONBLOCK ?? 0));
  try {
    const refusal = refusalOf(fstatSync(descriptor), limit);
    if (refusal !== undefined) return { status: "refused", reason: refusal };
    const parts: Buffer[] = [];
    for (let length = 0; length <= limit; ) {
      const part = Buffer.alloc(Math.min(chunk, limit + 1 - length));
      const count = readSync(descriptor, part, 0, part.length, null);
      if (count === 0) return { status: "read", bytes: Buffer.concat(parts) };
      parts.push(part.subarray(0, count));
      length += count;
    }
    return { status: "refused", reason: tooLarge(limit) };
  } finally {
    closeSync(descriptor);
  }
}

function refusalOf(found: Stats, limit: number): string | undefined {
  if (found.isDirectory()) return "it is a folder: give the path of a file in it";
  if (!found.isFile()) return "it is no regular file: copy what it should hold into one";
  return found.size > limit ? tooLarge(limit) : undefined;
}

function tooLarge(limit: number): string {
  return `it is larger than ${limit / 1024 / 1024} MiB, the most that is read`;
}
