import { resolve } from "node:path";
import { describeText } from "../engine/described-value.js";
import { largestMaterial, type MaterialKind } from "./detect-material.js";
import { type KeyMaterial, type ReadKeyMaterialOptions, readKeyMaterial } from "./key-material.js";
import { MaterialError } from "./material-error.js";
import { readRegularFile, saysMissing } from "./regular-file.js";
import { shownPath, shownVariable } from "./shown-place.js";

/** A passphrase inline, or where the provider finds it by itself, so that it never passes through the engine. */
export type PassphraseSource = string | { env: string } | { file: string };

/** Exactly one of `jwk`, `pem`, `pfx`, `byok`, `file`, `env`; the kind of what `file` and `env` hold is told by its content. */
export interface KeySource {
  jwk?: string | Record<string, unknown> | undefined;
  pem?: string | undefined;
  /** Base64 of the file. */
  pfx?: string | undefined;
  byok?: string | Record<string, unknown> | undefined;
  /** A path, relative to `cwd`. */
  file?: string | undefined;
  /** The name of an environment variable. */
  env?: string | undefined;
  passphrase?: PassphraseSource | undefined;
  /** Of a transfer blob: what it holds. */
  keyType?: string | undefined;
  curve?: string | undefined;
}

export interface ReadKeySourceOptions extends Pick<ReadKeyMaterialOptions, "hardwareProtected" | "allowSymmetric"> {
  /** What relative paths start from. Default: the working directory. */
  cwd?: string;
  /** Default: `process.env`. */
  env?: Readonly<Record<string, string | undefined>>;
}

export type KeySourceResult =
  | { status: "material"; material: KeyMaterial }
  /** Not at hand here, which is no fault where the key exists already. `reason` is a clause for a message. */
  | { status: "absent"; reason: string };

const inlineKinds = ["jwk", "pem", "pfx", "byok"] as const satisfies readonly MaterialKind[];
const origins = [...inlineKinds, "file", "env"] as const;
const modifiers = ["passphrase", "keyType", "curve"] as const;
const oneSource = `give exactly one of ${origins.join(", ")}`;

/**
 * Finds and reads the material that the `import` argument of a Key names.
 *
 * Material that is missing (no such file, an unset or empty variable, an undefined or empty value) is `absent`;
 * material that is there but cannot be used, or a source that makes no sense, throws.
 *
 * @throws MaterialError
 */
export function readKeySource(source: unknown, options: ReadKeySourceOptions = {}): KeySourceResult {
  const checked = checkSource(source);
  const [origin] = origins.filter((name) => isGiven(checked[name]));
  if (origin === undefined) return absent("import has no value: the one it names is undefined");
  const content = contentOf(origin, checked, options);
  const passphrase = passphraseOf(checked.passphrase, options);
  if ("absent" in content) return absent(content.absent);
  if ("absent" in passphrase) return absent(passphrase.absent);
  const kind = inlineKinds.find((name) => name === origin);
  try {
    const material = readKeyMaterial(content.value, {
      ...(kind && { kind }),
      ...(passphrase.value !== undefined && { passphrase: passphrase.value }),
      ...(isGiven(checked.keyType) && { keyType: checked.keyType }),
      ...(isGiven(checked.curve) && { curve: checked.curve }),
      ...(options.hardwareProtected !== undefined && { hardwareProtected: options.hardwareProtected }),
      ...(options.allowSymmetric !== undefined && { allowSymmetric: options.allowSymmetric }),
    });
    return { status: "material", material };
  } catch (error) {
    throw error instanceof MaterialError ? error.of(content.subject) : error;
  }
}

type Found<T> = { value: T; subject: string } | { absent: string };

function absent(reason: string): KeySourceResult {
  return { status: "absent", reason };
}

function isGiven<T>(value: T): value is NonNullable<T> {
  return value !== undefined && value !== null;
}

