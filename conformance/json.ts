/** A JSON object whose members are not known yet. */
export type JsonObject = Record<string, unknown>;

export function isObject(value: unknown): value is JsonObject {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

/** The member if it is an object, else an empty one. */
export function objectAt(value: unknown, member: string): JsonObject {
  const inner = isObject(value) ? value[member] : undefined;
  return isObject(inner) ? inner : {};
}

export function stringAt(value: unknown, member: string): string | undefined {
  const inner = isObject(value) ? value[member] : undefined;
  return typeof inner === "string" ? inner : undefined;
}

export function numberAt(value: unknown, member: string): number | undefined {
  const inner = isObject(value) ? value[member] : undefined;
  return typeof inner === "number" ? inner : undefined;
}

export function arrayAt(value: unknown, member: string): unknown[] {
  const inner = isObject(value) ? value[member] : undefined;
  return Array.isArray(inner) ? inner : [];
}

/** `error.code`, `error.innererror.code` and message of an answer; members that are absent stay undefined. */
export interface ErrorAnswer {
  code: string | undefined;
  innerCode: string | undefined;
  message: string;
}

export function errorOf(body: unknown): ErrorAnswer | undefined {
  if (!isObject(body) || !isObject(body.error)) return undefined;
  const error = body.error;
  return {
    code: stringAt(error, "code"),
    innerCode: stringAt(objectAt(error, "innererror"), "code"),
    message: stringAt(error, "message") ?? "",
  };
}
