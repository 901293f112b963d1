import type { z } from "zod";
import { KeyVaultError } from "../keyvault/errors.js";
import type { Properties } from "./lifecycle.js";

/** Whose state is read, and what to do where it cannot be. */
export interface StateOfResource {
  /** For a message: `the KeyBackup of key "orders" in https://v.vault.azure.net`. */
  resource: string;
  /** Such as `take the backup anew: pulumi up --replace with its URN`. */
  remedy: string;
}

/** As many as a person reads. */
const MOST_TOLD = 5;

/**
 * Reads what stands in state, or what `check` handed on, through a schema. Schemas are loose objects, so that members
 * of a later version stay, and stand in modules that are loaded with the first call that needs them: zod takes some
 * 40 ms to load, which `check` and `diff` never wait for.
 *
 * @throws KeyVaultError `KV_INVALID_INPUT` that names members and never values: state holds secrets.
 */
export function readState<S extends z.ZodType>(
  schema: S,
  properties: Properties,
  { resource, remedy }: StateOfResource,
): z.output<S> {
  const there = Object.entries(properties).filter(([, value]) => value !== undefined);
  const result = schema.safeParse(Object.fromEntries(there));
  if (result.success) return result.data;
  const problems = [...new Set(result.error.issues.map((issue) => problemOf(issue, properties)))];
  const told = problems.slice(0, MOST_TOLD).join(", ");
  const more = problems.length > MOST_TOLD ? ` and ${problems.length - MOST_TOLD} more` : "";
  throw new KeyVaultError("KV_INVALID_INPUT", `the state of ${resource} cannot be read (${told}${more})`, {
    hint: remedy,
  });
}

/** `covered.version is null`. */
function problemOf({ path }: z.core.$ZodIssue, properties: Properties): string {
  let found: unknown = properties;
  for (const step of path) found = memberOf(found, step);
  const is = found === undefined ? "missing" : found === null ? "null" : "malformed";
  return `${path.length === 0 ? "it" : path.map(named).join(".")} is ${is}`;
}

function memberOf(value: unknown, step: PropertyKey): unknown {
  return typeof value === "object" && value !== null && Object.hasOwn(value, step)
    ? Reflect.get(value, step)
    : undefined;
}

/** Names of members and objects. Anything else in their place may be what was not meant to be shown. */
function named(step: PropertyKey): string {
  const text = String(step);
  return /^[\w-]{1,127}$/.test(text) ? text : "…";
}

/** Members that a later version of this package has written: they stay where a refresh or an update writes state anew. */
export function membersBeyond(schema: z.ZodObject, properties: object): Properties {
  return Object.fromEntries(
    Object.entries(properties).filter(([name]) => !Object.hasOwn(schema.shape, name) && !name.startsWith("__")),
  );
}
