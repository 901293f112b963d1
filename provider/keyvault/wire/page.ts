import { z } from "zod";
import { tryParseObjectIdentifier } from "../identifier.js";
import { AnswerSchema, decodeWire, WireMismatch } from "./json.js";

/** A line of a list that cannot be read. */
export class OddLine {
  /** The name as the answer has it, valid or not; undefined where it has none. */
  readonly name: string | undefined;
  /** Paths and issue codes only, since values may be secret. */
  readonly problem: string;

  constructor(line: unknown, problem: string) {
    this.name = nameIn(line);
    this.problem = problem;
  }
}

const LONGEST_NAME = 127;

function nameIn(line: unknown): string | undefined {
  if (typeof line !== "object" || line === null) return undefined;
  const kid: unknown = "kid" in line ? line.kid : undefined;
  const id: unknown = kid ?? ("id" in line ? line.id : undefined);
  return typeof id !== "string" || id.length > 2_048
    ? undefined
    : tryParseObjectIdentifier(id)?.name.slice(0, LONGEST_NAME);
}

/** The service gives 25 at most; an emulator without paging gives all that it has. */
const MOST_ITEMS = 10_000;

/**
 * A page of a list. Old builds wrote `value: null` for an empty one; the last page has no link, a null one, or an empty one.
 *
 * A page without `value` is none: a server that is no vault must not look like an empty one.
 *
 * Its items are read when they are asked for, so that the next page can be on its way meanwhile. One that does not fit does not keep the others.
 */
export function pageOf<T>(item: AnswerSchema<T>) {
  return new AnswerSchema(
    z
      .object({
        value: z.custom<unknown[]>((value) => Array.isArray(value) && value.length <= MOST_ITEMS).nullable(),
        nextLink: z.string().max(8_192).nullish(),
      })
      .transform((page) => ({
        *items() {
          for (const line of page.value ?? []) yield decodeItem(item, line);
        },
        nextLink: page.nextLink === "" ? undefined : (page.nextLink ?? undefined),
      })),
  );
}

function decodeItem<T>(item: AnswerSchema<T>, line: unknown): T | OddLine {
  try {
    return decodeWire(item, line);
  } catch (mismatch) {
    if (mismatch instanceof WireMismatch) return new OddLine(line, mismatch.message);
    throw mismatch;
  }
}
