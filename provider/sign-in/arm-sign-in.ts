import { idTokenRequest } from "./id-token-request.js";
import type { Application, IdTokenSource, SignIn, SignInOptions } from "./sign-in.js";
import type { TextSource } from "./text-source.js";

/** What the `ARM_*` variables say, as far as it goes. */
export type ArmSignIn = { signIn: SignIn; options: SignInOptions } | { problem: string };

/**
 * The way to sign in that the `ARM_*` variables name, which azurerm, azure-native and azapi read. One way, in their order;
 * none is fallen back to from another:
 *
 * 1. `ARM_USE_DEFAULT_AZURE_CREDENTIAL=true`
 * 2. a client certificate (`ARM_CLIENT_CERTIFICATE_PATH` or `ARM_CLIENT_CERTIFICATE`, `ARM_CLIENT_CERTIFICATE_PASSWORD`)
 * 3. a client secret (`ARM_CLIENT_SECRET` or `ARM_CLIENT_SECRET_FILE_PATH`)
 * 4. `ARM_USE_OIDC=true`: `ARM_OIDC_TOKEN`, `ARM_OIDC_TOKEN_FILE_PATH`, a service connection of Azure Pipelines, or
 *    `ARM_OIDC_REQUEST_URL` and `ARM_OIDC_REQUEST_TOKEN` (`ACTIONS_ID_TOKEN_REQUEST_*`)
 * 5. `ARM_USE_AKS_WORKLOAD_IDENTITY=true`
 * 6. `ARM_USE_MSI=true`
 * 7. the Azure CLI, unless `ARM_USE_CLI=false`
 */
export function armSignIn(env: NodeJS.ProcessEnv): ArmSignIn {
  const way = chosenWay(env);
  return "problem" in way ? way : { signIn: way, options: armAuthority(env) };
}

/** The authority of a private cloud, which holds for every way to sign in there. */
export function armAuthority(env: NodeJS.ProcessEnv): SignInOptions {
  return {
    authorityHost: env.ARM_ACTIVE_DIRECTORY_AUTHORITY_HOST || undefined,
    disableInstanceDiscovery: isTrue(env.ARM_DISABLE_INSTANCE_DISCOVERY),
  };
}

/** Whether the variables name an application or a managed identity, so that a program means them without saying so. */
export function isArmSignInConfigured(env: NodeJS.ProcessEnv): boolean {
  const isApplication =
    isSet(env.ARM_CLIENT_ID) &&
    (certificateOf(env) !== undefined || secretOf(env) !== undefined || isTrue(env.ARM_USE_OIDC));
  return isApplication || isTrue(env.ARM_USE_MSI) || isTrue(env.ARM_USE_AKS_WORKLOAD_IDENTITY);
}

function chosenWay(env: NodeJS.ProcessEnv): SignIn | { problem: string } {
  if (isTrue(env.ARM_USE_DEFAULT_AZURE_CREDENTIAL)) return { type: "default" };
  const certificate = certificateOf(env);
  if (certificate !== undefined) {
    const passphrase = isSet(env.ARM_CLIENT_CERTIFICATE_PASSWORD)
      ? { passphrase: { env: "ARM_CLIENT_CERTIFICATE_PASSWORD" } }
      : {};
    return withApplication(env, "a client certificate", (application) => ({
      type: "client-certificate",
      certificate,
      ...passphrase,
      ...application,
    }));
  }
  const clientSecret = secretOf(env);
  if (clientSecret !== undefined) {
    return withApplication(env, "a client secret", (application) => ({
      type: "client-secret",
      clientSecret,
      ...application,
    }));
  }
  if (isTrue(env.ARM_USE_OIDC)) return oidc(env);
  if (isTrue(env.ARM_USE_AKS_WORKLOAD_IDENTITY)) {
    return {
      type: "workload-identity",
      ...(isSet(env.ARM_TENANT_ID) ? { tenantId: env.ARM_TENANT_ID } : {}),
      ...(isSet(env.ARM_CLIENT_ID) ? { clientId: env.ARM_CLIENT_ID } : {}),
    };
  }
  if (isTrue(env.ARM_USE_MSI)) {
    return { type: "managed-identity", ...(isSet(env.ARM_CLIENT_ID) ? { clientId: env.ARM_CLIENT_ID } : {}) };
  }
  if (env.ARM_USE_CLI?.toLowerCase() === "false") {
    return {
      problem:
        "the ARM_* variables name no way to sign in, and ARM_USE_CLI is false: set ARM_CLIENT_ID, ARM_TENANT_ID and a secret, a certificate or ARM_USE_OIDC",
    };
  }
  return {
    type: "azure-cli",
    ...(isSet(env.ARM_SUBSCRIPTION_ID) ? { subscription: env.ARM_SUBSCRIPTION_ID } : {}),
  };
}

