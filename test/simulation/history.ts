import fc from "fast-check";

/** What goes wrong with one request of a run: nothing else in it does. */
export const MISHAPS = [
  "lost before",
  "lost after",
  "late",
  "503 after",
  "throttled",
  "forbidden",
  "killed before",
  "killed after",
] as const;

export interface Trouble {
  mishap: (typeof MISHAPS)[number];
  /** Which request of the run it hits, the first one being 0. */
  at: number;
}

/** One run of the engine on a program, or what somebody else does between two. */
export type Step =
  | {
      do: "change" | "tag" | "again" | "drop" | "replace" | "rename" | "refresh";
      trouble?: Trouble | undefined;
      isStateLost?: boolean;
    }
  | { do: "foreign write"; isMarked: boolean; isSameValue: boolean }
  | { do: "foreign delete" };

const trouble = fc.option(fc.record({ mishap: fc.constantFrom(...MISHAPS), at: fc.nat(7) }), { nil: undefined });

const run = fc.record({
  do: fc.constantFrom("change", "change", "change", "tag", "again", "drop", "replace", "rename", "refresh"),
  trouble,
  isStateLost: fc.integer({ min: 0, max: 9 }).map((dice) => dice === 0),
});

const foreign = fc.record({
  do: fc.constant("foreign write" as const),
  isMarked: fc.boolean(),
  isSameValue: fc.boolean(),
});

export const history: fc.Arbitrary<Step[]> = fc.array(
  fc.oneof(
    { weight: 9, arbitrary: run as fc.Arbitrary<Step> },
    { weight: 1, arbitrary: foreign as fc.Arbitrary<Step> },
    { weight: 1, arbitrary: fc.constant<Step>({ do: "foreign delete" }) },
  ),
  { minLength: 1, maxLength: 8 },
);
