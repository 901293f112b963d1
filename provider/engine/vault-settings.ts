/** What a stack's configuration and the environment say about reaching vaults. */
export interface VaultSettings {
  /** From `keyvault:vaultUrl` or `AZURE_KEYVAULT_URL`: the vault of resources that name none. */
  vaultUrl?: string;
  /** From `keyvault:credential`: the name of one way to obtain tokens; default `default` (DefaultAzureCredential). */
  credential: string;
}

interface StackConfig {
  get(key: string): string | undefined;
}

let stackConfig: StackConfig | undefined;

/**
 * Takes the stack's configuration from the engine. Synchronous on purpose: the host starts other calls while it
 * awaits `configure`, and they must find the configuration in place.
 */
export function configureVaultSettings(config: StackConfig): void {
  stackConfig = config;
}

export function vaultSettings(environment: NodeJS.ProcessEnv = process.env): VaultSettings {
  const vaultUrl = stackConfig?.get("keyvault:vaultUrl") ?? environment.AZURE_KEYVAULT_URL;
  return {
    ...(vaultUrl ? { vaultUrl } : {}),
    credential: stackConfig?.get("keyvault:credential") ?? environment.KEYVAULT_CREDENTIAL ?? "default",
  };
}
