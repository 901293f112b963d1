import type { Clock } from "./clock.js";

/**
 * The time budget of one call: it ends when the budget is used up, or when the caller's own signal is aborted.
 *
 * A signal is made only where somebody asks for one: nearly every call ends before its time, and waits for nothing but its answer.
 */
export class Deadline {
  /** True once the budget, not the caller, ended the call. */
  expired = false;
  readonly #at: number;
  readonly #clock: Clock;
  readonly #cancel: () => void;
  #listeners: Set<() => void> | undefined;
  /** Takes back what was asked of the signals; there are none in most calls. */
  #release: (() => void) | undefined;
  #controller: AbortController | undefined;
  #end: { reason: unknown } | undefined;

  /** @param stop ends the call a while after it is aborted, and one that begins later at once. */
  constructor(clock: Clock, ms: number, caller?: AbortSignal, stop?: { signal: AbortSignal; graceMs: number }) {
    this.#clock = clock;
    this.#at = clock.now() + ms;
    this.#cancel = clock.schedule(ms, () => {
      this.expired = this.#end === undefined;
      this.#finish(new Error("the time budget of the call is used up"));
    });
    if (caller !== undefined || stop !== undefined) this.#release = this.#listen(caller, stop);
  }

  #listen(caller: AbortSignal | undefined, stop: { signal: AbortSignal; graceMs: number } | undefined): () => void {
    const onCallerAbort = () => this.#finish(caller?.reason);
    if (caller?.aborted) onCallerAbort();
    else caller?.addEventListener("abort", onCallerAbort, { once: true });
    let endGrace = (): void => {};
    const onStop = () => {
      endGrace = this.#clock.schedule(stop?.graceMs ?? 0, () => this.#finish(stop?.signal.reason));
    };
    if (stop?.signal.aborted) this.#finish(stop.signal.reason);
    else stop?.signal.addEventListener("abort", onStop, { once: true });
    return () => {
      endGrace();
      stop?.signal.removeEventListener("abort", onStop);
      caller?.removeEventListener("abort", onCallerAbort);
    };
  }

  /** True once the call has to end. */
  get ended(): boolean {
    return this.#end !== undefined;
  }

  /** Why it has to end. */
  get reason(): unknown {
    return this.#end?.reason;
  }

  /** For what takes a signal. */
  get signal(): AbortSignal {
    if (this.#controller === undefined) {
      this.#controller = new AbortController();
      if (this.#end !== undefined) this.#controller.abort(this.#end.reason);
    }
    return this.#controller.signal;
  }

  /** Calls back when the call has to end; the returned function takes that back. */
  onEnd(callback: () => void): () => void {
    this.#listeners ??= new Set();
    this.#listeners.add(callback);
    return () => this.#listeners?.delete(callback);
  }

  /** Milliseconds left, never negative. */
  remaining(): number {
    return Math.max(0, this.#at - this.#clock.now());
  }

  [Symbol.dispose](): void {
    this.#cancel();
    this.#release?.();
  }

  #finish(reason: unknown): void {
    if (this.#end !== undefined) return;
    this.#end = { reason };
    this.#controller?.abort(reason);
    for (const listener of this.#listeners ?? []) listener();
  }
}
