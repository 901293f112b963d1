/** What a stack's configuration and the environment say about reaching vaults. */
export interface VaultSettings {
  /** From `keyvault:vaultUrl` or `AZURE_KEYVAULT_URL`: the vault of resources that name none. */
  vaultUrl?: string;
  /** From `keyvault:credential`: the name of one way to obtain tokens; default `default` (DefaultAzureCredential). */
  credential: string;
  /** From `keyvault:credentials` or `KEYVAULT_CREDENTIALS`: JSON of named ways to sign in, for single resources. */
  credentials?: string;
  /** From `keyvault:apiVersion` or `KEYVAULT_API_VERSION`: one of {@link API_VERSIONS}. Default `7.4`. */
  apiVersion: string;
  /** From `keyvault:allowedDomains` or `KEYVAULT_ALLOWED_DOMAINS`, with commas between: domains of vaults beside those of Azure's clouds. */
  allowedDomains: string[];
  /** From `keyvault:ownerTag`: whether objects carry the tag that says who owns them. Default true. */
  ownerTag: boolean;
}

const NAMESPACE = "keyvault:";
const SETTINGS = ["vaultUrl", "credential", "credentials", "apiVersion", "allowedDomains", "ownerTag"] as const;

/** Versions of the data plane's REST API, oldest first. What the provider does needs none newer than the first. */
export const API_VERSIONS: readonly string[] = ["7.4", "7.5", "7.6", "2025-07-01", "2026-04-01"];
const DEFAULT_API_VERSION = "7.4";

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
  const vaultUrl = setting("vaultUrl") ?? environment.AZURE_KEYVAULT_URL;
  const credentials = setting("credentials") ?? environment.KEYVAULT_CREDENTIALS;
  return {
    ...(vaultUrl ? { vaultUrl } : {}),
    ...(credentials ? { credentials } : {}),
    apiVersion: setting("apiVersion") ?? (environment.KEYVAULT_API_VERSION || DEFAULT_API_VERSION),
    credential: setting("credential") ?? environment.KEYVAULT_CREDENTIAL ?? "default",
    allowedDomains: (setting("allowedDomains") ?? environment.KEYVAULT_ALLOWED_DOMAINS ?? "")
      .split(",")
      .map((domain) => domain.trim())
      .filter((domain) => domain !== ""),
    ownerTag: setting("ownerTag") !== "false",
  };
}

/**
 * What is wrong with the stack's `keyvault:` settings: a misspelled one would say nothing and do nothing. Names them
 * and never their values.
 */
export function settingsProblems(): string[] {
  const problems = configuredNames()
    .filter((name) => !SETTINGS.some((known) => known === name))
    .map((name) => {
      const nearest = [...SETTINGS].sort((a, b) => distance(name, a) - distance(name, b))[0];
      return `${NAMESPACE}${name} is no setting; did you mean ${NAMESPACE}${nearest}? Known are ${SETTINGS.join(", ")}`;
    });
  if (!API_VERSIONS.includes(vaultSettings().apiVersion)) {
    problems.push(`${NAMESPACE}apiVersion (or KEYVAULT_API_VERSION) must be one of ${API_VERSIONS.join(", ")}`);
  }
  const ownerTag = setting("ownerTag");
  if (ownerTag !== undefined && ownerTag !== "true" && ownerTag !== "false") {
    problems.push(`${NAMESPACE}ownerTag must be "true" or "false"`);
  }
  return problems;
}

function setting(name: (typeof SETTINGS)[number]): string | undefined {
  return stackConfig?.get(`${NAMESPACE}${name}`);
}

/** The dynamic provider host hands on an object that only asks by name; the names are in a field of it. */
function configuredNames(): string[] {
  const raw: unknown = stackConfig !== undefined && "rawConfig" in stackConfig ? stackConfig.rawConfig : undefined;
  if (raw === null || typeof raw !== "object") return [];
  return Object.keys(raw)
    .filter((key) => key.startsWith(NAMESPACE))
    .map((key) => key.slice(NAMESPACE.length));
}

/** How many letters apart two names are (Levenshtein), upper and lower case alike. */
function distance(a: string, b: string): number {
  const [from, to] = [a.toLowerCase(), b.toLowerCase()];
  let row = Array.from({ length: to.length + 1 }, (_, index) => index);
  for (let i = 1; i <= from.length; i++) {
    const next = [i];
    for (let j = 1; j <= to.length; j++) {
      const substitution = (row[j - 1] ?? 0) + (from[i - 1] === to[j - 1] ? 0 : 1);
      next.push(Math.min((next[j - 1] ?? 0) + 1, (row[j] ?? 0) + 1, substitution));
    }
    row = next;
  }
  return row[to.length] ?? 0;
}
