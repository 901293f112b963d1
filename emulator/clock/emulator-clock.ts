/** The time of an emulator: runs with the machine's clock until it is frozen, and can be moved forward. */
export class EmulatorClock {
  #offset = 0;
  #frozenAt: number | undefined;
  readonly #source: () => number;

  /** @param source milliseconds since 1970; default `Date.now`. */
  constructor(source: () => number = Date.now) {
    this.#source = source;
  }

  /** Whole milliseconds since 1970: what is stored has no parts of them, however the clock was moved. */
  now(): number {
    return Math.floor(this.#frozenAt ?? this.#source() + this.#offset);
  }

  get frozen(): boolean {
    return this.#frozenAt !== undefined;
  }

  /** Stops the clock, where it is or at the given moment. */
  freeze(at?: number | Date): void {
    this.#frozenAt = at === undefined ? this.now() : checked(at instanceof Date ? at.getTime() : at);
  }

  /** Moves the clock forward, frozen or not. Deletions finish, keys rotate and retention ends on the way. */
  advance(milliseconds: number): void {
    const step = checked(milliseconds);
    if (this.#frozenAt !== undefined) this.#frozenAt += step;
    else this.#offset += step;
  }

  /** Lets a frozen clock run on from where it stands. */
  resume(): void {
    if (this.#frozenAt === undefined) return;
    this.#offset = this.#frozenAt - this.#source();
    this.#frozenAt = undefined;
  }
}

function checked(milliseconds: number): number {
  if (!Number.isFinite(milliseconds) || milliseconds < 0) {
    throw new RangeError("The emulator's clock takes a finite number of milliseconds that is not negative.");
  }
  return milliseconds;
}
