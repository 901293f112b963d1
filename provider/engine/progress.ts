import { AsyncLocalStorage } from "node:async_hooks";
import { printableText } from "../keyvault/printable-text.js";

export type Teller = (line: string) => void;

/** Hears what is told, and tells it on by `teller` where that is due. */
type Sieve = (line: string, teller: Teller) => void;

const sieves = new AsyncLocalStorage<Sieve>();

/** The engine shows what a provider writes to its standard output as information. */
const toStandardOutput: Teller = (line) => {
  process.stdout.write(`${line}\n`);
};

const toStandardError: Teller = (line) => {
  process.stderr.write(`${line}\n`);
};

let teller = toStandardOutput;
let warner = toStandardError;

/**
 * Tells the user of a run something that is no error: a long wait, a key that is gone. It may name what a vault says, such as
 * the owner in a tag, which neither a terminal nor a build agent is to obey.
 */
export function tell(line: string): void {
  sifted(line, teller);
}

/** The same for what is wrong with a run though it goes on. What a program itself prints is its own: on standard error. */
export function warn(line: string): void {
  sifted(line, warner);
}

function sifted(line: string, way: Teller): void {
  const sieve = sieves.getStore();
  const text = printableText(line);
  if (sieve === undefined) way(text);
  else sieve(text, way);
}

/** Has all that is told in the course of some work pass a sieve. */
export function throughSieve<T>(sieve: Sieve, work: () => Promise<T>): Promise<T> {
  return sieves.run(sieve, work);
}

/**
 * Has all that is told go another way: to the engine's own log, where a provider has a line to it.
 *
 * @param otherWarner where warnings go, each of which is given once.
 */
export function tellThrough(other: Teller = toStandardOutput, otherWarner: Teller = toStandardError): void {
  teller = other;
  warner = otherWarner;
}

/** `1 min 05 s` of milliseconds. */
export function formatElapsed(ms: number): string {
  const seconds = Math.floor(ms / 1000);
  return seconds < 60 ? `${seconds} s` : `${Math.floor(seconds / 60)} min ${String(seconds % 60).padStart(2, "0")} s`;
}
