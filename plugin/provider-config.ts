import type { Properties } from "../provider/engine/lifecycle.js";
import { containsUnknown } from "../provider/engine/unknown.js";
import { configureVaultSettings, settingsProblems } from "../provider/engine/vault-settings.js";
import { credentialSettings } from "../provider/vault/check-credential.js";

/** What the engine itself puts among a provider's inputs. */
const OF_ENGINE = new Set(["version", "pluginDownloadURL", "pluginChecksums", "parameterization"]);

/** What is wrong with the configuration, as far as a preview knows it. Names settings and never their values. */
export async function configProblems(given: Properties): Promise<string[]> {
  const config = Object.fromEntries(Object.entries(given).filter(([, value]) => !containsUnknown(value)));
  configure(config);
  const { problems } =
    Object.hasOwn(given, "credentials") === Object.hasOwn(config, "credentials")
      ? await credentialSettings()
      : { problems: [] };
  const odd = Object.entries(config).filter(([name, value]) => isSetting(name) && value !== null && !fits(name, value));
  return [
    ...odd.map(
      ([name]) => `KV_INVALID_INPUT: keyvault:${name} must be ${name === "ownerTag" ? "true or false" : "text"}`,
    ),
    ...[...settingsProblems(), ...problems].map((problem) => `KV_INVALID_INPUT: ${problem}`),
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
      .map(([name, value]) => [`keyvault:${name}`, textOf(name, value)]),
  );
  configureVaultSettings({ get: (key: string) => rawConfig[key], ...{ rawConfig } });
}

/** Generated SDKs write what is no text as JSON, and so an object's JSON twice. */
function textOf(name: string, value: unknown): string {
  if (typeof value !== "string") return JSON.stringify(value);
  if (name !== "credentials" || !value.startsWith('"')) return value;
  try {
    const inner: unknown = JSON.parse(value);
    return typeof inner === "string" ? inner : value;
  } catch {
    return value;
  }
}

function isSetting(name: string): boolean {
  return !OF_ENGINE.has(name) && !name.startsWith("__");
}
