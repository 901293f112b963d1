import { readFile, rm } from "node:fs/promises";
import { type OutputFile, writeFiles } from "./write-files.js";

/**
 * Writes a file that a command takes away again when it ends. Whoever has changed it meanwhile keeps it.
 *
 * @returns what takes it away.
 * @throws CliError `KV_FILE_EXISTS`, `KV_FILE`
 */
export async function writeOwnFile(file: OutputFile, force: boolean): Promise<() => Promise<void>> {
  await writeFiles([file], force);
  return async () => {
    const now = await readFile(file.path, "utf8").catch(() => undefined);
    if (now === file.content) await rm(file.path, { force: true });
  };
}
