/** What is looked at, in this order. */
export const CHECKS = [
  "node",
  "pulumi",
  "sdk",
  "name",
  "connection",
  "tls",
  "credential",
  "token",
  "firewall",
  "answer",
  "clock",
  "permissions",
] as const;

export const CHECK_RESULTS = ["ok", "warning", "failed", "skipped"] as const;

/** One thing that was looked at. */
export interface Check {
  check: (typeof CHECKS)[number];
  result: (typeof CHECK_RESULTS)[number];
  /** What was found. */
  found: string;
  /** What to do about it. */
  remedy?: string;
  /** The error's code, of a failure that has one. */
  code?: string;
  /** In the service's words, of a refusal that has one. */
  innerCode?: string;
}

export const PERMISSION_RESULTS = ["allowed", "refused", "unknown", "not tried"] as const;

/** Whether the caller may do one thing in the vault. */
export interface Permission {
  /** As access policies have it: `keys/get`. */
  permission: string;
  /** The operations of the REST API that take it. */
  operations: string[];
  result: (typeof PERMISSION_RESULTS)[number];
  /** What of this package takes it. */
  usedFor: string;
  /** The data action, in Azure RBAC or a Managed HSM's own. */
  dataAction?: string;
  /** The built-in role with the fewest rights that has it. */
  role?: string;
  /** Of `refused` and `unknown`. */
  code?: string;
  innerCode?: string;
}

/** What `doctor` has found. */
export interface Diagnosis {
  vaultUrl: string;
  version: string;
  checks: Check[];
  permissions: Permission[];
  /** Lines for a shell that grant what was refused. */
  grants: string[];
  /** Of `--require`, what is not allowed. */
  missing: string[];
}

/** Whether nothing that was looked at failed. What was refused counts only where it is required. */
export function isHealthy({ checks, missing }: Diagnosis): boolean {
  return missing.length === 0 && checks.every(({ result }) => result !== "failed");
}
