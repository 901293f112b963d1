import { z } from "zod";
import { KeyVaultError } from "../errors.js";

/** An answer does not fit its schema. The message holds paths and issue codes only, since values may be secret. */
export class WireMismatch extends Error {
  override readonly name = "WireMismatch";
}

/** To make code of a schema takes some milliseconds, and saves one or two thousandths of one each time that it reads. */
const READS_WORTH_CODE = 2_000;

/** The schema of an answer, or of a line of one, which many have: once it has read often, by code that zod makes of it. What does not fit comes back to the schema. */
export class AnswerSchema<T> {
  #schema: z.ZodType<T>;
  #reads = 0;

  constructor(schema: z.ZodType<T>) {
    this.#schema = schema;
  }

  safeParse(value: unknown): z.ZodSafeParseResult<T> {
    if (this.#reads < READS_WORTH_CODE && ++this.#reads === READS_WORTH_CODE) this.#schema = z.compile(this.#schema);
    return this.#schema.safeParse(value);
  }
}

/** Passes what came from outside through a schema. */
export function decodeWire<T>(schema: AnswerSchema<T>, value: unknown): T {
  const result = schema.safeParse(value);
  if (result.success) return result.data;
  const problems = result.error.issues.map((issue) => `${issue.path.map(String).join(".") || "(root)"}: ${issue.code}`);
  throw new WireMismatch([...new Set(problems)].slice(0, 10).join(", "));
}

/**
 * Passes what goes out through a schema, backwards.
 *
 * @throws KeyVaultError `KV_INVALID_INPUT`, with paths only: values may be secret
 */
export function encodeWire<S extends z.ZodType>(schema: S, value: z.output<S>): z.input<S> {
  const result = z.safeEncode(schema, value);
  if (result.success) return result.data;
  const members = [...new Set(result.error.issues.map((issue) => issue.path.map(String).join(".") || "it"))].slice(
    0,
    10,
  );
  throw new KeyVaultError("KV_INVALID_INPUT", `${members.join(", ")} cannot be sent`, {
    hint: "dates lie between 1970 and the end of the year 9999.",
  });
}

/** The last second of the year 9999: beyond it dates have another form, and soon none. */
const LAST_SECOND = 253_402_300_799;

/** Whole seconds since the epoch on the wire, a Date here. 0 is a value. */
export const epochSeconds = z.codec(z.number().min(0).max(LAST_SECOND), z.date(), {
  decode: (seconds) => new Date(seconds * 1000),
  encode: (date) => Math.floor(date.getTime() / 1000),
});

type Present<T> = { [K in keyof T]?: NonNullable<T[K]> };

/** Leaves out what is undefined or null: what is absent on one side is absent, not null, on the other. */
export function present<T extends object>(members: T): Present<T> {
  const kept: Present<T> = {};
  for (const name in members) {
    const value = members[name];
    if (value !== undefined && value !== null) kept[name] = value;
  }
  return kept;
}
