import { expect, test } from "vitest";
import { armSignIn, isArmSignInConfigured } from "../../provider/sign-in/arm-sign-in.js";

const TENANT = "11111111-1111-1111-1111-111111111111";
const CLIENT = "22222222-2222-2222-2222-222222222222";
const APPLICATION = { ARM_TENANT_ID: TENANT, ARM_CLIENT_ID: CLIENT };
const application = { tenantId: TENANT, clientId: CLIENT };

test.each<[string, NodeJS.ProcessEnv, object]>([
  [
    "a client secret",
    { ...APPLICATION, ARM_CLIENT_SECRET: "s3cret", ARM_SUBSCRIPTION_ID: "sub" },
    { type: "client-secret", clientSecret: { env: "ARM_CLIENT_SECRET" }, ...application },
  ],
  [
    "a client secret in a file",
    { ...APPLICATION, ARM_CLIENT_SECRET_FILE_PATH: "/run/secret" },
    { type: "client-secret", clientSecret: { file: "/run/secret" }, ...application },
  ],
  [
    "a certificate before a secret",
    {
      ...APPLICATION,
      ARM_CLIENT_SECRET: "s3cret",
      ARM_CLIENT_CERTIFICATE_PATH: "app.pfx",
      ARM_CLIENT_CERTIFICATE_PASSWORD: "open",
    },
    {
      type: "client-certificate",
      certificate: { file: "app.pfx" },
      passphrase: { env: "ARM_CLIENT_CERTIFICATE_PASSWORD" },
      ...application,
    },
  ],
  [
    "a certificate as Base64",
    { ...APPLICATION, ARM_CLIENT_CERTIFICATE: "MII" },
    { type: "client-certificate", certificate: { base64: { env: "ARM_CLIENT_CERTIFICATE" } }, ...application },
  ],
  [
    "an OIDC token",
    { ...APPLICATION, ARM_USE_OIDC: "true", ARM_OIDC_TOKEN: "jwt", ARM_OIDC_TOKEN_FILE_PATH: "f" },
    { type: "oidc", idToken: { env: "ARM_OIDC_TOKEN" }, ...application },
  ],
  [
    "an OIDC token in a file",
    { ...APPLICATION, ARM_USE_OIDC: "1", ARM_OIDC_TOKEN_FILE_PATH: "/run/token" },
    { type: "oidc", idToken: { file: "/run/token" }, ...application },
  ],
  [
    "GitHub's request for one",
    {
      ...APPLICATION,
      ARM_USE_OIDC: "TRUE",
      ACTIONS_ID_TOKEN_REQUEST_URL: "https://pipelines.example/token",
      ACTIONS_ID_TOKEN_REQUEST_TOKEN: "t",
    },
    { type: "oidc", idToken: { request: true }, ...application },
  ],
  [
    "a service connection of Azure Pipelines",
    {
      ...APPLICATION,
      ARM_USE_OIDC: "true",
      ARM_ADO_PIPELINE_SERVICE_CONNECTION_ID: "connection",
      SYSTEM_OIDCREQUESTURI: "https://dev.azure.example/oidc",
      SYSTEM_ACCESSTOKEN: "t",
    },
    {
      type: "azure-pipelines",
      serviceConnectionId: "connection",
      systemAccessToken: { env: "SYSTEM_ACCESSTOKEN" },
      ...application,
    },
  ],
  [
    "a secret, though ARM_USE_OIDC is set, as azure-native does",
    { ...APPLICATION, ARM_USE_OIDC: "true", ARM_OIDC_TOKEN: "jwt", ARM_CLIENT_SECRET: "s" },
    { type: "client-secret", clientSecret: { env: "ARM_CLIENT_SECRET" }, ...application },
  ],
  [
    "a managed identity",
    { ARM_USE_MSI: "true", ARM_CLIENT_ID: CLIENT },
    { type: "managed-identity", clientId: CLIENT },
  ],
  ["the machine's own identity", { ARM_USE_MSI: "true" }, { type: "managed-identity" }],
  [
    "a pod's identity",
    { ARM_USE_AKS_WORKLOAD_IDENTITY: "true", ...APPLICATION },
    { type: "workload-identity", ...application },
  ],
  ["the default chain", { ARM_USE_DEFAULT_AZURE_CREDENTIAL: "true", ARM_CLIENT_SECRET: "s" }, { type: "default" }],
  ["the Azure CLI in the end", { ARM_SUBSCRIPTION_ID: "sub" }, { type: "azure-cli", subscription: "sub" }],
  ["the Azure CLI where nothing is set", { ARM_CLIENT_SECRET: "" }, { type: "azure-cli" }],
])("the ARM_* variables name %s", (_what, env, signIn) => {
  expect(armSignIn(env)).toMatchObject({ signIn });
});

test.each<[NodeJS.ProcessEnv, string]>([
  [{ ARM_CLIENT_SECRET: "s3cret", ARM_CLIENT_ID: CLIENT }, "ARM_TENANT_ID is not set"],
  [{ ARM_CLIENT_CERTIFICATE_PATH: "app.pfx" }, "ARM_TENANT_ID and ARM_CLIENT_ID are not set"],
  [{ ...APPLICATION, ARM_USE_OIDC: "true" }, "id-token: write"],
  [{ ...APPLICATION, ARM_USE_OIDC: "true", ARM_OIDC_REQUEST_URL: "https://x.example" }, "ARM_OIDC_REQUEST_TOKEN"],
  [{ ARM_USE_CLI: "false" }, "ARM_USE_CLI is false"],
])("incomplete variables are told with what is missing, and show no value (%#)", (env, problem) => {
  const told = JSON.stringify(armSignIn(env));
  expect(told).toContain(problem);
  expect(told).not.toContain("s3cret");
});

test("an authority of one's own and its discovery come from the variables of azure-native", () => {
  const env = {
    ARM_USE_MSI: "true",
    ARM_ACTIVE_DIRECTORY_AUTHORITY_HOST: "https://login.local.azurestack.external",
    ARM_DISABLE_INSTANCE_DISCOVERY: "true",
  };
  expect(armSignIn(env)).toMatchObject({
    options: { authorityHost: "https://login.local.azurestack.external", disableInstanceDiscovery: true },
  });
});

test.each<[NodeJS.ProcessEnv, boolean]>([
  [{ ...APPLICATION, ARM_CLIENT_SECRET: "s" }, true],
  [{ ...APPLICATION, ARM_USE_OIDC: "true" }, true],
  [{ ARM_USE_MSI: "true" }, true],
  [{ ARM_SUBSCRIPTION_ID: "sub", ARM_TENANT_ID: TENANT }, false],
  [{ ...APPLICATION, ARM_USE_OIDC: "false" }, false],
  [{}, false],
])("variables that only name a subscription are no sign-in (%#)", (env, isConfigured) => {
  expect(isArmSignInConfigured(env)).toBe(isConfigured);
});
