import { randomBytes } from "node:crypto";
import { link, lstat, rename, rm, writeFile } from "node:fs/promises";
import { CliError } from "../failure/cli-error.js";

export interface OutputFile {
  path: string;
  content: string;
  /** Default: what the process gives its files. */
  mode?: number;
}

/** What happens to a file that is there: it stays, and may be overwritten on demand; it goes; or it stays in any case. */
export type Overwriting = boolean | "never";

/**
 * Writes files so that each is whole or not there, and none is overwritten without `force`. All are written beside
 * their places first, so that a full disk leaves nothing half-done.
 *
 * @throws CliError `KV_FILE_EXISTS`, `KV_FILE`
 */
export async function writeFiles(files: readonly OutputFile[], force: Overwriting): Promise<void> {
  await refuseExisting(files, force);
  const partials = files.map((file) => ({
    ...file,
    partial: `${file.path}.${randomBytes(6).toString("hex")}.partial`,
  }));
  const placed: string[] = [];
  try {
    for (const { partial, content, mode } of partials) await writeFile(partial, content, { flag: "wx", mode });
    for (const { partial, path } of partials) {
      if (force === true) await rename(partial, path);
      else {
        // Unlike a rename, a link never replaces a file that has come into being since.
        await link(partial, path);
        placed.push(path);
      }
    }
  } catch (error) {
    await Promise.all(placed.map((path) => rm(path, { force: true })));
    const code = codeOf(error);
    if (code === "EEXIST") await refuseExisting(files, force);
    throw new CliError(
      "KV_FILE",
      `${files.map(({ path }) => path).join(" and ")} cannot be written (${code}): check that the folder exists and can be written`,
    );
  } finally {
    await Promise.all(partials.map(({ partial }) => rm(partial, { force: true }).catch(() => undefined)));
  }
}

/** Refuses to go on where a file is in the way. To be asked before any work, too. */
export async function refuseExisting(files: readonly { path: string }[], force: Overwriting): Promise<void> {
  if (force === true) return;
  for (const { path } of files) {
    const isThere = await lstat(path).then(
      () => true,
      () => false,
    );
    if (!isThere) continue;
    throw new CliError(
      "KV_FILE_EXISTS",
      `${path} exists and is not overwritten: name another file, or ${force === "never" ? "take that one away first" : "overwrite it with --force"}`,
    );
  }
}

function codeOf(error: unknown): string {
  return error instanceof Error && "code" in error ? String(error.code) : "unknown error";
}
