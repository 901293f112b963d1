import { KeyVaultError } from "./errors.js";

/** The collections of the data plane that this client speaks of. */
export type ObjectCollection = "keys" | "secrets" | "deletedkeys" | "deletedsecrets";

export interface ObjectIdentifier {
  collection: ObjectCollection;
  name: string;
  version?: string;
}

const COLLECTIONS: readonly ObjectCollection[] = ["keys", "secrets", "deletedkeys", "deletedsecrets"];

/** True for `localhost`, `*.localhost`, 127.0.0.0/8 and `[::1]`: hosts that never leave this machine. Takes a hostname as `URL` writes it. */
export function isLoopbackHost(hostname: string): boolean {
  const host = hostname.toLowerCase().replace(/\.$/, "");
  return host === "localhost" || host.endsWith(".localhost") || host === "[::1]" || /^127\.\d+\.\d+\.\d+$/.test(host);
}

/**
 * The canonical form of a vault URL, its origin: `https://contoso.vault.azure.net`. Scheme and host are in lower case (a host of other letters in its ASCII form),
 * the default port, a trailing dot and a trailing slash are left out. Names of this machine stay as they are: see {@link vaultKey}.
 *
 * Plain http is taken on loopback hosts only. A user name or password is refused. Of what is refused a message repeats
 * scheme and host alone: the rest, and text that is no URL at all, may be a secret in the wrong place.
 *
 * @throws KeyVaultError `KV_INVALID_INPUT`
 */
export function parseVaultUrl(text: string): string {
  const refuse = (why: string): KeyVaultError =>
    new KeyVaultError("KV_INVALID_INPUT", `Vault URL ${shownUrl(text)} ${why}`, {
      hint: /^\s*embedded:/i.test(text)
        ? "an embedded vault is written in lower case and with a file: embedded:./dev.vault, or embedded:memory."
        : "use the form https://<vault>.vault.azure.net.",
    });
  if (text.trim() === "") throw refuse("is empty");
  if (!URL.canParse(text.trim())) throw refuse("is not a URL");
  const url = new URL(text.trim());
  if (url.username !== "" || url.password !== "") {
    throw new KeyVaultError("KV_INVALID_INPUT", `Vault URL of host ${url.host} carries a user name or password`, {
      hint: "leave credentials out of the URL; see keyvault:credential.",
    });
  }
  if (url.protocol !== "https:" && !(url.protocol === "http:" && isLoopbackHost(url.hostname))) {
    throw refuse("is not an https URL");
  }
  if (url.pathname !== "/" || url.search !== "" || url.hash !== "") {
    throw refuse("has a path, query or fragment; it has to name the vault alone");
  }
  const host = url.hostname.replace(/\.+$/, "");
  if (host === "") throw refuse("has no host");
  return `${url.protocol}//${host}${url.port === "" ? "" : `:${url.port}`}`;
}

function shownUrl(text: string): string {
  if (!URL.canParse(text.trim())) return `(text of ${text.length} characters)`;
  const { protocol, host } = new URL(text.trim());
  return host === "" ? `(${protocol} and text of ${text.length} characters)` : `"${protocol}//${host.slice(0, 200)}"`;
}

/** A text that is the same for every spelling of a vault's URL, to compare and to index by; never to connect with. Undefined where it is no vault URL. */
export function vaultKey(vaultUrl: string): string | undefined {
  try {
    return parseVaultUrl(vaultUrl).replace(/\/\/(127\.0\.0\.1|\[::1\])(?=:|$)/, "//localhost");
  } catch {
    return undefined;
  }
}

/** True for the URL of a Managed HSM, which has a domain of its own in every cloud. A server on loopback may be either: see {@link mayBeManagedHsm}. */
export function isManagedHsm(vaultUrl: unknown): boolean {
  if (typeof vaultUrl !== "string" || !URL.canParse(vaultUrl)) return false;
  const { protocol, hostname } = new URL(vaultUrl);
  return /^https?:$/.test(protocol) && hostname.split(".").slice(1, -1).includes("managedhsm");
}

/** True for a Managed HSM and for a server on loopback, which says of itself what it is. */
export function mayBeManagedHsm(vaultUrl: unknown): boolean {
  if (typeof vaultUrl !== "string" || !URL.canParse(vaultUrl)) return false;
  return isManagedHsm(vaultUrl) || isLoopbackHost(new URL(vaultUrl).hostname);
}

/**
 * Takes collection, name and version out of an identifier, whatever host it names; undefined where it is none.
 *
 * Emulators and gateways put other hosts and ports into identifiers, and paths before the collection, so neither is looked at. Relative identifiers are taken too.
 */
export function tryParseObjectIdentifier(id: string): ObjectIdentifier | undefined {
  const plain = PLAIN_IDENTIFIER.exec(id);
  if (plain !== null) {
    const [, collection, name = "", version] = plain;
    const known = collectionOf(collection);
    if (known !== undefined)
      return version === undefined ? { collection: known, name } : { collection: known, name, version };
  }
  const path = id.replace(/^[a-z][a-z0-9+.-]*:\/\/[^/?#]*/i, "").replace(/[?#].*$/, "");
  const segments = path.split("/").filter((segment) => segment !== "");
  const at = segments.findIndex((segment, index) => {
    const following = segments.length - index - 1;
    return (following === 1 || following === 2) && collectionOf(segment) !== undefined;
  });
  const collection = at < 0 ? undefined : collectionOf(segments[at]);
  const name = decodeSegment(segments[at + 1]);
  if (collection === undefined || name === undefined) return undefined;
  const version = decodeSegment(segments[at + 2]);
  return version === undefined ? { collection, name } : { collection, name, version };
}

/** An identifier as a vault writes it, which is nearly every one: read at once, and as it would be segment by segment. */
const PLAIN_IDENTIFIER = /^https?:\/\/[^/?#]+\/((?:deleted)?(?:keys|secrets))\/([0-9a-zA-Z-]+)(?:\/([0-9a-zA-Z-]+))?$/;

function collectionOf(segment: string | undefined): ObjectCollection | undefined {
  return COLLECTIONS.find((candidate) => candidate === segment?.toLowerCase());
}

function decodeSegment(segment: string | undefined): string | undefined {
  if (segment === undefined || !segment.includes("%")) return segment;
  try {
    return decodeURIComponent(segment);
  } catch {
    return segment;
  }
}

/** 1 to 127 letters, digits and hyphens: what the service takes as the name of a key or secret. */
export function isValidObjectName(name: string): boolean {
  return /^[0-9a-zA-Z-]{1,127}$/.test(name);
}
