import { isRecord } from "../../provider/engine/input-check.js";
import { printable } from "../text/terminal-text.js";

/** What a token says of itself. Nothing of it is proven here, and nothing of it is secret. */
export interface TokenClaims {
  audience?: string;
  tenant?: string;
  objectId?: string;
  application?: string;
  /** A person's name for signing in. */
  user?: string;
  isApplication: boolean;
  managedIdentity?: string;
  expiresOn?: Date;
}

/** The claims of a JSON web token; undefined for a token of another form, of which nobody can tell. */
export function readTokenClaims(token: string): TokenClaims | undefined {
  const [, payload, ...rest] = token.split(".");
  if (payload === undefined || rest.length !== 1) return undefined;
  let claims: unknown;
  try {
    claims = JSON.parse(Buffer.from(payload, "base64url").toString("utf8"));
  } catch {
    return undefined;
  }
  if (!isRecord(claims)) return undefined;
  const { exp, aud } = claims;
  const text = (name: string): string | undefined => {
    const value = claims[name];
    return typeof value === "string" && value !== "" ? printable(value.slice(0, 200)) : undefined;
  };
  const found = {
    audience: typeof aud === "string" ? printable(aud.slice(0, 200)) : undefined,
    tenant: text("tid"),
    objectId: text("oid"),
    application: text("appid") ?? text("azp"),
    user: text("upn") ?? text("preferred_username") ?? text("unique_name"),
    managedIdentity: text("xms_mirid"),
    expiresOn: typeof exp === "number" && Math.abs(exp) < 8e12 ? new Date(exp * 1000) : undefined,
  };
  const present = Object.fromEntries(Object.entries(found).filter(([, value]) => value !== undefined));
  return { ...present, isApplication: text("idtyp") === "app" || found.user === undefined };
}

/** Applications of Microsoft's that people sign in with. */
const TOOLS: Readonly<Record<string, string>> = {
  "04b07795-8ddb-461a-bbee-02f9e1bf7b46": "Azure CLI",
  "1950a258-227b-4e31-a9cf-717495945fc2": "Azure PowerShell",
};

/** Whose identity a token is of, in words. */
export function describeIdentity(claims: TokenClaims): string {
  const { user, application, objectId, managedIdentity, tenant } = claims;
  const tool = application === undefined ? undefined : TOOLS[application];
  const who = user ?? (managedIdentity === undefined ? "an application" : "a managed identity");
  const facts = [
    managedIdentity === undefined ? undefined : managedIdentity.split("/").at(-1),
    tool === undefined ? application && `application ${application}` : `by the ${tool}`,
    objectId && `object ${objectId}`,
    tenant && `tenant ${tenant}`,
  ].filter((fact) => fact !== undefined && fact !== "");
  return facts.length === 0 ? who : `${who} (${facts.join(", ")})`;
}
