import { createRequire } from "node:module";
import { sep } from "node:path";

const SDK = "@pulumi/pulumi";
const ENTRY = `${sep}@pulumi${sep}pulumi${sep}index.js`;

/**
 * Has the package use the program's SDK where it would find another copy: a linked package (`npm link`, or
 * `npm install path/to/…`) has one of its own. The engine's requests can only be sent by the copy that made them, so a
 * program with two ends in "Request message serialization failure".
 *
 * Imported for its effect, before anything that imports the SDK.
 */
function useProgramSdk(): void {
  const own = createRequire(__filename);
  const ownPath = resolvedFrom(__filename);
  const programPath = programSdk(own);
  if (ownPath === undefined || programPath === undefined || ownPath === programPath) return;
  own(programPath);
  own.cache[ownPath] = own.cache[programPath];
}

/** The SDK that the program's main module finds; the one that is loaded, where a tool is the main module. */
function programSdk({ cache }: NodeJS.Require): string | undefined {
  const loaded = Object.keys(cache).filter((path) => path.endsWith(ENTRY));
  const main = require.main?.filename ?? process.argv[1];
  const ofMain = main === undefined ? undefined : resolvedFrom(main);
  if (ofMain !== undefined && (loaded.length === 0 || loaded.includes(ofMain))) return ofMain;
  return loaded.length === 1 ? loaded[0] : undefined;
}

function resolvedFrom(file: string): string | undefined {
  try {
    return createRequire(file).resolve(SDK);
  } catch {
    return undefined;
  }
}

useProgramSdk();
