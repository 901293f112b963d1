import { printableText } from "../keyvault/printable-text.js";

type Teller = (line: string) => void;

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
  teller(printableText(line));
}

/** The same for what is wrong with a run though it goes on. What a program itself prints is its own: on standard error. */
export function warn(line: string): void {
  warner(printableText(line));
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
