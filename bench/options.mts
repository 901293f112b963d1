import { basename } from "node:path";
import { type ParseArgsOptionsConfig, parseArgs } from "node:util";

/** The options of a benchmark. What is wrong with them ends it with one line. */
export function optionsOf<T extends ParseArgsOptionsConfig>(options: T) {
  try {
    return parseArgs({ options }).values;
  } catch (error) {
    return refuse(error instanceof Error ? (error.message.split(/[.\n]/, 1)[0] ?? "") : String(error));
  }
}

/** `100,500` of an option. */
export function countsOf(option: string, text: string): number[] {
  const counts = text.split(",");
  const wrong = counts.filter((count) => !/^[1-9]\d{0,6}$/.test(count));
  if (wrong.length > 0) refuse(`${option} takes numbers of 1 and more, and not ${JSON.stringify(wrong[0])}`);
  return counts.map(Number);
}

export function countOf(option: string, text: string): number {
  const [count = 0, ...more] = countsOf(option, text);
  if (more.length > 0) refuse(`${option} takes one number`);
  return count;
}

/** `floor,keys` of an option. */
export function namesOf<N extends string>(option: string, text: string, known: readonly N[]): N[] {
  const isKnown = (name: string): name is N => known.some((each) => each === name);
  const names = text.split(",");
  const unknown = names.filter((name) => !isKnown(name));
  if (unknown.length > 0) refuse(`${option} takes ${known.join(", ")}, and not ${JSON.stringify(unknown[0])}`);
  return names.filter(isKnown);
}

export function refuse(what: string): never {
  console.error(`${basename(process.argv[1] ?? "bench")}: ${what}`);
  process.exit(2);
}
