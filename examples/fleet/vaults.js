import { readFileSync } from "node:fs";

const SHAPE = '{ "eu": "https://contoso-eu.vault.azure.net" }';

/**
 * The vaults of a fleet: the URL of each by its name, which is that of its stack.
 *
 * @param {string} file
 * @returns {Map<string, string>}
 * @throws {Error} of one line, which says what to do
 */
export function vaultsIn(file) {
  const found = parsed(file, textOf(file));
  const isMap = found !== null && typeof found === "object" && !Array.isArray(found);
  const vaults = new Map(isMap ? Object.entries(found) : []);
  if (vaults.size === 0) throw new Error(`${file} names no vault: write ${SHAPE}`);
  for (const [name, url] of vaults) {
    if (!/^[\w.-]{1,100}$/.test(name)) {
      throw new Error(`${file}: ${JSON.stringify(name)} is no name of a stack: take letters, digits, "-", "_" and "."`);
    }
    if (typeof url !== "string" || url === "") throw new Error(`${file}: "${name}" has no URL: write ${SHAPE}`);
  }
  return vaults;
}

/** @param {string} file */
function textOf(file) {
  try {
    return readFileSync(file, "utf8");
  } catch (error) {
    const code = error instanceof Error && "code" in error ? error.code : "unknown error";
    throw new Error(`${file} cannot be read (${code}): give the file with the names and URLs of the vaults`);
  }
}

/**
 * @param {string} file
 * @param {string} text
 * @returns {unknown}
 */
function parsed(file, text) {
  try {
    return JSON.parse(text.replace(/^\uFEFF/, ""));
  } catch {
    throw new Error(`${file} is no JSON: write ${SHAPE}`);
  }
}
