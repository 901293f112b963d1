import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { ecKey } from "../engine/demo-keys.js";

/** Files of key material in a folder, such as a set of keys imports. */
export function keyFiles(folder: string, ...names: string[]): Record<string, ReturnType<typeof ecKey>> {
  return Object.fromEntries(
    names.map((name) => {
      const made = ecKey();
      writeFileSync(join(folder, `${name}.pem`), made.pkcs8);
      return [name, made];
    }),
  );
}
