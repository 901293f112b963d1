import { KeyVaultError } from "./errors.js";

/**
 * The domains of Key Vault and Managed HSM in Azure's clouds: the public one, China, US Government and the two that are closed to the rest of the world. An
 * Azure Stack has a domain of its own, which has to be named.
 */
export const CLOUD_DOMAINS: readonly string[] = [
  "azure.net",
  "azure.cn",
  "usgovcloudapi.net",
  "cloudapi.microsoft.scloud",
  "microsoft.scloud",
  "cloudapi.eaglex.ic.gov",
  "eaglex.ic.gov",
].flatMap((cloud) => [`vault.${cloud}`, `managedhsm.${cloud}`]);

/**
 * Reads the domains that a program names beside those of the clouds, for example `vault.local.azurestack.external`.
 *
 * @throws KeyVaultError `KV_INVALID_INPUT`
 */
export function parseAllowedDomains(domains: readonly string[]): string[] {
  return domains.map((domain) => {
    const text = domain.trim().toLowerCase();
    if (text.length <= 253 && /^[a-z0-9-]+(\.[a-z0-9-]+)+$/.test(text)) return text;
    throw new KeyVaultError("KV_INVALID_INPUT", `${shownDomain(domain)} is not a domain of vaults`, {
      hint: "name the host that the vaults' challenge names as its resource, such as vault.local.azurestack.external, without scheme, wildcard or leading dot.",
    });
  });
}

/** Text with a dot and nothing but a host's characters around it. Anything else may be a secret in the wrong place. */
function shownDomain(text: string): string {
  return /^[a-z0-9*:/-]{0,60}(\.[a-z0-9*-]{1,60}){1,6}$/i.test(text)
    ? JSON.stringify(text)
    : `(text of ${text.length} characters)`;
}
