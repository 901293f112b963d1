import type { Clock } from "../../provider/keyvault/clock.js";

interface Timer {
  at: number;
  order: number;
  callback: () => void;
}

/** Time that stands still while anything runs, and jumps to the next timer when nothing does. */
export class VirtualClock implements Clock {
  #now = Date.UTC(2027, 0, 1);
  #order = 0;
  #timers: Timer[] = [];
  /** Requests that the vault is working on: time waits for them. */
  busy = 0;

  now(): number {
    return this.#now;
  }

  random(): number {
    return 0.5;
  }

  schedule(ms: number, callback: () => void): () => void {
    const timer: Timer = { at: this.#now + Math.max(ms, 0), order: this.#order++, callback };
    this.#timers.push(timer);
    this.#timers.sort((left, right) => left.at - right.at || left.order - right.order);
    return () => {
      this.#timers = this.#timers.filter((other) => other !== timer);
    };
  }

  /** Lets time pass until the work is done. */
  async drive<T>(work: Promise<T>): Promise<T> {
    let isDone = false;
    const ended = () => {
      isDone = true;
    };
    work.then(ended, ended);
    while (!isDone) {
      await new Promise(setImmediate);
      if (!isDone && this.busy === 0) this.#fireNext();
    }
    return work;
  }

  /** Lets everything happen that is due within a while. */
  async pass(ms: number): Promise<void> {
    await this.drive(new Promise<void>((resolve) => this.schedule(ms, resolve)));
  }

  #fireNext(): void {
    const next = this.#timers.shift();
    if (next === undefined) return;
    this.#now = next.at;
    next.callback();
  }
}

/** The timers of one process: they end with it. */
export class ProcessClock implements Clock {
  readonly #cancels = new Set<() => void>();

  constructor(readonly world: VirtualClock) {}

  now(): number {
    return this.world.now();
  }

  random(): number {
    return this.world.random();
  }

  schedule(ms: number, callback: () => void): () => void {
    const cancel = this.world.schedule(ms, () => {
      this.#cancels.delete(cancel);
      callback();
    });
    this.#cancels.add(cancel);
    return () => {
      this.#cancels.delete(cancel);
      cancel();
    };
  }

  end(): void {
    for (const cancel of this.#cancels) cancel();
    this.#cancels.clear();
  }
}
