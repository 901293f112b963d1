import { printableText } from "./printable-text.js";

const WITHHELD = "[redacted]";

// Every pattern here reads a text once, whatever it is: an answer of the vault's choosing must not cost more than its length. So none begins with a repetition
// that could begin anywhere in a run, and none goes far before it can fail.
const PEM_BLOCK = /-----BEGIN [A-Z0-9 ]+-----[\s\S]*?(?:-----END [A-Z0-9 ]+-----|$)/g;
const JSON_WEB_TOKEN = /\beyJ[A-Za-z0-9_-]{5,}(?:\.[A-Za-z0-9_-]*){0,4}/g;
const BEARER_TOKEN = /\b(Bearer|PoP)\s+[A-Za-z0-9._~+/-]{16,}=*/gi;
/** Members that hold private numbers, blobs, values or credentials. A key of such a name is told with the code of its failure. */
const SECRET_NAMES =
  "d|p|q|dp|dq|qi|oth|k|key_hsm|value|client_secret|client_assertion|access_token|refresh_token|password|passphrase";
const JSON_MEMBER = new RegExp(
  `(["'](?:${SECRET_NAMES})["']\\s*[:=]\\s*)(?:"(?:[^"\\\\]|\\\\[\\s\\S])*"?|'[^']*'?|\\[[^\\]]*\\]?|(?!KV_[A-Z_]+: )[^\\s,}\\]]+)`,
  "gi",
);
/** The same members in JSON that was put into a JSON string. */
const ESCAPED_MEMBER = new RegExp(
  `((?<!\\\\)\\\\+"(?:${SECRET_NAMES})\\\\+"\\s*:\\s*)\\\\+"(?:[^\\\\]|\\\\+[^\\\\"])*(?:\\\\+"?)?`,
  "gi",
);
const SECRET_PARAMETER =
  /\b(key_hsm|client_secret|client_assertion|access_token|refresh_token|password|passphrase)(\s*[:=]\s*)[^\s,;&"'}\]]+/gi;
const ENCODED_RUN = /[A-Za-z0-9+/_=-]{40,}/g;

const NAME_COLLECTIONS: ReadonlySet<string> = new Set(["keys", "secrets", "deletedkeys", "deletedsecrets"]);

/** A long run in the alphabet of base64 or base64url is material, unless it reads like a name, an id or a path. */
function withholdEncoded(run: string): string {
  if (/^[0-9a-f]{48,}$/i.test(run)) return WITHHELD;
  const segments = run.split("/");
  const ofPath = segments.some((segment) => NAME_COLLECTIONS.has(segment));
  if (!ofPath && /^[A-Za-z0-9+/]+={0,2}$/.test(run) && isMixed(run) && restlessness(run) >= 0.4) return WITHHELD;
  return segments
    .map((segment, index) => (isMaterial(segment) && !isName(segment, segments[index - 1]) ? WITHHELD : segment))
    .join("/");
}

function isMaterial(segment: string): boolean {
  if (segment.length < 40 || !isMixed(segment)) return false;
  return /[0-9]/.test(segment) || segment.length >= 64 || restlessness(segment) >= 0.4;
}

function isMixed(run: string): boolean {
  return /[a-z]/.test(run) && /[A-Z]/.test(run);
}

/** How often neighbours are of different kinds (lower case, upper case, other): 0.65 in random base64, 0.3 at most in words. */
function restlessness(run: string): number {
  const kinds = [...run].map((character) => (/[a-z]/.test(character) ? 0 : /[A-Z]/.test(character) ? 1 : 2));
  return kinds.filter((kind, index) => index > 0 && kind !== kinds[index - 1]).length / run.length;
}

/** What follows the collection in an identifier is a name, however random it looks. */
function isName(segment: string, before: string | undefined): boolean {
  return before !== undefined && NAME_COLLECTIONS.has(before) && /^[0-9a-zA-Z-]{1,127}$/.test(segment);
}

export interface Redaction {
  /** Texts known to be secret (what the request carried), withheld wherever they occur. */
  secrets?: readonly string[];
  /** The name of the object in question, kept however random it looks. */
  name?: string | undefined;
}

/** Withholds what must never leave the process: bearer tokens, PEM blocks, private members, and long encoded runs that look like key material or backup blobs. */
export function redact(text: string, { secrets = [], name }: Redaction = {}): string {
  let result = text;
  const echoes = secrets.filter((secret) => secret.length >= 4).flatMap((secret) => [secret, escaped(secret)]);
  for (const echo of echoes.sort((a, b) => b.length - a.length)) result = result.replaceAll(echo, WITHHELD);
  if (result.length > LONGEST_TEXT) result = `${cut(result)}…`;
  const kept = name !== undefined && /^[0-9a-zA-Z-]{40,127}$/.test(name) ? name : undefined;
  if (kept !== undefined) result = result.replaceAll(kept, NAME_STAND_IN);
  result = result
    .replace(PEM_BLOCK, WITHHELD)
    .replace(JSON_WEB_TOKEN, WITHHELD)
    .replace(BEARER_TOKEN, `$1 ${WITHHELD}`)
    .replace(ESCAPED_MEMBER, `$1"${WITHHELD}"`)
    .replace(JSON_MEMBER, `$1"${WITHHELD}"`)
    .replace(SECRET_PARAMETER, `$1$2${WITHHELD}`)
    .replace(ENCODED_RUN, withholdEncoded);
  return kept === undefined ? result : result.replaceAll(NAME_STAND_IN, kept);
}

/** Nobody reads more of a message, and what stands behind it need not be looked through. */
const LONGEST_TEXT = 64 * 1024;

/** The last word goes too: half a secret would no longer be known for one. */
function cut(text: string): string {
  return text.slice(0, LONGEST_TEXT).replace(/(?<!\S)\S*$/, "");
}

/** As a text stands in JSON. */
function escaped(text: string): string {
  return JSON.stringify(text).slice(1, -1);
}

/** Of Unicode's private use, hence in no text of the service. */
const NAME_STAND_IN = "\uE000";

/**
 * A copy of a cause that is safe to print: its name, code and redacted message, and so down the chain.
 * The original is dropped, since its stack and its extra properties repeat what the message says and more.
 */
export function sanitizeCause(cause: unknown, redaction: Redaction = {}, depth = 0): Error | undefined {
  if (cause === undefined || cause === null || depth > 3) return undefined;
  if (!(cause instanceof Error)) return new Error(printableText(redact(String(cause), redaction)));
  const inner = sanitizeCause(cause.cause, redaction, depth + 1);
  const copy = new Error(
    printableText(redact(cause.message, redaction)),
    inner === undefined ? undefined : { cause: inner },
  );
  copy.name = cause.name;
  delete copy.stack;
  const code: unknown = "code" in cause ? cause.code : undefined;
  if (typeof code === "string") Object.assign(copy, { code: redact(code, redaction) });
  return copy;
}
