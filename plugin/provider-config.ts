import type { Properties } from "../provider/engine/lifecycle.js";
import { configureVaultSettings, settingsProblems } from "../provider/engine/vault-settings.js";

/** What the engine itself puts among a provider's inputs. */
const OF_ENGINE = new Set(["version", "pluginDownloadURL", "pluginChecksums", "parameterization"]);

/** What is wrong with the configuration. Names settings and never their values. */
export function configProblems(config: Properties): string[] {
  configure(config);
  const odd = Object.entries(config).filter(([name, value]) => isSetting(name) && value !== null && !fits(name, value));
  return [
    ...odd.map(
      ([name]) => `KV_INVALID_INPUT: keyvault:${name} must be ${name === "ownerTag" ? "true or false" : "text"}`,
    ),
    ...settingsProblems().map((problem) => `KV_INVALID_INPUT: ${problem}`),
  ];
}

function fits(name: string, value: unknown): boolean {
  if (typeof value === "string" || name === "credentials") return true;
  return name === "ownerTag" && typeof value === "boolean";
}

/** Takes the configuration for all that this process does. One process serves one provider. */
export function configure(config: Properties): void {
  const rawConfig = Object.fromEntries(
    Object.entries(config)
      .filter(([name, value]) => isSetting(name) && value !== null && value !== undefined)
      .map(([name, value]) => [`keyvault:${name}`, typeof value === "string" ? value : JSON.stringify(value)]),
  );
  configureVaultSettings({ get: (key: string) => rawConfig[key], ...{ rawConfig } });
}

function isSetting(name: string): boolean {
  return !OF_ENGINE.has(name) && !name.startsWith("__");
}
