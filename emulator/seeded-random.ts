import { createHash } from "node:crypto";

/** A reproducible stream of numbers in [0, 1): the same seed gives the same emulator twice. Never used for keys or ids. */
export class SeededRandom {
  #state: number;

  constructor(seed: string | number) {
    this.#state = createHash("sha256").update(String(seed)).digest().readUInt32LE(0);
  }

  next(): number {
    // mulberry32
    this.#state = (this.#state + 0x6d2b79f5) >>> 0;
    let mixed = this.#state;
    mixed = Math.imul(mixed ^ (mixed >>> 15), mixed | 1);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 4_294_967_296;
  }
}
