import { cp, rm } from "node:fs/promises";
import { join } from "node:path";
import { provisionSdks } from "./provision-sdks.mts";

/** Where the examples look for them. */
const FOLDER = join(import.meta.dirname, "..", "..", "sdks");

/** Puts the SDKs of the built plugin into `target`, in the place of former ones. */
export async function writeSdks(target: string = FOLDER): Promise<string> {
  const made = await provisionSdks();
  for (const language of ["nodejs", "python", "go"]) {
    await rm(join(target, language), { recursive: true, force: true });
    await cp(join(made, language), join(target, language), { recursive: true });
  }
  return target;
}
