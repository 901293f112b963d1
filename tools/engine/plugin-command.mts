import { chmod, mkdir, writeFile } from "node:fs/promises";
import { join } from "node:path";

const CHECKOUT = join(import.meta.dirname, "..", "..");
const PLUGIN = join(CHECKOUT, "dist", "plugin", "main.js");

/**
 * Puts the plugin of this checkout into `folder`, which has to be on PATH, under the name by which the engine looks for
 * it: what `npm install --global pulumi-keyvault` does for users.
 */
export async function addPluginCommand(folder: string): Promise<void> {
  await mkdir(folder, { recursive: true });
  if (process.platform === "win32") {
    const command = `@"${process.execPath}" "${PLUGIN}" %*\r\n`;
    await writeFile(join(folder, "pulumi-resource-keyvault.cmd"), command);
    return;
  }
  const file = join(folder, "pulumi-resource-keyvault");
  await writeFile(file, `#!/bin/sh\nexec ${quote(process.execPath)} ${quote(PLUGIN)} "$@"\n`);
  await chmod(file, 0o755);
}

/** One shell word, whatever is in it. */
function quote(text: string): string {
  return `'${text.replaceAll("'", `'\\''`)}'`;
}
