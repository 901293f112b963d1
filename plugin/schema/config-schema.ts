import { anything, flag, type PropertySpec, secret, text } from "./package-spec.js";

/** What a stack says under `keyvault:`, or a program's explicit provider. */
export const configSchema: Record<string, PropertySpec> = {
  vaultUrl: text("The vault of resources that name none. Default: `AZURE_KEYVAULT_URL`."),
  credential: text(
    "Who asks vaults: the name of one way to obtain tokens, or of an entry in `credentials`. Default: `KEYVAULT_CREDENTIAL`, else `default` (DefaultAzureCredential).",
  ),
  credentials: secret(
    anything("Named ways to sign in, for single resources, as an object or its JSON. Default: `KEYVAULT_CREDENTIALS`."),
  ),
  apiVersion: text("Version of the data plane's REST API. Default: `KEYVAULT_API_VERSION`, else `7.4`."),
  allowedDomains: text(
    "Domains of vaults beside those of Azure's clouds, with commas between. Default: `KEYVAULT_ALLOWED_DOMAINS`.",
  ),
  ownerTag: flag("Whether objects carry the tag that says who owns them. Default true."),
};
