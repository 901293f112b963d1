import { cp, rm } from "node:fs/promises";
import { join, resolve } from "node:path";
import { provisionSdks, SdksUnavailableError } from "./sdks/provision-sdks.mts";

// npm run sdks [-- FOLDER]: writes the SDKs of the plugin for Node, Python and Go, by default to sdks/.

const target = resolve(process.argv[2] ?? join(import.meta.dirname, "..", "sdks"));
try {
  const made = await provisionSdks();
  for (const language of ["nodejs", "python", "go"]) {
    await rm(join(target, language), { recursive: true, force: true });
    await cp(join(made, language), join(target, language), { recursive: true });
  }
  console.log(`${target}: nodejs, python, go`);
} catch (error) {
  if (!(error instanceof SdksUnavailableError)) throw error;
  console.error(error.message);
  process.exitCode = 1;
}
