import { randomBytes } from "node:crypto";
import { isRecord } from "../shape.js";

/** Who a bearer token speaks for. */
export interface Principal {
  /** The name under which `permissions.principals` lists it. */
  readonly name: string;
}

/** @azure/core-auth's TokenCredential, structurally. */
export interface EmulatorCredential {
  getToken(scopes: string | string[], options?: unknown): Promise<{ token: string; expiresOnTimestamp: number }>;
}

const anonymous: Principal = { name: "anonymous" };
const tokenMilliseconds = 3_600_000;

/** Issues bearer tokens and reads them back. They are unsigned: an emulator guards nothing. */
export class AccessTokens {
  readonly #now: () => number;

  constructor(now: () => number) {
    this.#now = now;
  }

  /** A JWT in form, so that tools which look inside find what they expect. */
  issue(principal: string, audience: string): { token: string; expiresOnTimestamp: number } {
    const expiresOnTimestamp = this.#now() + tokenMilliseconds;
    const encode = (value: object) => Buffer.from(JSON.stringify(value)).toString("base64url");
    const claims = {
      aud: audience,
      iss: issuer,
      oid: principal,
      appid: principal,
      exp: Math.floor(expiresOnTimestamp / 1000),
      jti: randomBytes(8).toString("hex"),
    };
    return { token: `${encode({ alg: "none", typ: "JWT" })}.${encode(claims)}.`, expiresOnTimestamp };
  }

  credential(principal: string): EmulatorCredential {
    return {
      getToken: async (scopes) => {
        const scope = Array.isArray(scopes) ? (scopes[0] ?? "") : scopes;
        return this.issue(principal, scope.replace(/\/\.default$/, "") || "https://vault.azure.net");
      },
    };
  }

  /** Any text is a token of somebody; a JWT also says of whom, for whom and until when. */
  read(token: string): Principal & { readonly audience?: string; readonly issuer?: string; readonly expired: boolean } {
    const claims = claimsOf(token);
    if (claims === undefined) return { name: token, expired: false };
    const principal = claims.oid ?? claims.appid;
    return {
      name: typeof principal === "string" ? principal : anonymous.name,
      ...(typeof claims.aud === "string" ? { audience: claims.aud } : {}),
      ...(typeof claims.iss === "string" ? { issuer: claims.iss } : {}),
      expired: typeof claims.exp === "number" && claims.exp * 1000 <= this.#now(),
    };
  }
}

/** The tenant that challenges name, and who issues its tokens. */
export const tenant = "00000000-0000-0000-0000-00000000e4a1";
const issuer = `https://sts.windows.net/${tenant}/`;

function claimsOf(token: string): Record<string, unknown> | undefined {
  const parts = token.split(".");
  if (parts.length !== 3) return undefined;
  try {
    const claims: unknown = JSON.parse(Buffer.from(parts[1] ?? "", "base64url").toString("utf8"));
    return isRecord(claims) ? claims : undefined;
  } catch {
    return undefined;
  }
}
