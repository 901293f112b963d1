import { CLOUD_DOMAINS } from "./cloud-domains.js";
import { isLoopbackHost } from "./identifier.js";

/** What a 401 asks for. */
export interface Challenge {
  /** For example `https://vault.azure.net`, without trailing slash; absent where the challenge names none. */
  resource?: string;
  /** Tenant to get the token from; absent where the challenge leaves it to the credential. */
  tenantId?: string;
  /** Decoded JSON of a continuous-access-evaluation challenge. */
  claims?: string;
}

/** Domains of Key Vault, for servers on loopback whose challenge names no resource. */
export const DEFAULT_RESOURCE = {
  vault: "https://vault.azure.net",
  managedhsm: "https://managedhsm.azure.net",
} as const;

/**
 * Reads the Bearer challenge out of a WWW-Authenticate header; undefined where there is none.
 *
 * Takes `authorization` and `authorization_uri`, `resource` and `scope`, in any case and order, quoted or not, among other schemes' challenges.
 */
export function parseChallenge(header: string | undefined): Challenge | undefined {
  const bearer = parseSchemes(header ?? "").filter(({ scheme }) => scheme === "bearer");
  const chosen = bearer.find(({ parameters }) => parameters.has("resource") || parameters.has("scope")) ?? bearer[0];
  if (chosen === undefined) return undefined;
  const { parameters } = chosen;
  const resource = resourceOf(parameters.get("resource") ?? parameters.get("scope"));
  const tenantId =
    tenantOf(parameters.get("authorization") ?? parameters.get("authorization_uri")) ??
    tenantName(parameters.get("tenant"));
  const claims = parameters.get("error") === "insufficient_claims" ? decodeClaims(parameters.get("claims")) : undefined;
  return {
    ...(resource === undefined ? {} : { resource }),
    ...(tenantId === undefined ? {} : { tenantId }),
    ...(claims === undefined ? {} : { claims }),
  };
}

/** Why a vault may not have a token of a resource. */
export type ResourceRefusal = "foreign" | "unknown-domain";

/**
 * Whether a vault may ask for a token of the resource; undefined where it may. Its host has to end with `.` and the resource's host, and the resource has to be of
 * a domain where vaults are: one of Azure's clouds, or one that the program names.
 *
 * Without the first rule a hostile host could make the client fetch a token that opens other people's vaults. Without the second it could name its own parent
 * domain, and be sent whatever token there is. Loopback hosts may name any resource, since emulators cannot satisfy either.
 */
export function refuseResource(
  resource: string,
  vaultUrl: string,
  allowedDomains: readonly string[] = [],
): ResourceRefusal | undefined {
  const vaultHost = new URL(vaultUrl).hostname;
  if (isLoopbackHost(vaultHost)) return undefined;
  if (!URL.canParse(resource)) return "foreign";
  const { protocol, hostname, username, password, port, pathname, search, hash } = new URL(resource);
  if (protocol !== "https:" || !vaultHost.endsWith(`.${hostname}`)) return "foreign";
  // A host and no more: what else a text may hold makes it the name of something else.
  if (`${username}${password}${port}${search}${hash}` !== "") return "foreign";
  if (CLOUD_DOMAINS.includes(hostname)) return pathname === "/" ? undefined : "foreign";
  return allowedDomains.some((domain) => `.${hostname}`.endsWith(`.${domain}`)) ? undefined : "unknown-domain";
}

interface SchemeChallenge {
  scheme: string;
  parameters: Map<string, string>;
}

function parseSchemes(header: string): SchemeChallenge[] {
  const schemes: SchemeChallenge[] = [];
  const item = /[\s,]*([A-Za-z0-9!#$%&'*+.^_`|~-]+)(?:\s*=\s*(?:"((?:[^"\\]|\\.)*)"|([^\s,"]*)))?/y;
  for (let match = item.exec(header); match !== null; match = item.exec(header)) {
    const [, token = "", quoted, bare] = match;
    const value = quoted?.replace(/\\(.)/g, "$1") ?? bare;
    if (value === undefined) schemes.push({ scheme: token.toLowerCase(), parameters: new Map() });
    else schemes.at(-1)?.parameters.set(token.toLowerCase(), value);
  }
  return schemes;
}

function resourceOf(text: string | undefined): string | undefined {
  const first = text?.trim().split(/\s+/)[0];
  if (first === undefined || first === "") return undefined;
  const resource = first.replace(/\/\.default$/, "").replace(/\/+$/, "");
  return resource === "" ? undefined : resource;
}

function tenantOf(authorization: string | undefined): string | undefined {
  if (authorization === undefined || !URL.canParse(authorization)) return undefined;
  return tenantName(new URL(authorization).pathname.split("/").find((segment) => segment !== ""));
}

/** A tenant is a GUID or a domain; `common` and its like leave the choice to the credential. */
function tenantName(text: string | undefined): string | undefined {
  if (text === undefined || !/^[0-9a-z][0-9a-z.-]{0,252}$/i.test(text)) return undefined;
  return ["common", "organizations", "consumers", "adfs"].includes(text.toLowerCase()) ? undefined : text;
}

function decodeClaims(encoded: string | undefined): string | undefined {
  if (encoded === undefined || encoded === "") return undefined;
  const text = Buffer.from(encoded, "base64").toString("utf8");
  try {
    JSON.parse(text);
    return text;
  } catch {
    return undefined;
  }
}
