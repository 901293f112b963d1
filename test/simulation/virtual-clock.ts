import type { SeededRandom } from "../../emulator/seeded-random.js";
import type { Clock } from "../../provider/keyvault/clock.js";

interface Timer {
  at: number;
  order: number;
  callback: (() => void) | undefined;
}

/** Time that stands still while anything runs, and jumps to the next timer when nothing does. */
export class VirtualClock implements Clock {
  #now = Date.UTC(2027, 0, 1);
  #order = 0;
  /** The next one is the last. */
  readonly #timers: Timer[] = [];
  readonly #random: SeededRandom;
  /** Requests that the vault is working on: time waits for them. */
  busy = 0;

  constructor(random: SeededRandom) {
    this.#random = random;
  }

  now(): number {
    return this.#now;
  }

  random(): number {
    return this.#random.next();
  }

  schedule(ms: number, callback: () => void): () => void {
    const timer: Timer = { at: this.#now + Math.max(ms, 0), order: this.#order++, callback };
    const timers = this.#timers;
    let place = timers.length;
    while (place > 0 && isAfter(timer, timers[place - 1])) place--;
    timers.splice(place, 0, timer);
    return () => {
      timer.callback = undefined;
    };
  }

  /** Lets time pass until the work is done. */
  async drive<T>(work: Promise<T>): Promise<T> {
    let isDone = false;
    const ended = () => {
      isDone = true;
    };
    work.then(ended, ended);
    let idle = 0;
    while (!isDone) {
      await new Promise(setImmediate);
      if (isDone || this.busy > 0) continue;
      if (this.#fireNext()) idle = 0;
      else if (++idle > 1_000_000) throw new Error("the simulation stands still: somebody waits for what never comes");
    }
    return work;
  }

  /** Lets everything happen that is due within a while. */
  async pass(ms: number): Promise<void> {
    await this.drive(new Promise<void>((resolve) => this.schedule(ms, resolve)));
  }

  #fireNext(): boolean {
    for (;;) {
      const next = this.#timers.pop();
      if (next === undefined) return false;
      if (next.callback === undefined) continue;
      this.#now = next.at;
      next.callback();
      return true;
    }
  }
}

function isAfter(timer: Timer, other: Timer | undefined): boolean {
  if (other === undefined) return false;
  return timer.at > other.at || (timer.at === other.at && timer.order > other.order);
}

/** The timers of one process: they end with it. */
export class ProcessClock implements Clock {
  readonly #cancels = new Set<() => void>();
  #hasEnded = false;

  constructor(readonly world: VirtualClock) {}

  now(): number {
    return this.world.now();
  }

  random(): number {
    return this.world.random();
  }

  schedule(ms: number, callback: () => void): () => void {
    if (this.#hasEnded) return () => {};
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
    this.#hasEnded = true;
    for (const cancel of this.#cancels) cancel();
    this.#cancels.clear();
  }
}
