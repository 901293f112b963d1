import { configureVaultSettings, vaultSettings } from "../../provider/engine/vault-settings.js";
import type { KeyVaultClient } from "../../provider/keyvault/client.js";
import { isLoopbackHost, parseVaultUrl } from "../../provider/keyvault/identifier.js";
import { isEmbedded } from "../../provider/vault/vault-identity.js";
import { CliError } from "../failure/cli-error.js";
import { packageVersion } from "../package-version.js";
import { openVault } from "../vault/open-vault.js";
import { type Check, type Diagnosis, isHealthy, type Permission } from "./diagnosis.js";
import type { DoctorOptions } from "./doctor-options.js";
import { formatJson } from "./format-json.js";
import { formatTable } from "./format-table.js";
import { grantLines } from "./grant-lines.js";
import { lookAtMachine } from "./look-at-machine.js";
import { lookAtNetwork } from "./look-at-network.js";
import { lookAtPermissions, PERMISSIONS } from "./look-at-permissions.js";
import { lookAtVault } from "./look-at-vault.js";
import { observedClient } from "./observed-client.js";

const UNHEALTHY = 7;

/** Looks at one thing after the other, and prints what was found of all. */
export async function runDoctor(options: DoctorOptions): Promise<number> {
  refuseUnknown(options.require ?? []);
  const diagnosis = await diagnose(options);
  const isJson = options.json === true || options.format === "json";
  const { isTTY, columns } = process.stdout;
  process.stdout.write(
    isJson
      ? formatJson(diagnosis)
      : formatTable(diagnosis, isTTY ? { width: columns, colour: process.stdout.hasColors() } : {}),
  );
  return isHealthy(diagnosis) ? 0 : UNHEALTHY;
}

function refuseUnknown(required: readonly string[]): void {
  for (const permission of required) {
    const canBeTried = PERMISSIONS.get(permission);
    const known = [...PERMISSIONS].filter(([, tried]) => tried).map(([name]) => name);
    if (canBeTried === undefined) {
      throw new CliError("KV_USAGE", `--require takes permissions that can be looked at: ${known.join(", ")}`);
    }
    if (!canBeTried) {
      throw new CliError("KV_USAGE", `${permission} cannot be required: only a write would tell whether it is allowed`);
    }
  }
}

async function diagnose(options: DoctorOptions): Promise<Diagnosis> {
  const given = options.vault ?? vaultSettings().vaultUrl;
  if (given === undefined || isEmbedded(given)) return await diagnoseEmbedded(options);
  const vaultUrl = parseVaultUrl(given);
  const settings: Record<string, string> =
    options.credential === undefined ? {} : { "keyvault:credential": options.credential };
  configureVaultSettings({ get: (key) => settings[key] });
  const { credential } = vaultSettings();
  const observed = await observedClient(vaultUrl, credential, options.timeout);
  const machine = lookAtMachine();
  const network = await lookAtNetwork(vaultUrl, { timeoutMs: options.timeout });
  const isReached = network.every(({ result }) => result !== "failed");
  const answers = isReached ? await lookAtVault(observed, credential) : notReached();
  const isKnown = [...network, ...answers].every(({ result }) => result !== "failed");
  const permissions = isKnown ? await lookAtPermissions(observed.client) : [];
  await observed.close();
  const { claims } = observed.observations;
  const isLocal = isLoopbackHost(new URL(vaultUrl).hostname);
  return {
    vaultUrl,
    version: packageVersion(),
    checks: [...(await machine), ...network, ...answers, permissionsCheck(isKnown, permissions)],
    permissions,
    // A server on this machine is none that `az` knows.
    grants: isLocal ? [] : grantLines(vaultUrl, observed.client.plane, permissions, claims),
    missing: missingOf(options.require, permissions),
  };
}

/** An embedded vault is in this process: there is no way to it, and nobody to sign in. */
async function diagnoseEmbedded(options: DoctorOptions): Promise<Diagnosis> {
  const { vaultUrl, client } = await openVault(options.vault, options.credential);
  const permissions = await lookAtPermissions(client);
  return {
    vaultUrl,
    version: packageVersion(),
    checks: [...(await lookAtMachine()), await embeddedAnswer(client), permissionsCheck(true, permissions)],
    permissions,
    grants: [],
    missing: missingOf(options.require, permissions),
  };
}

async function embeddedAnswer(client: KeyVaultClient): Promise<Check> {
  for await (const _first of client.getKeys({ maxPageSize: 1 })) break;
  return { check: "answer", result: "ok", found: "an embedded vault, in this process: no network, no sign-in" };
}

function notReached(): Check[] {
  const found = "not looked at: the vault is not reached";
  return (["credential", "token", "firewall", "answer", "clock"] as const).map((check) => ({
    check,
    result: "skipped",
    found,
  }));
}

function permissionsCheck(isKnown: boolean, permissions: readonly Permission[]): Check {
  const check = "permissions";
  if (!isKnown) return { check, result: "skipped", found: "not asked for, after what failed" };
  const count = (wanted: Permission["result"]): number => permissions.filter(({ result }) => result === wanted).length;
  const found = `${count("allowed")} allowed, ${count("refused")} refused, ${count("not tried")} not tried${count("unknown") > 0 ? `, ${count("unknown")} not known` : ""}`;
  if (count("allowed") === 0) {
    return {
      check,
      result: "failed",
      found,
      remedy: "grant what the program needs; a new assignment takes some minutes",
    };
  }
  return { check, result: count("unknown") > 0 ? "warning" : "ok", found };
}

function missingOf(required: readonly string[] = [], permissions: readonly Permission[]): string[] {
  return required.filter(
    (wanted) => !permissions.some(({ permission, result }) => permission === wanted && result === "allowed"),
  );
}
