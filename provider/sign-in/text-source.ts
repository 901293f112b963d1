import { KeyVaultError } from "../keyvault/errors.js";
import { readRegularFile } from "../material/regular-file.js";
import { shownPath, shownVariable } from "../material/shown-place.js";

/** Where a secret text stands. It is read each time that it is needed, so that whoever wrote it may renew it. */
export type TextSource = { env: string } | { file: string };

/** Far beyond any client secret or token. */
const LONGEST_TEXT = 1024 * 1024;

/**
 * The text without the line break that editors and `echo` put behind it.
 *
 * @param what it is, for errors: `the client secret`.
 * @throws KeyVaultError `KV_UNAUTHENTICATED` where it is not there or empty.
 */
export function readText(source: TextSource, what: string, env: NodeJS.ProcessEnv): string {
  if ("env" in source) {
    const text = env[source.env]?.replace(/[\r\n]+$/, "");
    if (text) return text;
    throw missing(`${shownVariable(source.env, env)}, from which ${what} is taken, is not set`);
  }
  const found = readRegularFile(source.file, LONGEST_TEXT);
  if (found.status !== "read") {
    const why = found.status === "missing" ? "it is not there" : found.reason;
    throw missing(`${what} cannot be read from ${shownPath(source.file)}: ${why}`);
  }
  const text = found.bytes.toString("utf8").replace(/[\r\n]+$/, "");
  if (text !== "") return text;
  throw missing(`${shownPath(source.file)}, from which ${what} is taken, is empty`);
}

function missing(message: string): KeyVaultError {
  return new KeyVaultError("KV_UNAUTHENTICATED", `${message.slice(0, 1).toUpperCase()}${message.slice(1)}`, {
    hint: "put it there, or name another place or credential (keyvault:credential, keyvault:credentials).",
  });
}
