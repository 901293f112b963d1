import type { TokenCredential } from "@azure/identity";
import type { TextSource } from "./text-source.js";

/** A way to obtain tokens from Microsoft Entra ID. Secrets are named by where they stand, and read when a token is asked for. */
export type SignIn =
  | { type: "default" }
  | { type: "azure-cli"; tenantId?: string; subscription?: string }
  | { type: "azure-developer-cli"; tenantId?: string }
  | { type: "azure-powershell"; tenantId?: string }
  | { type: "environment" }
  | { type: "managed-identity"; clientId?: string }
  | { type: "workload-identity"; tenantId?: string; clientId?: string }
  | ({ type: "client-secret"; clientSecret: TextSource } & Application)
  | ({ type: "client-certificate"; certificate: CertificateSource; passphrase?: TextSource } & Application)
  | ({ type: "oidc"; idToken: IdTokenSource } & Application)
  | ({ type: "azure-pipelines"; serviceConnectionId: string; systemAccessToken: TextSource } & Application);

/** An application (service principal), and the tenant that it is registered in. */
export interface Application {
  tenantId: string;
  clientId: string;
}

/** A PEM or PFX file, or the Base64 of one in an environment variable. */
export type CertificateSource = { file: string } | { base64: TextSource };

/** Where a pipeline's own token is: as it stands, or to be had by the request that the pipeline has put into the environment. */
export type IdTokenSource = TextSource | { request: true; audience?: string };

export interface SignInOptions {
  /** Default: the public cloud's, or `AZURE_AUTHORITY_HOST`. */
  authorityHost?: string | undefined;
  /** For authorities that Microsoft's discovery does not know. Default false. */
  disableInstanceDiscovery?: boolean | undefined;
}

/** Variables from which the SDK itself takes what it signs in with. */
const SECRETS_OF_SDK = ["AZURE_CLIENT_SECRET", "AZURE_CLIENT_CERTIFICATE_PASSWORD", "AZURE_PASSWORD"] as const;

/**
 * The credential of `@azure/identity` for a way to sign in. Loads `@azure/identity`, which costs 70 to 90 ms.
 *
 * @param secrets is given what it signs in with, which nothing may repeat.
 * @throws KeyVaultError `KV_UNAUTHENTICATED` for a certificate that cannot be read.
 */
export async function openSignIn(
  signIn: SignIn,
  { authorityHost, disableInstanceDiscovery }: SignInOptions,
  env: NodeJS.ProcessEnv,
  secrets: Set<string> = new Set(),
): Promise<TokenCredential> {
  const held = (secret: string): string => {
    secrets.add(secret);
    return secret;
  };
  for (const name of SECRETS_OF_SDK) if (env[name]) held(env[name]);
  const identity = await import("@azure/identity");
  const options = {
    // The tenant is the one that the vault's challenge names, which the resource rule has bound to the vault's own domain.
    additionallyAllowedTenants: ["*"],
    ...(authorityHost === undefined ? {} : { authorityHost }),
    ...(disableInstanceDiscovery === true ? { disableInstanceDiscovery } : {}),
  };
  switch (signIn.type) {
    case "default":
      return new identity.DefaultAzureCredential(options);
    case "azure-cli":
      return new identity.AzureCliCredential({ ...options, ...defined(signIn, "tenantId", "subscription") });
    case "azure-developer-cli":
      return new identity.AzureDeveloperCliCredential({ ...options, ...defined(signIn, "tenantId") });
    case "azure-powershell":
      return new identity.AzurePowerShellCredential({ ...options, ...defined(signIn, "tenantId") });
    case "environment":
      return new identity.EnvironmentCredential(options);
    case "managed-identity":
      return new identity.ManagedIdentityCredential(signIn.clientId === undefined ? {} : { clientId: signIn.clientId });
    case "workload-identity":
      return new identity.WorkloadIdentityCredential({ ...options, ...defined(signIn, "tenantId", "clientId") });
    case "client-secret": {
      const { readText } = await import("./text-source.js");
      const clientSecret = held(readText(signIn.clientSecret, "the client secret", env));
      return new identity.ClientSecretCredential(signIn.tenantId, signIn.clientId, clientSecret, options);
    }
    case "client-certificate": {
      const { readCertificate } = await import("./client-certificate.js");
      const certificate = readCertificate(signIn.certificate, signIn.passphrase, env);
      return new identity.ClientCertificateCredential(signIn.tenantId, signIn.clientId, { certificate }, options);
    }
    case "oidc": {
      const { idToken } = await import("./id-token.js");
      const assertion = async () => held(await idToken(signIn.idToken, env));
      return new identity.ClientAssertionCredential(signIn.tenantId, signIn.clientId, assertion, options);
    }
    case "azure-pipelines": {
      const { readText } = await import("./text-source.js");
      const token = held(readText(signIn.systemAccessToken, "the pipeline's access token", env));
      const { tenantId, clientId, serviceConnectionId } = signIn;
      return new identity.AzurePipelinesCredential(tenantId, clientId, serviceConnectionId, token, options);
    }
  }
}

/** The members that are there: the SDK takes one that is undefined for one that is given. */
function defined<T extends object, K extends keyof T>(from: T, ...names: K[]): { [N in K]?: NonNullable<T[N]> } {
  const picked: { [N in K]?: NonNullable<T[N]> } = {};
  for (const name of names) {
    const value = from[name];
    if (value !== undefined && value !== null) picked[name] = value;
  }
  return picked;
}
