import { createTiming, type Timing, type TimingMode } from "./clock/timing.js";
import type { SeededRandom } from "./seeded-random.js";
import type { Firewall } from "./server/network-rules.js";

/** How one vault is set up. */
export interface VaultOptions {
  /** 3 to 24 letters, digits and dashes. It is the first label of the vault's host name. */
  name: string;
  /** `standard` refuses hardware keys. Default `premium`. */
  sku?: "standard" | "premium";
  /** Default `vault`. A Managed HSM has keys only, and words of its own. */
  plane?: "vault" | "managedhsm";
  /** 7 to 90 days; default 90. */
  retentionDays?: number;
  /** Default false. */
  purgeProtection?: boolean;
  /** Default true. Without it a delete is final. */
  softDelete?: boolean;
  /** Azure region, for headers and messages. Default `local`. */
  location?: string;
  /** A backup restores only where geography and subscription are the same. Default `local`. */
  geography?: string;
  /** Default: a fixed example id. */
  subscription?: string;
  /** Backups restore only within one security domain. Default `emulator`. */
  securityDomain?: string;
  /** Access by principal. Default: every token may do everything. */
  permissions?: PermissionOptions;
  /** Default: open. */
  firewall?: Firewall;
  /** Tokens of other issuers are refused. Default: any issuer will do. */
  trustedIssuers?: readonly string[];
  /** A Managed HSM refuses everything while it is restored from a full backup. Default false. */
  restoring?: boolean;
  /**
   * A transfer blob (BYOK) that was made for a key exchange key of another vault cannot be opened. `standIn` stores a
   * new key of the same type in its place, for programs that only have a blob made elsewhere. Default `refuse`.
   */
  foreignTransfers?: "refuse" | "standIn";
}

/** Who may do what. A token names its principal (see `Emulator.credentialFor`); one not listed may do nothing. */
export interface PermissionOptions {
  /** Which of the two models words the refusal. Default `accessPolicy`. */
  model?: "accessPolicy" | "rbac";
  /** Permission names as in an access policy (`get`, `list`, `unwrapKey`, …); `*` or `all` for all of them. */
  principals: Record<string, { keys?: readonly string[]; secrets?: readonly string[] }>;
}

/** What may change while a vault runs; `undefined` goes back to the default. */
export interface VaultChanges {
  permissions?: PermissionOptions | undefined;
  trustedIssuers?: readonly string[] | undefined;
  firewall?: Firewall;
  restoring?: boolean;
}

/** A vault as the operations see it. */
export interface Vault extends Required<Omit<VaultOptions, "permissions" | "trustedIssuers">> {
  permissions: PermissionOptions | undefined;
  trustedIssuers: readonly string[] | undefined;
  readonly timing: Timing;
}

const exampleSubscription = "00000000-0000-0000-0000-000000000001";

/** @throws RangeError when a setting is out of the service's range. */
export function createVault(given: string | VaultOptions, timing: TimingMode | Timing, random: SeededRandom): Vault {
  const options: VaultOptions = typeof given === "string" ? { name: given } : given;
  const plane = options.plane ?? "vault";
  const retentionDays = options.retentionDays ?? 90;
  if (!/^[0-9a-zA-Z-]{3,24}$/.test(options.name)) {
    throw new RangeError(`A vault's name has 3 to 24 letters, digits and dashes, not "${options.name}".`);
  }
  if (!Number.isInteger(retentionDays) || retentionDays < 7 || retentionDays > 90) {
    throw new RangeError(`A vault keeps deleted objects for 7 to 90 days, not ${retentionDays}.`);
  }
  return {
    name: options.name,
    sku: options.sku ?? "premium",
    plane,
    retentionDays,
    purgeProtection: options.purgeProtection ?? false,
    softDelete: plane === "managedhsm" ? true : (options.softDelete ?? true),
    location: options.location ?? "local",
    geography: options.geography ?? "local",
    subscription: options.subscription ?? exampleSubscription,
    securityDomain: options.securityDomain ?? "emulator",
    permissions: options.permissions,
    trustedIssuers: options.trustedIssuers,
    firewall: options.firewall ?? "open",
    restoring: options.restoring ?? false,
    foreignTransfers: options.foreignTransfers ?? "refuse",
    timing: createTiming(timing, random, plane),
  };
}

/** What the vault says of itself in every `attributes`. */
export function recoveryAttributes(vault: Vault): { recoveryLevel: string; recoverableDays: number } {
  if (!vault.softDelete) return { recoveryLevel: "Purgeable", recoverableDays: 0 };
  const level = vault.retentionDays === 90 ? "Recoverable" : "CustomizedRecoverable";
  return {
    recoveryLevel: vault.purgeProtection ? level : `${level}+Purgeable`,
    recoverableDays: vault.retentionDays,
  };
}
