import { refusal } from "./refusal.js";

type Maps = Record<string, unknown>;

/**
 * The inputs of a resource in a form that the SDK can carry. It writes each of them as text, too, and a map with a member
 * `toString`, or without the prototype of an object, has no text: it is given one, which nobody is sent.
 */
export function carriedMaps(resource: string, inputs: Maps): Maps {
  refuseLostTags(resource, inputs.tags);
  return Object.fromEntries(
    Object.entries(inputs).map(([name, value]) => [name, hasText(value) ? value : copied(Object(value))]),
  );
}

/** The SDK copies each map by assigning its members, and that of one name makes none. */
export function refuseLostTags(resource: string, tags: unknown): void {
  if (tags === null || typeof tags !== "object" || !Object.hasOwn(tags, "__proto__")) return;
  throw refusal(
    resource,
    "a tag `__proto__` is lost in Pulumi's SDK",
    "give it another name, or leave `tags` out of an adopted object, whose tags then stay as they are",
  );
}

function hasText(value: unknown): boolean {
  return value === null || typeof value !== "object" || typeof Reflect.get(value, "toString") === "function";
}

function copied(map: object): object {
  return Object.defineProperty({ ...map }, Symbol.toPrimitive, { value: () => "[object Object]" });
}
