import type { TokenCredential } from "@azure/identity";
import { KeyVaultError } from "./errors.js";
import type { TokenSource } from "./token-source.js";

export type { TokenSource } from "./token-source.js";

/** What `keyvault:credential` may name. */
export const CREDENTIAL_NAMES = [
  "default",
  "token",
  "azure-cli",
  "azure-developer-cli",
  "azure-powershell",
  "environment",
  "managed-identity",
  "workload-identity",
] as const;

export type CredentialName = (typeof CREDENTIAL_NAMES)[number];

const TOKEN_VARIABLE = "KEYVAULT_TOKEN";

/**
 * The token source of a name. `default` tries the sources of `DefaultAzureCredential` in turn; `token` takes a bearer token from `KEYVAULT_TOKEN`, for emulators
 * and token brokers.
 *
 * `@azure/identity` is loaded with the first token, since it costs 70 to 90 ms.
 *
 * @throws KeyVaultError `KV_INVALID_INPUT` for an unknown name.
 */
export function tokenSource(name: string = "default", env: NodeJS.ProcessEnv = process.env): TokenSource {
  const known = CREDENTIAL_NAMES.find((candidate) => candidate === name);
  if (known === undefined) {
    throw new KeyVaultError("KV_INVALID_INPUT", `Credential ${JSON.stringify(name.slice(0, 100))} is unknown`, {
      hint: `keyvault:credential takes one of ${CREDENTIAL_NAMES.join(", ")}.`,
    });
  }
  return known === "token" ? environmentToken(env) : azureIdentity(known, env);
}

/** Any credential of `@azure/identity`, or another of its shape, as a token source. */
export function fromTokenCredential(credential: TokenCredential): TokenSource {
  return {
    async getToken(scope, { tenantId, claims, signal }) {
      const token = await credential.getToken(scope, {
        enableCae: true,
        ...(tenantId === undefined ? {} : { tenantId }),
        ...(claims === undefined ? {} : { claims }),
        ...(signal === undefined ? {} : { abortSignal: signal }),
      });
      if (token === null) throw new Error("the credential has no token to give");
      return { token: token.token, expiresOn: new Date(token.expiresOnTimestamp) };
    },
  };
}

/** The variable is read for each token, so that a broker may renew it. Its expiry is the service's business. */
function environmentToken(env: NodeJS.ProcessEnv): TokenSource {
  return {
    async getToken(_scope, { audience }) {
      const token = env[TOKEN_VARIABLE]?.trim();
      if (token === undefined || token === "") {
        throw new KeyVaultError(
          "KV_UNAUTHENTICATED",
          `keyvault:credential is token, but ${TOKEN_VARIABLE} is not set`,
          {
            hint: `put a bearer token into the environment variable ${TOKEN_VARIABLE}.`,
          },
        );
      }
      if (/[^\x21-\x7e]/.test(token)) {
        throw new KeyVaultError(
          "KV_UNAUTHENTICATED",
          `${TOKEN_VARIABLE} is not a bearer token: it has spaces or control characters`,
          {
            hint: "put the token alone into the variable, without the word Bearer.",
          },
        );
      }
      if (audience !== undefined) checkAudience(token, audience);
      return { token, expiresOn: new Date(Date.now() + 60 * 60_000) };
    },
  };
}

/** The application ids of Key Vault and Managed HSM, which tokens of the second version name in place of the resource. */
const APPLICATION_IDS: readonly string[] = [
  "cfa8b339-82a2-471a-a3c9-0fc0be7a4093",
  "589d5083-6f11-4d30-a62a-a4b316a14abf",
];

/**
 * Whether a token is for the resource that the vault asked for. Sent to another one it would be of use to that host only.
 *
 * @throws KeyVaultError `KV_UNAUTHENTICATED`
 */
function checkAudience(token: string, audience: string): void {
  const claimed = audiencesOf(token);
  const asked = audience.toLowerCase();
  if (claimed === undefined || claimed.some((name) => name === asked || APPLICATION_IDS.includes(name))) return;
  const shown = JSON.stringify((claimed[0] ?? "").slice(0, 200));
  const isSlash = claimed.some((name) => name.replace(/\/+$/, "") === asked);
  throw new KeyVaultError(
    "KV_UNAUTHENTICATED",
    `${TOKEN_VARIABLE} is a token for ${shown}, and the vault asks for one for ${audience}`,
    {
      hint: `${isSlash ? "the service refuses the trailing slash; " : ""}get one for this resource, for example with az account get-access-token --resource ${audience}.`,
    },
  );
}

/** Who a JSON web token says it is for; undefined for a token of another form, of which nobody can tell. */
function audiencesOf(token: string): string[] | undefined {
  const [, payload, ...rest] = token.split(".");
  if (payload === undefined || rest.length !== 1) return undefined;
  try {
    const claims: unknown = JSON.parse(Buffer.from(payload, "base64url").toString("utf8"));
    const aud: unknown = typeof claims === "object" && claims !== null && "aud" in claims ? claims.aud : undefined;
    const names = (Array.isArray(aud) ? aud : [aud]).filter((name) => typeof name === "string");
    return names.length === 0 ? undefined : names.map((name) => name.toLowerCase());
  } catch {
    return undefined;
  }
}

/** Sovereign clouds have their own authority; the resource tells the cloud. */
const AUTHORITIES: readonly (readonly [suffix: string, authority: string])[] = [
  [".azure.cn", "https://login.chinacloudapi.cn"],
  [".usgovcloudapi.net", "https://login.microsoftonline.us"],
  [".microsoft.scloud", "https://login.microsoftonline.microsoft.scloud"],
  [".eaglex.ic.gov", "https://login.microsoftonline.eaglex.ic.gov"],
];

function azureIdentity(name: Exclude<CredentialName, "token">, env: NodeJS.ProcessEnv): TokenSource {
  const sources = new Map<string | undefined, Promise<TokenSource>>();
  return {
    async getToken(scope, options) {
      const authority = env.AZURE_AUTHORITY_HOST ? undefined : authorityFor(scope);
      let source = sources.get(authority);
      if (source === undefined) {
        source = openCredential(name, authority).then(fromTokenCredential);
        sources.set(authority, source);
      }
      return await (await source).getToken(scope, options);
    },
  };
}

function authorityFor(scope: string): string | undefined {
  if (!URL.canParse(scope)) return undefined;
  const { hostname } = new URL(scope);
  return AUTHORITIES.find(([suffix]) => hostname.endsWith(suffix))?.[1];
}

async function openCredential(
  name: Exclude<CredentialName, "token">,
  authorityHost: string | undefined,
): Promise<TokenCredential> {
  const identity = await import("@azure/identity");
  // The tenant is the one that the vault's challenge names, which the resource rule has bound to the vault's own domain.
  const options = { additionallyAllowedTenants: ["*"], ...(authorityHost === undefined ? {} : { authorityHost }) };
  switch (name) {
    case "default":
      return new identity.DefaultAzureCredential(options);
    case "azure-cli":
      return new identity.AzureCliCredential(options);
    case "azure-developer-cli":
      return new identity.AzureDeveloperCliCredential(options);
    case "azure-powershell":
      return new identity.AzurePowerShellCredential(options);
    case "environment":
      return new identity.EnvironmentCredential(options);
    case "managed-identity":
      return new identity.ManagedIdentityCredential(
        process.env.AZURE_CLIENT_ID ? { clientId: process.env.AZURE_CLIENT_ID } : {},
      );
    case "workload-identity":
      return new identity.WorkloadIdentityCredential(options);
  }
}
