import { tell } from "./progress.js";

const FIRST_WORD_AFTER_MS = 3_000;

/** One line every few seconds of a work of many steps, and none at its end. */
export class ProgressLine {
  readonly #total: number;
  readonly #everyMs: number;
  readonly #now: () => number;
  readonly #line: (done: number, elapsedMs: number) => string;
  readonly #start: number;
  #done = 0;
  #nextWord = FIRST_WORD_AFTER_MS;

  constructor(
    total: number,
    { everyMs, now, line }: { everyMs: number; now: () => number; line(done: number, elapsedMs: number): string },
  ) {
    this.#total = total;
    this.#everyMs = everyMs;
    this.#now = now;
    this.#line = line;
    this.#start = now();
  }

  step(): void {
    this.#done++;
    const elapsed = this.#now() - this.#start;
    if (elapsed < this.#nextWord || this.#done === this.#total) return;
    tell(this.#line(this.#done, elapsed));
    this.#nextWord = elapsed + this.#everyMs;
  }
}
