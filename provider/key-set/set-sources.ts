import { readdirSync } from "node:fs";
import { extname, isAbsolute, join } from "node:path";
import { describeValue } from "../engine/described-value.js";
import { type InputCheck, isRecord } from "../engine/input-check.js";
import type { Properties } from "../engine/lifecycle.js";
import { containsUnknown } from "../engine/unknown.js";
import { isValidObjectName } from "../keyvault/identifier.js";
import { printableText } from "../keyvault/printable-text.js";
import { readRegularFile, saysMissing } from "../material/regular-file.js";
import { shownPath } from "../material/shown-place.js";
import { parseGlob } from "../vault/name-glob.js";

/** What the `import` of a set gives: by name, each as the `import` of a Key. */
export type SetSources =
  | { status: "given"; sources: Map<string, Properties> }
  /** Not at hand here, which is no fault of keys that are there already. `reason` is a clause for a message. */
  | { status: "absent"; reason: string }
  | { status: "unknown" }
  | { status: "none" }
  /** And told. */
  | { status: "refused" };

const FOLDER_MEMBERS = ["folder", "match", "passphrase", "wrapWith"];
const JWKS_MEMBERS = ["jwks", "wrapWith"];
/** Endings of files that hold a key. */
const MATERIAL = "*.{pem,key,p8,pk8,pkcs8,jwk,json,pfx,p12,byok}";
const IN_FILE_NAME = /[\p{L}\p{N} ._~@+()=#%-]/u;
const LARGEST_JWKS = 128 * 1024 * 1024;
const MOST_TOLD = 10;

/** Finds what the `import` argument of a set names, and reads none of the material but what a JWKS holds. */
export function findSetSources(check: InputCheck): SetSources {
  const { import: given } = check.news;
  if (given === undefined || given === null) return { status: "none" };
  if (containsUnknown(given)) return { status: "unknown" };
  if (isRecord(given) && given.folder !== undefined && given.jwks === undefined) return ofFolder(check, given);
  if (isRecord(given) && given.jwks !== undefined && given.folder === undefined) return ofJwks(check, given);
  check.failUnnamed('import must be { folder: "keys", match?, passphrase? } or { jwks: "keys.json" }');
  return { status: "refused" };
}

function ofFolder(check: InputCheck, given: Properties): SetSources {
  const { folder, match = MATERIAL, passphrase, wrapWith } = given;
  if (!hasOnly(check, given, FOLDER_MEMBERS)) return { status: "refused" };
  if (typeof folder !== "string" || folder === "" || /[\r\n\0]|-----BEGIN/.test(folder)) {
    check.failUnnamed(`import: folder must be the path of a folder, and is ${describeValue(folder)}`);
    return { status: "refused" };
  }
  const isMatch = typeof match === "string" ? parseGlob(match, IN_FILE_NAME) : undefined;
  if (isMatch === undefined) {
    check.failUnnamed('import: match must be a glob over names of files, such as "*.pem"');
    return { status: "refused" };
  }
  const files = filesOf(folder);
  if ("absent" in files) return { status: "absent", reason: files.absent };
  if ("refused" in files) {
    check.failUnnamed(`import: ${files.refused}`);
    return { status: "refused" };
  }
  const matching = files.names.filter((file) => !file.startsWith(".") && isMatch(file)).sort();
  if (matching.length === 0) {
    return { status: "absent", reason: `no file of folder ${shownPath(folder)} matches ${shownGlob(match)}` };
  }
  const extras = {
    ...(passphrase === undefined ? {} : { passphrase }),
    ...(wrapWith === undefined ? {} : { wrapWith }),
  };
  return named(
    check,
    matching.map((file) => [
      file.slice(0, file.length - extname(file).length),
      { file: join(folder, file), ...extras },
      `the file ${shownFileName(file)}`,
    ]),
  );
}

/** What is no pattern may be something else in its place. */
function shownGlob(match: unknown): string {
  const isPattern = typeof match === "string" && match.length <= 64 && /[*?.]/.test(match);
  return isPattern ? `"${match}"` : `match (${describeValue(match)})`;
}

function shownFileName(name: string): string {
  return name.length <= 134 ? printableText(JSON.stringify(name)) : describeValue(name);
}

function filesOf(folder: string): { names: string[] } | { absent: string } | { refused: string } {
  try {
    const entries = readdirSync(folder, { withFileTypes: true });
    return { names: entries.filter((entry) => !entry.isDirectory()).map(({ name }) => name) };
  } catch (error) {
    const code = error instanceof Error && "code" in error ? String(error.code) : "unknown error";
    const place = `folder ${shownPath(folder)}`;
    const isHidden = place.includes('"…"') && !folder.startsWith("~") && !isAbsolute(folder);
    if (code === "ENOENT")
      return { absent: `${place} ${saysMissing(folder)}${isHidden ? ` in ${shownPath(".")}` : ""}` };
    if (code === "ENOTDIR") return { refused: `${place} is no folder: give the folder that the files are in` };
    return { refused: `${place} cannot be read (${code}): grant read access to it` };
  }
}

function ofJwks(check: InputCheck, given: Properties): SetSources {
  const { jwks, wrapWith } = given;
  if (!hasOnly(check, given, JWKS_MEMBERS)) return { status: "refused" };
  if (typeof jwks !== "string" || jwks === "" || jwks.length > 1024 || /[\r\n\0]|^\s*[{[]/.test(jwks)) {
    check.failUnnamed(`import: jwks must be the path of a file, not what it holds, and is ${describeValue(jwks)}`);
    return { status: "refused" };
  }
  const place = `file ${shownPath(jwks)}`;
  const file = readRegularFile(jwks, LARGEST_JWKS);
  if (file.status === "missing") return { status: "absent", reason: `${place} ${saysMissing(jwks)}` };
  if (file.status === "refused") {
    check.failUnnamed(`KV_INVALID_KEY_MATERIAL: import: ${place}: ${file.reason}`);
    return { status: "refused" };
  }
  const keys = keysOf(file.bytes.toString("utf8"));
  if (keys === undefined) {
    check.failUnnamed(
      `KV_INVALID_KEY_MATERIAL: import: ${place} is no JWK set: { "keys": [{ "kid": "…", "kty": … }] }`,
    );
    return { status: "refused" };
  }
  const extras = wrapWith === undefined ? {} : { wrapWith };
  const nameless = keys.filter(({ kid }) => typeof kid !== "string").length;
  if (nameless > 0) {
    check.failUnnamed(
      `KV_INVALID_KEY_MATERIAL: import: ${nameless} of the ${keys.length} keys in ${place} have no kid, which is the name of a key`,
    );
    return { status: "refused" };
  }
  return named(
    check,
    keys.map((jwk) => [
      String(jwk.kid),
      { jwk, ...extras },
      `a key in ${place} whose kid is ${shownFileName(String(jwk.kid))}`,
    ]),
  );
}

function keysOf(text: string): Properties[] | undefined {
  try {
    const found: unknown = JSON.parse(text.replace(/^\uFEFF/, ""));
    const keys = isRecord(found) ? found.keys : undefined;
    return Array.isArray(keys) && keys.every(isRecord) ? keys : undefined;
  } catch {
    return undefined;
  }
}

function hasOnly(check: InputCheck, given: Properties, members: readonly string[]): boolean {
  const strangers = Object.keys(given).filter((name) => given[name] !== undefined && !members.includes(name)).length;
  if (strangers === 0) return true;
  check.failUnnamed(
    `import has ${strangers} unknown ${strangers === 1 ? "member" : "members"}: it takes ${members.join(", ")}`,
  );
  return false;
}

/** Every name once, and each a name that a vault takes. */
function named(check: InputCheck, entries: readonly [name: string, source: Properties, shown: string][]): SetSources {
  const sources = new Map<string, Properties>();
  const seen = new Set<string>();
  let refused = 0;
  for (const [name, source, shown] of entries) {
    const problem = !isValidObjectName(name)
      ? "no key can have that name (1 to 127 letters, digits or hyphens)"
      : seen.has(name.toLowerCase())
        ? "there is another of that name, and vaults tell no case"
        : undefined;
    seen.add(name.toLowerCase());
    if (problem === undefined) sources.set(name, source);
    else if (++refused <= MOST_TOLD) check.failUnnamed(`import names ${shown}: ${problem}`);
  }
  if (refused > MOST_TOLD) check.failUnnamed(`import names ${refused - MOST_TOLD} more that no key can have`);
  return refused > 0 ? { status: "refused" } : { status: "given", sources };
}
