import { isHsmType } from "../keys/key-bundle.js";
import type { Operation } from "../operation.js";
import { ServiceError } from "../service-error.js";
import type { Vault } from "../vault.js";

/** Limits per ten seconds. */
export interface ThrottlingOptions {
  /** Multiplies every limit: 0.01 makes a hundredth of the service's limits. Default 1. */
  scale?: number;
  /** Adds a Retry-After header with this many seconds; the service sends none. */
  retryAfterSeconds?: number;
}

/** What a request asks for, for weighing it. */
export interface Cost {
  readonly operation: Operation;
  readonly keyType: string | undefined;
  readonly keySize: number | undefined;
}

const windowMilliseconds = 10_000;
const subscriptionFactor = 5;
const secretCreates = 300;
const secretOthers = 4_000;

/**
 * The documented limits: key creates apart from everything else, other requests weighed by the type and size of the
 * key, and five vaults' worth for a subscription. Counted in windows of ten seconds on the emulator's clock.
 */
export class Throttle {
  readonly #scale: number;
  readonly #retryAfter: number | undefined;
  readonly #used = new Map<string, number>();
  #window = 0;

  constructor(options: ThrottlingOptions) {
    this.#scale = options.scale ?? 1;
    this.#retryAfter = options.retryAfterSeconds;
  }

  get headers(): Record<string, string> {
    return this.#retryAfter === undefined ? {} : { "Retry-After": String(this.#retryAfter) };
  }

  /** Takes the request's share of the window. @throws ServiceError 429. */
  admit(vault: Vault, cost: Cost, now: number): void {
    const window = Math.floor(now / windowMilliseconds);
    if (window !== this.#window) {
      this.#window = window;
      this.#used.clear();
    }
    const { bucket, share } = shareOf(cost);
    const part = share / this.#scale;
    const [vaultKey, subscriptionKey] = [`${vault.name}/${bucket}`, `${vault.subscription}//${bucket}`];
    const inVault = (this.#used.get(vaultKey) ?? 0) + part;
    const inSubscription = (this.#used.get(subscriptionKey) ?? 0) + part;
    // A share is a fraction of the window: the sum of thousands of them is a little off.
    if (inVault > 1 + 1e-9 || inSubscription > subscriptionFactor + 1e-9) {
      throw throttled(cost.operation);
    }
    this.#used.set(vaultKey, inVault);
    this.#used.set(subscriptionKey, inSubscription);
  }
}

/** Which limit it counts against, and how much of it it uses up. */
function shareOf({ operation, keyType, keySize }: Cost): { bucket: string; share: number } {
  if (operation.throttle === "secretCreate") return { bucket: "secrets set", share: 1 / secretCreates };
  if (operation.throttle === "secret") return { bucket: "secrets", share: 1 / secretOthers };
  const hardware = keyType !== undefined && isHsmType(keyType);
  if (operation.throttle === "keyCreate") {
    return { bucket: hardware ? "hsm create" : "create", share: 1 / (hardware ? 10 : 20) };
  }
  if (keyType === undefined) return { bucket: "secrets", share: 1 / secretOthers };
  const full = hardware ? 2_000 : 4_000;
  const weight = keySize === undefined || keySize <= 2048 ? 1 : keySize <= 3072 ? 4 : 8;
  return { bucket: hardware ? "hsm keys" : "keys", share: weight / full };
}

/** Keys and creates have limits of their own type; everything else shares the vault's. */
export function throttled({ throttle }: Operation): ServiceError {
  const reason = throttle === "secret" ? "VaultOperationLimitReached" : "VaultRequestTypeLimitReached";
  return new ServiceError(
    429,
    "Throttled",
    `Request was not processed because too many requests were received. Reason: ${reason}`,
  );
}
