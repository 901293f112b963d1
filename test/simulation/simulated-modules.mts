import { readFileSync } from "node:fs";
import { registerHooks, stripTypeScriptTypes } from "node:module";
import { join, relative } from "node:path";
import { fileURLToPath, pathToFileURL } from "node:url";
import type { Mutation } from "./mutations.mts";

const root = join(import.meta.dirname, "../..");
const STAND_INS = "test/simulation/stand-ins";

/** What of the provider and the vault is drawn from the seed, or too slow, and what stands in for it. */
const REPLACED: ReadonlyMap<string, string> = new Map([
  ["provider/vault/vault-access.ts", "vault-access.ts"],
  ["provider/engine/progress.ts", "progress.ts"],
  ["provider/engine/partial-status.ts", "partial-status.ts"],
  ["provider/secret/value-digest.ts", "value-digest.ts"],
  ["provider/material/ec-key.ts", "ec-key.ts"],
  ["emulator/object/new-version.ts", "new-version.ts"],
  ["emulator/keys/generate-key.ts", "generate-key.ts"],
  ["emulator/keys/import-key.ts", "import-key.ts"],
  ["emulator/backup/compact-jwe.ts", "compact-jwe.ts"],
  ["emulator/store/store.ts", "store.ts"],
]);

/**
 * Loads the source as it is, without a build and without a test runner between its modules, with stand-ins for some of
 * them. One mistake is planted as its file is loaded; nothing of it is written anywhere.
 */
export function loadSimulated(mutation?: Mutation): void {
  registerHooks({
    resolve(specifier, context, nextResolve) {
      const parent = pathOf(context.parentURL);
      if (specifier === "node:zlib" && parent === "provider/key-set/packed-records.ts") {
        return { url: pathToFileURL(join(root, STAND_INS, "zlib.ts")).href, format: "module", shortCircuit: true };
      }
      if (parent === undefined || !/^\.\.?\/.*\.js$/.test(specifier)) return nextResolve(specifier, context);
      const url = new URL(specifier.replace(/\.js$/, ".ts"), context.parentURL).href;
      const standIn = parent.startsWith(STAND_INS) ? undefined : REPLACED.get(pathOf(url) ?? "");
      const found = standIn === undefined ? url : pathToFileURL(join(root, STAND_INS, standIn)).href;
      return { url: found, format: "module", shortCircuit: true };
    },
    load(url, context, nextLoad) {
      const path = pathOf(url);
      if (path === undefined || !path.endsWith(".ts")) return nextLoad(url, context);
      const text = planted(readFileSync(fileURLToPath(url), "utf8"), path, mutation);
      return { format: "module", source: loadedAtOnce(javascript(text)), shortCircuit: true };
    },
  });
}

/** Of a file of this repository, but of no package. */
function pathOf(url: string | undefined): string | undefined {
  if (!url?.startsWith("file:")) return undefined;
  const path = relative(root, fileURLToPath(url)).replaceAll("\\", "/");
  return path.startsWith("..") || path.startsWith("node_modules/") ? undefined : path;
}

function planted(text: string, path: string, mutation: Mutation | undefined): string {
  if (mutation?.file !== path) return text;
  if (!text.includes(mutation.find)) throw new Error(`${path} has nothing to mutate: ${mutation.find}`);
  return text.replaceAll(mutation.find, () => mutation.replace);
}

/** What is loaded when it is needed is there from the beginning: to load it takes real time, in which a simulated clock runs on. */
function loadedAtOnce(text: string): string {
  const imports: string[] = [];
  const loaded = text.replaceAll(/\bimport\(("\.[^"]+")\)/g, (_whole, specifier) => {
    imports.push(`import * as loaded${imports.length} from ${specifier};`);
    return `Promise.resolve(loaded${imports.length - 1})`;
  });
  return [loaded, ...imports].join("\n");
}

/** With the lines where they are, wherever that is possible. */
function javascript(text: string): string {
  try {
    return stripTypeScriptTypes(text);
  } catch {
    return stripTypeScriptTypes(text, { mode: "transform" });
  }
}
