import type { TokenCredential } from "@azure/identity";
import { isKeyVaultError, KeyVaultError } from "../keyvault/errors.js";
import { sanitizeCause } from "../keyvault/redaction.js";
import type { TokenSource } from "../keyvault/token-source.js";
import { armAuthority, armSignIn, isArmSignInConfigured } from "./arm-sign-in.js";
import type { SignIn, SignInOptions } from "./sign-in.js";
import type { TextSource } from "./text-source.js";

/** What `keyvault:credential` may name, beside the entries of `keyvault:credentials`. */
export const CREDENTIAL_NAMES = [
  "default",
  "arm",
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

export interface CredentialOptions {
  /** `keyvault:credentials`, as JSON. */
  entries?: string | undefined;
  env?: NodeJS.ProcessEnv;
}

/**
 * The token source of a name, of `keyvault:credential` or of an entry in `keyvault:credentials`.
 *
 * `default` tries the sources of `DefaultAzureCredential` in turn; where the environment names an application or a managed
 * identity by `ARM_*` variables, and none by `AZURE_*`, it is `arm`. `token` takes a bearer token from `KEYVAULT_TOKEN`,
 * for emulators and token brokers.
 *
 * `@azure/identity` is loaded with the first token, since it costs 70 to 90 ms.
 *
 * @throws KeyVaultError `KV_INVALID_INPUT` for an unknown name, a malformed entry, or `ARM_*` variables that are incomplete.
 */
export async function tokenSource(
  name: string = "default",
  { entries, env = process.env }: CredentialOptions = {},
): Promise<TokenSource> {
  const known = CREDENTIAL_NAMES.find((candidate) => candidate === name);
  if (known !== undefined) return namedSource(known, env);
  const { entry, names } = await namedEntry(name, entries);
  if (entry === undefined) {
    throw new KeyVaultError("KV_INVALID_INPUT", `Credential ${shownName(name)} is unknown`, {
      hint: `a credential is one of ${[...CREDENTIAL_NAMES, ...names].join(", ")}${names.length === 0 ? ", or the name of an entry in keyvault:credentials (KEYVAULT_CREDENTIALS)" : ""}.`,
    });
  }
  return entry.type === "token"
    ? bearerToken(entry.token, env)
    : signedIn(() => ({ signIn: entry, options: armAuthority(env) }), env);
}

function namedSource(name: CredentialName, env: NodeJS.ProcessEnv): TokenSource {
  if (name === "token") return bearerToken({ env: TOKEN_VARIABLE }, env);
  if (name === "arm" || (name === "default" && isArmMeant(env))) {
    return signedIn(() => {
      const arm = armSignIn(env);
      if (!("problem" in arm)) return arm;
      throw new KeyVaultError("KV_UNAUTHENTICATED", `No way to sign in: ${arm.problem}`, {
        hint: "complete the variables, or choose another credential with keyvault:credential.",
      });
    }, env);
  }
  const clientId = env.AZURE_CLIENT_ID;
  const signIn: SignIn = name === "managed-identity" && clientId ? { type: name, clientId } : { type: name };
  return signedIn(() => ({ signIn, options: {} }), env);
}

/**
 * The way to sign in that a name of `keyvault:credential` comes to in this environment: `default` is `arm` where its
 * variables are meant, and `arm` is the way that they name. The name itself where it stands for no other.
 */
export function chosenSignIn(name: string, env: NodeJS.ProcessEnv = process.env): string {
  if (name !== "arm" && !(name === "default" && isArmMeant(env))) return name;
  const arm = armSignIn(env);
  return "problem" in arm ? "arm" : arm.signIn.type;
}

/** What DefaultAzureCredential itself would find in the environment goes before the variables of the Azure providers. */
function isArmMeant(env: NodeJS.ProcessEnv): boolean {
  const isAzureSet =
    env.AZURE_FEDERATED_TOKEN_FILE || (env.AZURE_CLIENT_ID && env.AZURE_TENANT_ID) || env.AZURE_TOKEN_CREDENTIALS;
  return !isAzureSet && isArmSignInConfigured(env);
}

/** The entry of that name, and the names of all. */
async function namedEntry(name: string, setting: string | undefined) {
  if (setting === undefined || setting.trim() === "") return { entry: undefined, names: [] };
  const { readCredentialEntries } = await import("./credential-entries.js");
  const { entries, problems } = readCredentialEntries(setting, CREDENTIAL_NAMES);
  if (problems.length > 0) {
    throw new KeyVaultError("KV_INVALID_INPUT", problems.join("; "), {
      hint: "correct the stack's configuration (pulumi config set --path).",
    });
  }
  return { entry: entries.get(name), names: [...entries.keys()] };
}

/** A name as these are written. Anything else may be the token or the client secret itself. */
function shownName(name: string): string {
  return /^[a-z]{1,12}(-[a-z]{1,12}){0,3}$/i.test(name) ? `"${name}"` : `(text of ${name.length} characters)`;
}

/**
 * Any credential of `@azure/identity`, or another of its shape, as a token source.
 *
 * @param secrets what it signs in with: a refusal may repeat it, as of an authority or a proxy that shows what it was sent
 */
export function fromTokenCredential(credential: TokenCredential, secrets: Iterable<string> = []): TokenSource {
  return {
    async getToken(scope, { tenantId, claims, signal }) {
      const token = await credential
        .getToken(scope, {
          enableCae: true,
          ...(tenantId === undefined ? {} : { tenantId }),
          ...(claims === undefined ? {} : { claims }),
          ...(signal === undefined ? {} : { abortSignal: signal }),
        })
        .catch((error: unknown) => {
          throw isKeyVaultError(error) ? error : sanitizeCause(error, { secrets: [...secrets] });
        });
      if (token === null) throw new Error("the credential has no token to give");
      return { token: token.token, expiresOn: new Date(token.expiresOnTimestamp) };
    },
  };
}

/** It is read for each token, so that a broker may renew it. Its expiry is the service's business. */
function bearerToken(source: TextSource, env: NodeJS.ProcessEnv): TokenSource {
  return {
    async getToken(_scope, { audience }) {
      const { readText } = await import("./text-source.js");
      const token = readText(source, "the bearer token", env).trim();
      const place = "env" in source ? source.env : "The file of the bearer token";
      if (token === "" || /[^\x21-\x7e]/.test(token)) {
        throw new KeyVaultError(
          "KV_UNAUTHENTICATED",
          `${place} holds no bearer token: it is empty, or has spaces or control characters`,
          { hint: "put the token alone there, without the word Bearer." },
        );
      }
      if (audience !== undefined) checkAudience(token, audience, place);
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
function checkAudience(token: string, audience: string, place: string): void {
  const claimed = audiencesOf(token);
  const asked = audience.toLowerCase();
  if (claimed === undefined || claimed.some((name) => name === asked || APPLICATION_IDS.includes(name))) return;
  const shown = JSON.stringify((claimed[0] ?? "").slice(0, 200));
  const isSlash = claimed.some((name) => name.replace(/\/+$/, "") === asked);
  throw new KeyVaultError(
    "KV_UNAUTHENTICATED",
    `${place} is a token for ${shown}, and the vault asks for one for ${audience}`,
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

/** Opens the way to sign in with the first token of each cloud, and keeps it. */
function signedIn(chosen: () => { signIn: SignIn; options: SignInOptions }, env: NodeJS.ProcessEnv): TokenSource {
  const sources = new Map<string | undefined, Promise<TokenSource>>();
  return {
    async getToken(scope, given) {
      const { signIn, options } = chosen();
      const authorityHost = options.authorityHost ?? (env.AZURE_AUTHORITY_HOST ? undefined : authorityFor(scope));
      let source = sources.get(authorityHost);
      if (source === undefined) {
        const secrets = new Set<string>();
        source = import("./sign-in.js")
          .then(({ openSignIn }) => openSignIn(signIn, { ...options, authorityHost }, env, secrets))
          .then((credential) => fromTokenCredential(credential, secrets));
        sources.set(authorityHost, source);
        // A secret that was missing may be there the next time.
        source.catch(() => sources.delete(authorityHost));
      }
      return await (await source).getToken(scope, given);
    },
  };
}

function authorityFor(scope: string): string | undefined {
  if (!URL.canParse(scope)) return undefined;
  const { hostname } = new URL(scope);
  return AUTHORITIES.find(([suffix]) => hostname.endsWith(suffix))?.[1];
}