function checkSource(source: unknown): KeySource {
  if (typeof source !== "object" || source === null || Array.isArray(source)) {
    throw new MaterialError([`import has to be an object: ${oneSource}`], "import");
  }
  const members: Record<string, unknown> = { ...source };
  const problems: string[] = [];
  const known: readonly string[] = [...origins, ...modifiers];
  const given = Object.keys(members).filter((name) => isGiven(members[name]));
  const strangers = given.filter((name) => !known.includes(name)).length;
  if (strangers > 0)
    problems.push(`it has ${strangers} unknown ${strangers === 1 ? "member" : "members"}: ${oneSource}`);
  const chosen = origins.filter((name) => given.includes(name));
  if (chosen.length > 1) problems.push(`it names ${chosen.length} sources (${chosen.join(", ")}): ${oneSource}`);
  for (const name of ["pem", "pfx", "file", "env", "keyType", "curve"] as const) {
    if (isGiven(members[name]) && typeof members[name] !== "string") problems.push(`${name} has to be a string`);
  }
  for (const name of ["jwk", "byok"] as const) {
    const value = members[name];
    if (isGiven(value) && typeof value !== "string" && (typeof value !== "object" || Array.isArray(value))) {
      problems.push(`${name} has to be a string or an object`);
    }
  }
  if (isGiven(members.passphrase) && !isPassphraseSource(members.passphrase)) {
    problems.push("passphrase has to be a string, { env: NAME } or { file: PATH }");
  }
  if (problems.length > 0) throw new MaterialError(problems, "import");
  return members;
}

function isPassphraseSource(value: unknown): value is PassphraseSource {
  if (typeof value === "string") return true;
  if (typeof value !== "object" || value === null) return false;
  const entries = Object.entries(value).filter(([, member]) => isGiven(member));
  return entries.length === 1 && entries.every(([name, text]) => /^(env|file)$/.test(name) && typeof text === "string");
}

function contentOf(
  origin: (typeof origins)[number],
  source: KeySource,
  options: ReadKeySourceOptions,
): Found<string | Uint8Array> {
  if (origin === "file") return readFile(source.file ?? "", "file", options);
  if (origin === "env") return readVariable(source.env ?? "", "env", options);
  const value = source[origin];
  const text = typeof value === "string" ? value : jsonOf(value);
  if (text === undefined) throw new MaterialError(["it cannot be written as JSON: give it as text"], origin);
  return text.trim() === "" ? { absent: `${origin} is empty` } : { value: text, subject: origin };
}

/** An object may lie in itself, or too deep, or hold what JSON has no word for. */
function jsonOf(value: unknown): string | undefined {
  try {
    return JSON.stringify(value);
  } catch {
    return undefined;
  }
}

function passphraseOf(
  passphrase: PassphraseSource | undefined | null,
  options: ReadKeySourceOptions,
): Found<string | undefined> {
  const subject = "passphrase";
  if (!isGiven(passphrase)) return { value: undefined, subject };
  if (typeof passphrase === "string") return { value: passphrase, subject };
  if ("env" in passphrase) return readVariable(passphrase.env, subject, options);
  const found = readFile(passphrase.file, subject, options);
  if ("absent" in found) return found;
  // Editors and `echo` end a file with a line break, which is no part of the passphrase.
  return {
    value: Buffer.from(found.value)
      .toString("utf8")
      .replace(/^\uFEFF/, "")
      .replace(/\r?\n$/, ""),
    subject,
  };
}

function readVariable(name: string, member: string, options: ReadKeySourceOptions): Found<string> {
  if (!/^[A-Za-z_]\w{0,127}$/.test(name)) {
    const place = member === "env" ? "env" : "passphrase.env";
    throw new MaterialError(
      [`${place} has to hold the name of an environment variable, not its value, and is ${describeText(name)}`],
      "import",
    );
  }
  const environment = options.env ?? process.env;
  const value = environment[name];
  const subject = `${member === "env" ? "" : `${member} in `}${shownVariable(name, environment)}`;
  if (value === undefined) return { absent: `${subject} is not set` };
  return value.trim() === "" ? { absent: `${subject} is empty` } : { value, subject };
}

function readFile(file: string, member: string, options: ReadKeySourceOptions): Found<Uint8Array> {
  if (file === "" || file.length > 1024 || /[\r\n\0]|-----BEGIN|^\s*[{[]/.test(file)) {
    const place = member === "file" ? "file" : "passphrase.file";
    throw new MaterialError(
      [`${place} has to hold a path, not what the file holds, and is ${describeText(file)}`],
      "import",
    );
  }
  const cwd = options.cwd ?? process.cwd();
  const subject = `${member === "file" ? "" : `${member} in `}file ${shownPath(file, cwd)}`;
  const found = readRegularFile(resolve(cwd, file), largestMaterial);
  switch (found.status) {
    case "read":
      return { value: found.bytes, subject };
    case "missing":
      return { absent: `${subject} ${saysMissing(file)}` };
    case "refused":
      throw new MaterialError([found.reason], subject);
  }
}
