import { statSync } from "node:fs";
import { basename, dirname, extname, parse, resolve } from "node:path";
import { describeText } from "../engine/described-value.js";

/** Extensions of files that hold material, passphrases or backups. Nobody's passphrase ends like this. */
const EXTENSIONS = new Set(
  ".pem .key .der .crt .cer .p8 .pk8 .pkcs8 .p12 .pfx .jwk .jwks .json .byok .txt .pass .b64 .bin .blob .bak .backup .keybackup .secretbackup".split(
    " ",
  ),
);

/**
 * A path as a message may show it, absolute and in quotes: only what cannot be material, a blob or a passphrase in the
 * place of the path. That is what exists; else what is written like a path and lies in a folder that exists, with an
 * extension that such files have or below a folder that the text names itself (`./passphrase`, never a bare word).
 * Anything else is described: `"…" (not shown: text of 1,704 characters that looks like PEM, which may be …)`.
 */
export function shownPath(path: string, cwd = process.cwd()): string {
  if (path !== "" && path.length <= 1024 && !/\p{C}/u.test(path)) {
    const absolute = resolve(cwd, path);
    if (exists(absolute) || (isWrittenLikePath(path) && exists(dirname(absolute)))) return JSON.stringify(absolute);
  }
  return `"…" (not shown: ${describeText(path)}, which may be what the file should hold)`;
}

/**
 * The name of an environment variable as a message may show it: `environment variable SIGNING_KEY`.
 *
 * A passphrase can look like a name (`hunter2`, `JBSWY3DPEHPK3PXP`), and no pattern tells them apart for sure. Shown is what
 * is set in the environment, and of the rest what is written as only variables are: upper-case words of letters,
 * or several words with underscores between. A passphrase of that very form is shown.
 */
export function shownVariable(name: string, env: Readonly<Record<string, string | undefined>> = process.env): string {
  const isWritten = name.length <= 64 && /^(?:[A-Z]{2,16}|[A-Z][A-Z0-9]{0,15}(?:_[A-Z0-9]{1,16})+)$/.test(name);
  return isWritten || isSet(name, env)
    ? `environment variable ${name}`
    : `an environment variable whose name is not shown (${describeText(name)}), since it may be what the variable should hold`;
}

function isSet(name: string, env: Readonly<Record<string, string | undefined>>): boolean {
  return /^[A-Za-z_]\w{0,127}$/.test(name) && env[name] !== undefined;
}

function isWrittenLikePath(path: string): boolean {
  if (!/^[\p{L}\p{N} .,_~@+()[\]&#%:/\\-]+$/u.test(path) || path.includes("-----")) return false;
  if (EXTENSIONS.has(extname(path).toLowerCase())) return true;
  const isBelowFolder = /[/\\]/.test(path) && dirname(path) !== parse(path).root;
  return isBelowFolder && /^[\p{L}\p{N} ._-]{1,48}$/u.test(basename(path));
}

function exists(path: string): boolean {
  try {
    return statSync(path, { throwIfNoEntry: false }) !== undefined;
  } catch {
    return false;
  }
}
