import { randomBytes } from "node:crypto";
import { mkdir, writeFile } from "node:fs/promises";
import { join } from "node:path";

/**
 * A file in `folder` with a random passphrase for stack secrets, made when it is not there. Only its owner can read it;
 * the passphrase itself appears in no environment and no output.
 */
export async function ensurePassphraseFile(folder: string): Promise<string> {
  const file = join(folder, "passphrase");
  await mkdir(folder, { recursive: true, mode: 0o700 });
  await writeFile(file, randomBytes(24).toString("base64url"), { mode: 0o600, flag: "wx" }).catch((error: unknown) => {
    if (!(error instanceof Error && "code" in error && error.code === "EEXIST")) throw error;
  });
  return file;
}
