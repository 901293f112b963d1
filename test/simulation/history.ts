import fc from "fast-check";

/** What goes wrong with a request of a run, or from it on. */
export const MISHAPS = [
  "lost before",
  "lost after",
  "late",
  "500 before",
  "503 after",
  "504 late",
  "silence",
  "silence after",
  "throttled",
  "throttled for seconds",
  "throttling",
  "busy",
  "forbidden",
  "revoked",
  "expired token",
  "foreign answer",
  "duplicated answer",
  "page of a gateway",
  "page of a gateway after",
  "outage",
  "killed before",
  "killed after",
  "foreign act",
] as const;

export type Mishap = (typeof MISHAPS)[number];

/** What somebody else does in the vault. */
export const FOREIGN_ACTS = ["write", "write the same", "stamp", "unmark", "delete", "purge", "recover"] as const;
export type ForeignAct = (typeof FOREIGN_ACTS)[number];

export interface Trouble {
  mishap: Mishap;
  /** Which request of the run it hits, the first one being 0. */
  at: number;
  /** Of a foreign act. */
  act: ForeignAct;
  isMarked: boolean;
}

type OnDelete = "delete" | "purge" | "disable" | "retain";

export type Edit =
  | {
      edit: "add key" | "add generated" | "add secret" | "adopt" | "copy" | "restore saved";
      pick: number;
      onDelete: OnDelete;
    }
  | {
      edit:
        | "back up"
        | "content"
        | "tag"
        | "expiry"
        | "policy"
        | "drop"
        | "rename"
        | "alias"
        | "move"
        | "swap"
        | "replace"
        | "into set"
        | "out of set";
      pick: number;
    }
  | { edit: "back up vault" };

/** One run of the engine on an edited program. */
export interface Run {
  do: "up" | "up --refresh" | "refresh" | "destroy";
  edits: Edit[];
  troubles: Trouble[];
  /** Which write of state the run is killed before. */
  killedAtWrite: number | undefined;
  /** The state is that of before the run, whatever it did: a run that writes it once, at its end, was killed there. */
  isStateLost: boolean;
  continuesOnError: boolean;
}

/** What somebody else does between two runs, to one of the places. */
export interface Foreign {
  do: "foreign";
  act: ForeignAct;
  pick: number;
  isMarked: boolean;
}

export type Step = Run | Foreign;

export interface History {
  /** Of the scheduler: how long each request is on its way, and with it who comes first. */
  seed: number;
  /** Whether deletions, recoveries and purges take as long as they were recorded to take, or an instant. */
  isSlow: boolean;
  steps: Step[];
}

const pick = fc.nat(11);
const onDelete = fc.constantFrom<OnDelete>("delete", "delete", "delete", "purge", "purge", "disable", "retain");

const add = fc.record({
  edit: fc.constantFrom(
    ...(["add key", "add key", "add generated", "add secret", "add secret", "copy", "restore saved", "adopt"] as const),
  ),
  pick,
  onDelete,
});

const change = fc.record({
  edit: fc.constantFrom(
    ...([
      "content",
      "content",
      "tag",
      "expiry",
      "policy",
      "drop",
      "rename",
      "alias",
      "move",
      "swap",
      "replace",
      "back up",
      "into set",
      "into set",
      "out of set",
    ] as const),
  ),
  pick,
});

const edit: fc.Arbitrary<Edit> = fc.oneof(
  { weight: 8, arbitrary: change as fc.Arbitrary<Edit> },
  { weight: 5, arbitrary: add as fc.Arbitrary<Edit> },
  { weight: 1, arbitrary: fc.constant<Edit>({ edit: "back up vault" }) },
);

const trouble: fc.Arbitrary<Trouble> = fc.record({
  mishap: fc.constantFrom(...MISHAPS),
  at: fc.nat(24),
  act: fc.constantFrom(...FOREIGN_ACTS),
  isMarked: fc.boolean(),
});

const run: fc.Arbitrary<Step> = fc.record({
  do: fc.constantFrom(...(["up", "up", "up", "up", "up --refresh", "refresh", "destroy"] as const)),
  edits: fc.array(edit, { minLength: 0, maxLength: 3 }),
  troubles: fc.array(trouble, { maxLength: 3 }),
  killedAtWrite: fc.integer({ min: 0, max: 29 }).map((dice) => (dice < 3 ? dice : undefined)),
  isStateLost: fc.integer({ min: 0, max: 11 }).map((dice) => dice === 11),
  continuesOnError: fc.boolean(),
});

const foreign: fc.Arbitrary<Step> = fc.record({
  do: fc.constant("foreign" as const),
  act: fc.constantFrom(...FOREIGN_ACTS),
  pick,
  isMarked: fc.boolean(),
});

const beginning: fc.Arbitrary<Step> = fc.record({
  do: fc.constant("up" as const),
  edits: fc.array(add as fc.Arbitrary<Edit>, { minLength: 1, maxLength: 4 }),
  troubles: fc.array(trouble, { maxLength: 1 }),
  killedAtWrite: fc.constant(undefined),
  isStateLost: fc.constant(false),
  continuesOnError: fc.constant(false),
});

export const history: fc.Arbitrary<History> = fc.record({
  seed: fc.nat(1_000_000),
  isSlow: fc.integer({ min: 0, max: 4 }).map((dice) => dice === 4),
  steps: fc
    .tuple(
      beginning,
      fc.array(fc.oneof({ weight: 5, arbitrary: run }, { weight: 1, arbitrary: foreign }), { maxLength: 5 }),
    )
    .map(([first, rest]) => [first, ...rest]),
});
