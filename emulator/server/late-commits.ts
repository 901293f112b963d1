import type { EmulatorClock } from "../clock/emulator-clock.js";
import { ServiceError } from "../service-error.js";

/** A request whose client was sent away before it was carried out. */
interface LateCommit {
  readonly dueAt: number;
  readonly run: (now: number) => Promise<unknown>;
}

/**
 * Requests that are carried out later than they were answered. Each request that follows first waits for those that are
 * due, so that it sees what a client of the service would see; on a running clock nobody has to come for them.
 */
export class LateCommits {
  readonly #clock: EmulatorClock;
  readonly #onFailure: (error: unknown) => void;
  readonly #timers = new Set<NodeJS.Timeout>();
  #waiting: LateCommit[] = [];
  #running: Promise<void> | undefined;

  constructor(clock: EmulatorClock, onFailure: (error: unknown) => void) {
    this.#clock = clock;
    this.#onFailure = onFailure;
  }

  /** @param run gets the moment that it is due. Its refusal is nobody's to see. */
  add(milliseconds: number, run: LateCommit["run"]): void {
    this.#waiting.push({ dueAt: this.#clock.now() + milliseconds, run });
    const timer = setTimeout(() => {
      this.#timers.delete(timer);
      void this.settle();
    }, milliseconds).unref();
    this.#timers.add(timer);
  }

  /** Carries out what is due, in its order. Nothing to wait for where nothing is late. */
  settle(): Promise<void> | undefined {
    if (this.#waiting.length > 0) {
      const now = this.#clock.now();
      const due = this.#waiting.filter(({ dueAt }) => dueAt <= now).sort((left, right) => left.dueAt - right.dueAt);
      if (due.length > 0) {
        this.#waiting = this.#waiting.filter(({ dueAt }) => dueAt > now);
        const run = this.#runAfter(this.#running, due).finally(() => {
          if (this.#running === run) this.#running = undefined;
        });
        this.#running = run;
      }
    }
    return this.#running;
  }

  /** What has not been carried out by now never is, as when a process of the service dies. */
  forget(): void {
    this.#waiting = [];
    for (const timer of this.#timers) clearTimeout(timer);
    this.#timers.clear();
  }

  async #runAfter(before: Promise<void> | undefined, due: readonly LateCommit[]): Promise<void> {
    await before;
    for (const { dueAt, run } of due) {
      try {
        await run(dueAt);
      } catch (error) {
        if (!(error instanceof ServiceError)) this.#onFailure(error);
      }
    }
  }
}
