import { invalidProperties } from "./service-error.js";

/** A rule for one JSON value: the value it lets through, or `undefined` for "does not fit". */
export interface Shape<T> {
  readonly check: (value: unknown) => { readonly value: T } | undefined;
  /** An absent (or null) member is fine: the service reads null as "not sent". */
  readonly optional?: true;
}

type Members = Record<string, Shape<unknown>>;
type OptionalNames<M extends Members> = {
  [K in keyof M]: M[K] extends { readonly optional: true } ? K : never;
}[keyof M];
type Simplify<T> = { [K in keyof T]: T[K] };

/** What a `record({...})` shape lets through. */
export type Shaped<M extends Members> = Simplify<
  { [K in Exclude<keyof M, OptionalNames<M>>]: M[K] extends Shape<infer T> ? T : never } & {
    [K in OptionalNames<M>]?: M[K] extends Shape<infer T> ? T : never;
  }
>;

export type ShapeOf<S> = S extends Shape<infer T> ? T : never;

export const isRecord = (value: unknown): value is Record<string, unknown> =>
  typeof value === "object" && value !== null && !Array.isArray(value);

export function text(maximum = Number.POSITIVE_INFINITY): Shape<string> {
  return { check: (value) => (typeof value === "string" && value.length <= maximum ? { value } : undefined) };
}

export function flag(): Shape<boolean> {
  return { check: (value) => (typeof value === "boolean" ? { value } : undefined) };
}

export function integer(minimum: number, maximum: number): Shape<number> {
  return {
    check: (value) =>
      typeof value === "number" && Number.isInteger(value) && value >= minimum && value <= maximum
        ? { value }
        : undefined,
  };
}

/** Seconds since 1970; the service's largest date is 9999-12-31. */
export const instant = () => integer(0, 253_402_300_799);

export function oneOf<T extends string>(...values: readonly T[]): Shape<T> {
  return {
    check: (value) => {
      const found = values.find((each) => each === value);
      return found === undefined ? undefined : { value: found };
    },
  };
}

export function list<T>(item: Shape<T>): Shape<T[]> {
  return {
    check: (value) => {
      if (!Array.isArray(value)) return undefined;
      const out: T[] = [];
      for (const each of value) {
        const checked = item.check(each);
        if (checked === undefined) return undefined;
        out.push(checked.value);
      }
      return { value: out };
    },
  };
}

/** String to string, with limits on how many and how long. */
export function tagMap(maximumLength: number): Shape<Record<string, string>> {
  return {
    check: (value) => {
      if (!isRecord(value)) return undefined;
      const entries = Object.entries(value);
      if (entries.length > 15) return undefined;
      const out: Record<string, string> = {};
      for (const [name, tag] of entries) {
        if (typeof tag !== "string" || name.length > maximumLength || tag.length > maximumLength) return undefined;
        Object.defineProperty(out, name, { value: tag, enumerable: true, writable: true, configurable: true });
      }
      return { value: out };
    },
  };
}

/** Any JSON object, looked at later by rules of its own. */
export function anyRecord(): Shape<Record<string, unknown>> {
  return { check: (value) => (isRecord(value) ? { value } : undefined) };
}

export function optional<T>(shape: Shape<T>): Shape<T> & { readonly optional: true } {
  return { check: shape.check, optional: true };
}

/** Members by name; others are ignored, as the service ignores what it does not know. */
export function record<M extends Members>(members: M): Shape<Shaped<M>> & { readonly members: M } {
  return {
    members,
    check: (value) => {
      const { out, bad } = checkMembers(members, value);
      return bad === 0 ? { value: out as Shaped<M> } : undefined;
    },
  };
}

function checkMembers(members: Members, value: unknown): { out: Record<string, unknown>; bad: number } {
  const out: Record<string, unknown> = {};
  if (!isRecord(value)) return { out, bad: 1 };
  let bad = 0;
  for (const [name, shape] of Object.entries(members)) {
    const given = Object.hasOwn(value, name) ? value[name] : undefined;
    if (given === undefined || given === null) {
      if (shape.optional !== true) bad += 1;
      continue;
    }
    const checked = shape.check(given);
    if (checked === undefined) bad += 1;
    else out[name] = checked.value;
  }
  return { out, bad };
}

/**
 * The value as its rules want it.
 *
 * @throws ServiceError 400 with one sentence per offending member, as the service has it.
 */
export function conform<M extends Members>(
  shape: Shape<Shaped<M>> & { readonly members: M },
  value: unknown,
): Shaped<M> {
  const { out, bad } = checkMembers(shape.members, value);
  if (bad > 0) throw invalidProperties(bad);
  return out as Shaped<M>;
}
