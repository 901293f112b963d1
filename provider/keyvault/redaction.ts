const WITHHELD = "[redacted]";

const PEM_BLOCK = /-----BEGIN [A-Z0-9 ]+-----[\s\S]*?(?:-----END [A-Z0-9 ]+-----|$)/g;
const JSON_WEB_TOKEN = /\beyJ[A-Za-z0-9_-]{5,}(?:\.[A-Za-z0-9_-]*){1,4}/g;
const BEARER_TOKEN = /\b(Bearer|PoP)\s+[A-Za-z0-9._~+/-]{16,}=*/gi;
/** Members that hold private numbers, blobs, values or credentials. */
const SECRET_NAMES =
  "d|p|q|dp|dq|qi|oth|k|key_hsm|value|client_secret|client_assertion|access_token|refresh_token|password|passphrase";
const JSON_MEMBER = new RegExp(
  `(["'](?:${SECRET_NAMES})["']\\s*[:=]\\s*)(?:"(?:[^"\\\\]|\\\\[\\s\\S])*"?|'[^']*'?|\\[[^\\]]*\\]?|[^\\s,}\\]]+)`,
  "gi",
);
/** The same members in JSON that was put into a JSON string. */
const ESCAPED_MEMBER = new RegExp(`(\\\\+"(?:${SECRET_NAMES})\\\\+"\\s*:\\s*)\\\\+"[\\s\\S]*?(?:\\\\+"|$)`, "gi");
const SECRET_PARAMETER =
  /\b(key_hsm|client_secret|client_assertion|access_token|refresh_token|password|passphrase)(\s*[:=]\s*)[^\s,;&"'}\]]+/gi;
const ENCODED_RUN = /[A-Za-z0-9+/_=-]{40,}/g;

/** A long run in the alphabet of base64 or base64url is material, unless it reads like a name, an id or a path. */
function withholdEncoded(run: string): string {
  if (/^[0-9a-f]{48,}$/i.test(run)) return WITHHELD;
  if (run.length >= 60 && /^[A-Za-z0-9+/]+={0,2}$/.test(run) && !run.startsWith("/") && isMixed(run)) return WITHHELD;
  return run
    .split("/")
    .map((segment) => (segment.length >= 40 && isMixed(segment) ? WITHHELD : segment))
    .join("/");
}

function isMixed(run: string): boolean {
  return /[a-z]/.test(run) && /[A-Z]/.test(run) && (/[0-9]/.test(run) || run.length >= 64);
}

/**
 * Withholds what must never leave the process: bearer tokens, PEM blocks, private members, and long encoded runs that look like key material or backup blobs.
 *
 * @param secrets Texts known to be secret (values that the request carried), withheld wherever they occur.
 */
export function redact(text: string, secrets: readonly string[] = []): string {
  let result = text;
  for (const secret of [...secrets].sort((a, b) => b.length - a.length)) {
    if (secret.length >= 4) result = result.replaceAll(secret, WITHHELD);
  }
  return result
    .replace(PEM_BLOCK, WITHHELD)
    .replace(JSON_WEB_TOKEN, WITHHELD)
    .replace(BEARER_TOKEN, `$1 ${WITHHELD}`)
    .replace(ESCAPED_MEMBER, `$1"${WITHHELD}"`)
    .replace(JSON_MEMBER, `$1"${WITHHELD}"`)
    .replace(SECRET_PARAMETER, `$1$2${WITHHELD}`)
    .replace(ENCODED_RUN, withholdEncoded);
}

/**
 * A copy of a cause that is safe to print: its name, code and redacted message, and so down the chain.
 * The original is dropped, since its stack and its extra properties repeat what the message says and more.
 */
export function sanitizeCause(cause: unknown, secrets: readonly string[] = [], depth = 0): Error | undefined {
  if (cause === undefined || cause === null || depth > 3) return undefined;
  if (!(cause instanceof Error)) return new Error(redact(String(cause), secrets));
  const inner = sanitizeCause(cause.cause, secrets, depth + 1);
  const copy = new Error(redact(cause.message, secrets), inner === undefined ? undefined : { cause: inner });
  copy.name = cause.name;
  delete copy.stack;
  const code: unknown = "code" in cause ? cause.code : undefined;
  if (typeof code === "string") Object.assign(copy, { code: redact(code, secrets) });
  return copy;
}
