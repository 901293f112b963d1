import type { KeyVaultClient } from "./client.js";
import { type Clock, delay, systemClock } from "./clock.js";
import { isKeyVaultError, KeyVaultError } from "./errors.js";

/** What one look says: done with a result, or not yet with the reason to wait on. */
export type Look<T> = { done: true; value: T } | { done: false };

export interface WaitOptions {
  /** Milliseconds in all. Default 300,000: the slowest deletes on record took 149 s. */
  timeoutMs?: number | undefined;
  signal?: AbortSignal | undefined;
  /** Told before each pause, for progress lines. */
  onProgress?: ((progress: WaitProgress) => void) | undefined;
  clock?: Clock | undefined;
}

export interface WaitProgress {
  /** What is awaited, for example `"orders" to be deleted`. */
  awaited: string;
  elapsedMs: number;
  /** Looks taken so far. */
  looks: number;
}

const DEFAULT_TIMEOUT_MS = 300_000;
const FIRST_PAUSE_MS = 200;
const LONGEST_PAUSE_MS = 5_000;

/**
 * Looks again and again, with growing pauses, until a look is done.
 *
 * @throws KeyVaultError `KV_TIMEOUT` at the deadline, and whatever a look throws.
 */
export async function poll<T>(awaited: string, look: () => Promise<Look<T>>, options: WaitOptions = {}): Promise<T> {
  const clock = options.clock ?? systemClock;
  const timeoutMs = options.timeoutMs ?? DEFAULT_TIMEOUT_MS;
  const startedAt = clock.now();
  let pause = FIRST_PAUSE_MS;
  for (let looks = 1; ; looks++) {
    const found = await look();
    if (found.done) return found.value;
    const elapsedMs = clock.now() - startedAt;
    if (elapsedMs + pause > timeoutMs) {
      throw new KeyVaultError("KV_TIMEOUT", `Waited ${Math.round(elapsedMs / 1000)} s for ${awaited}, in vain`, {
        retryable: true,
        hint: "allow more time with timeouts, or look at the vault.",
      });
    }
    options.onProgress?.({ awaited, elapsedMs, looks });
    try {
      await delay(clock, pause, options.signal);
    } catch (cause) {
      throw new KeyVaultError("KV_TIMEOUT", `Waiting for ${awaited} was cancelled`, {
        hint: "the caller ended it.",
        cause,
      });
    }
    pause = Math.min(pause * 1.5, LONGEST_PAUSE_MS);
  }
}

export type ObjectKind = "key" | "secret";

/**
 * Waits until a deleted key or secret shows among the deleted ones: only then can it be purged or recovered.
 *
 * The service answers 403 instead of 200 for a deleted secret whose current version is disabled; that counts as there.
 */
export function waitUntilDeleted(client: KeyVaultClient, kind: ObjectKind, name: string, options?: WaitOptions) {
  return poll(
    `${kind} "${name}" in ${client.vaultUrl} to be deleted`,
    () =>
      notYetWhile("KV_NOT_FOUND", () => exists(kind, DISABLED_DELETED, () => getDeleted(client, kind, name, options))),
    options,
  );
}

/** Waits until a purged key or secret no longer shows among the deleted ones. Its name can be taken again at once, but a restore may conflict for a minute more. */
export function waitUntilPurged(client: KeyVaultClient, kind: ObjectKind, name: string, options?: WaitOptions) {
  return poll(
    `${kind} "${name}" in ${client.vaultUrl} to be purged`,
    async (): Promise<Look<void>> => {
      try {
        await exists(kind, DISABLED_DELETED, () => getDeleted(client, kind, name, options));
        return { done: false };
      } catch (error) {
        if (isKeyVaultError(error, "KV_NOT_FOUND")) return { done: true, value: undefined };
        throw error;
      }
    },
    options,
  );
}

/**
 * Waits until a recovered key or secret can be read. Writes may answer `KV_BUSY` for a while longer, see {@link whileBusy}.
 */
export function waitUntilRecovered(client: KeyVaultClient, kind: ObjectKind, name: string, options?: WaitOptions) {
  const call = { signal: options?.signal };
  return poll(
    `${kind} "${name}" in ${client.vaultUrl} to be recovered`,
    () =>
      notYetWhile("KV_NOT_FOUND", () =>
        exists(kind, DISABLED, () =>
          kind === "key" ? client.getKey(name, undefined, call) : client.getSecret(name, undefined, call),
        ),
      ),
    options,
  );
}

/** Repeats a call that is refused with `KV_BUSY`: the service does nothing when it answers so, hence writes may be repeated too. */
export function whileBusy<T>(awaited: string, call: () => Promise<T>, options?: WaitOptions): Promise<T> {
  return poll(awaited, () => notYetWhile("KV_BUSY", call), options);
}

async function notYetWhile<T>(code: "KV_NOT_FOUND" | "KV_BUSY", call: () => Promise<T>): Promise<Look<T>> {
  try {
    return { done: true, value: await call() };
  } catch (error) {
    if (isKeyVaultError(error, code)) return { done: false };
    throw error;
  }
}

/** Inner codes with which the service refuses to show a secret because it is disabled, the last one on deleted secrets only. */
const DISABLED: readonly (string | undefined)[] = ["SecretDisabled", undefined];
const DISABLED_DELETED: readonly (string | undefined)[] = [...DISABLED, "AccessDenied"];

/** A refusal because a secret is disabled proves that it is there. Other refusals say nothing and surface. */
async function exists(
  kind: ObjectKind,
  proofs: readonly (string | undefined)[],
  read: () => Promise<unknown>,
): Promise<void> {
  try {
    await read();
  } catch (error) {
    const proof = kind === "secret" && isKeyVaultError(error, "KV_FORBIDDEN") && proofs.includes(error.innerCode);
    if (!proof) throw error;
  }
}

function getDeleted(client: KeyVaultClient, kind: ObjectKind, name: string, options: WaitOptions | undefined) {
  const call = { signal: options?.signal };
  return kind === "key" ? client.getDeletedKey(name, call) : client.getDeletedSecret(name, call);
}