function oidc(env: NodeJS.ProcessEnv): SignIn | { problem: string } {
  const connection = env.ARM_ADO_PIPELINE_SERVICE_CONNECTION_ID || env.ARM_OIDC_AZURE_SERVICE_CONNECTION_ID;
  const token = idTokenOf(env);
  if (token === undefined && isSet(connection) && isSet(env.SYSTEM_OIDCREQUESTURI)) {
    const name = isSet(env.ARM_OIDC_REQUEST_TOKEN) ? "ARM_OIDC_REQUEST_TOKEN" : "SYSTEM_ACCESSTOKEN";
    return withApplication(env, "OIDC", (application) => ({
      type: "azure-pipelines",
      serviceConnectionId: connection,
      systemAccessToken: { env: name },
      ...application,
    }));
  }
  const idToken = token ?? requestOf(env);
  if (idToken === undefined) {
    return {
      problem:
        "ARM_USE_OIDC is set, and no token: set ARM_OIDC_TOKEN, ARM_OIDC_TOKEN_FILE_PATH, or ARM_OIDC_REQUEST_URL and ARM_OIDC_REQUEST_TOKEN (in GitHub Actions the job's permission `id-token: write` sets ACTIONS_ID_TOKEN_REQUEST_URL and _TOKEN)",
    };
  }
  return withApplication(env, "OIDC", (application) => ({ type: "oidc", idToken, ...application }));
}

function idTokenOf(env: NodeJS.ProcessEnv): TextSource | undefined {
  if (isSet(env.ARM_OIDC_TOKEN)) return { env: "ARM_OIDC_TOKEN" };
  return isSet(env.ARM_OIDC_TOKEN_FILE_PATH) ? { file: env.ARM_OIDC_TOKEN_FILE_PATH } : undefined;
}

function requestOf(env: NodeJS.ProcessEnv): IdTokenSource | undefined {
  if (idTokenRequest(env) === undefined) return undefined;
  return { request: true, ...(isSet(env.ARM_OIDC_AUDIENCE) ? { audience: env.ARM_OIDC_AUDIENCE } : {}) };
}

function certificateOf(env: NodeJS.ProcessEnv): { file: string } | { base64: TextSource } | undefined {
  if (isSet(env.ARM_CLIENT_CERTIFICATE_PATH)) return { file: env.ARM_CLIENT_CERTIFICATE_PATH };
  return isSet(env.ARM_CLIENT_CERTIFICATE) ? { base64: { env: "ARM_CLIENT_CERTIFICATE" } } : undefined;
}

function secretOf(env: NodeJS.ProcessEnv): TextSource | undefined {
  if (isSet(env.ARM_CLIENT_SECRET)) return { env: "ARM_CLIENT_SECRET" };
  return isSet(env.ARM_CLIENT_SECRET_FILE_PATH) ? { file: env.ARM_CLIENT_SECRET_FILE_PATH } : undefined;
}

function withApplication(
  { ARM_TENANT_ID: tenantId, ARM_CLIENT_ID: clientId }: NodeJS.ProcessEnv,
  by: string,
  make: (application: Application) => SignIn,
): SignIn | { problem: string } {
  if (isSet(tenantId) && isSet(clientId)) return make({ tenantId, clientId });
  const missing = [isSet(tenantId) ? [] : "ARM_TENANT_ID", isSet(clientId) ? [] : "ARM_CLIENT_ID"].flat();
  return {
    problem: `the ARM_* variables name ${by}, and ${missing.join(" and ")} ${missing.length === 1 ? "is" : "are"} not set`,
  };
}

function isSet(value: string | undefined): value is string {
  return value !== undefined && value !== "";
}

function isTrue(value: string | undefined): boolean {
  return value !== undefined && ["true", "1"].includes(value.toLowerCase());
}
