/** Several times the longest name. */
const LONGEST_GLOB = 1_000;

/** What a glob is matched against: a name, or a collection and a name (`keys/orders`). */
export type IsMatch = (text: string) => boolean;

/**
 * Reads a glob over names, which the vault compares without case: `*`, `?`, `[a-z]`, `[!a]`, `{a,b}`, and a leading `!` for all that the rest does not match.
 * Undefined for text that is none: a bracket that nothing closes, a range that goes down, or what no name can hold.
 *
 * Of the parts of `keys/orders` a `*` and a `?` stay in theirs, and `**` goes through both.
 *
 * @param literal what a glob may hold beside its signs. Default: what names hold.
 *
 * The time of a match is bounded by the length of glob and name, however many stars there are: all ways to read a name are followed at once.
 */
export function parseGlob(glob: string, literal = IN_NAME): IsMatch | undefined {
  if (glob.length > LONGEST_GLOB) return undefined;
  const isNegated = glob.startsWith("!");
  const steps = compile(isNegated ? glob.slice(1) : glob, literal);
  if (steps === undefined) return undefined;
  return (text) => runs(steps, text.toLowerCase()) !== isNegated;
}

/** A step of a glob: takes a character, or goes on at several places. The one behind the last is the end. */
type Step = { takes: (character: string) => boolean; next: number } | { goesTo: number[] };

const ANY_IN_NAME = (character: string): boolean => character !== "/";
const ANY = (): boolean => true;

const IN_NAME = /[0-9A-Za-z/-]/;

function compile(glob: string, literal: RegExp): Step[] | undefined {
  const steps: Step[] = [];
  let at = 0;
  const take = (takes: (character: string) => boolean): void => {
    steps.push({ takes, next: steps.length + 1 });
  };

  /** Reads up to the end, or to a comma or brace that belongs to the alternatives around. False where it is no glob. */
  const sequence = (isInside: boolean): boolean => {
    while (at < glob.length) {
      const character = glob.charAt(at);
      if (isInside && (character === "," || character === "}")) return true;
      if (!item(character)) return false;
    }
    return !isInside;
  };

  const item = (character: string): boolean => {
    if (character === "*") return star();
    if (character === "[") return characterClass();
    if (character === "{") return alternatives();
    at++;
    if (character === "?") take(ANY_IN_NAME);
    else if (literal.test(character)) {
      const wanted = character.toLowerCase();
      take((given) => given === wanted);
    } else return false;
    return true;
  };

  const star = (): boolean => {
    const from = at;
    while (glob[at] === "*") at++;
    const loop = steps.length;
    steps.push({ goesTo: [loop + 1, loop + 2] }, { takes: at - from > 1 ? ANY : ANY_IN_NAME, next: loop });
    return true;
  };

  const characterClass = (): boolean => {
    const [whole, not, members = ""] = /^\[([!^]?)([0-9A-Za-z-]+)\]/.exec(glob.slice(at)) ?? [];
    if (whole === undefined) return false;
    at += whole.length;
    const ranges = rangesOf(members);
    if (ranges === undefined) return false;
    const isIn = (given: string): boolean => ranges.some(([from, to]) => given >= from && given <= to);
    take((given) => given !== "/" && (isIn(given) || isIn(given.toUpperCase())) === (not === ""));
    return true;
  };

  const alternatives = (): boolean => {
    const fork: number[] = [];
    steps.push({ goesTo: fork });
    const ends: number[][] = [];
    do {
      at++;
      fork.push(steps.length);
      if (!sequence(true)) return false;
      const end: number[] = [];
      steps.push({ goesTo: end });
      ends.push(end);
    } while (glob[at] === ",");
    at++;
    for (const end of ends) end.push(steps.length);
    return ends.length > 1;
  };

  return sequence(false) && glob !== "" ? steps : undefined;
}

/** The ranges of `a-z0`; undefined where one goes down. */
function rangesOf(members: string): [from: string, to: string][] | undefined {
  const ranges = [...members.matchAll(/(.)-(.)|(.)/g)].map(([, from, to, only = ""]): [string, string] => [
    from ?? only,
    to ?? only,
  ]);
  return ranges.every(([from, to]) => from <= to) ? ranges : undefined;
}

/** Follows all ways at once: each step is looked at once a character. */
function runs(steps: readonly Step[], text: string): boolean {
  let places = reach(steps, [0]);
  for (const character of text) {
    const next: number[] = [];
    for (const place of places) {
      const step = steps[place];
      if (step !== undefined && "takes" in step && step.takes(character)) next.push(step.next);
    }
    if (next.length === 0) return false;
    places = reach(steps, next);
  }
  return places.has(steps.length);
}

/** Where one stands without taking a character. */
function reach(steps: readonly Step[], from: readonly number[]): Set<number> {
  const reached = new Set<number>(from);
  for (const place of reached) {
    const step = steps[place];
    if (step !== undefined && "goesTo" in step) for (const next of step.goesTo) reached.add(next);
  }
  return reached;
}
