import type { Clock } from "../../provider/keyvault/clock.js";

/** A clock that stands still until it is told otherwise. */
export class ManualClock implements Clock {
  /** Value of the next random numbers. */
  chance = 1;
  #now = 1_700_000_000_000;
  #next = 0;
  readonly #timers = new Map<number, { at: number; callback: () => void }>();

  now(): number {
    return this.#now;
  }

  random(): number {
    return this.chance;
  }

  schedule(ms: number, callback: () => void): () => void {
    const id = this.#next++;
    this.#timers.set(id, { at: this.#now + ms, callback });
    return () => this.#timers.delete(id);
  }

  /** How many timers wait. */
  get pending(): number {
    return this.#timers.size;
  }

  async advance(ms: number): Promise<void> {
    const until = this.#now + ms;
    for (;;) {
      await idle();
      const due = this.#earliest();
      if (due === undefined || due.at > until) break;
      this.#fire(due);
    }
    this.#now = until;
  }

  /** Moves from timer to timer until the promise is settled; resolves with the milliseconds that this took. */
  async until(promise: Promise<unknown>): Promise<number> {
    const startedAt = this.#now;
    let settled = false;
    const note = () => {
      settled = true;
    };
    promise.then(note, note);
    for (let stuck = 0; ; ) {
      await idle();
      if (settled) return this.#now - startedAt;
      const due = this.#earliest();
      if (due !== undefined) this.#fire(due);
      else if (++stuck > 1_000) throw new Error("nothing is left to wait for");
    }
  }

  #earliest() {
    const [first] = [...this.#timers].sort(([, a], [, b]) => a.at - b.at);
    return first === undefined ? undefined : { id: first[0], ...first[1] };
  }

  #fire({ id, at, callback }: { id: number; at: number; callback: () => void }): void {
    this.#timers.delete(id);
    this.#now = Math.max(this.#now, at);
    callback();
  }
}

async function idle(): Promise<void> {
  for (let turn = 0; turn < 5; turn++) await new Promise((resolve) => setImmediate(resolve));
}
