/**
 * An Azure Key Vault for development and tests, on loopback: keys and secrets with the service's own
 * states, words and limits. It protects nothing: never put a real key into it.
 *
 * @module pulumi-keyvault/emulator
 */
export type { EmulatorCredential } from "./access/access-tokens.js";
export { EmulatorClock } from "./clock/emulator-clock.js";
export type { Timing, TimingMode } from "./clock/timing.js";
export { type FaultCommit, type FaultKind, type FaultRule, type Faults, readFaultRule } from "./server/faults.js";
export type { LoggedRequest, RequestLog } from "./server/request-log.js";
export { type Emulator, type EmulatorOptions, startEmulator, type VaultHandle } from "./start-emulator.js";
export { StoreError, type StoreFault } from "./store/store-error.js";
export type { PermissionOptions, VaultOptions } from "./vault.js";
