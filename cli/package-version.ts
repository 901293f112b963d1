import { readFileSync } from "node:fs";
import { join } from "node:path";

/** The version of this package. Its package.json stands two folders above the built file and one above the source. */
export function packageVersion(): string {
  for (const folder of ["../..", ".."]) {
    const version = versionIn(join(__dirname, folder, "package.json"));
    if (version !== undefined) return version;
  }
  return "unknown";
}

function versionIn(path: string): string | undefined {
  try {
    const manifest: unknown = JSON.parse(readFileSync(path, "utf8"));
    const isOurs =
      manifest !== null && typeof manifest === "object" && "name" in manifest && manifest.name === "pulumi-keyvault";
    return isOurs && "version" in manifest ? String(manifest.version) : undefined;
  } catch {
    return undefined;
  }
}
