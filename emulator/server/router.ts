import type { Operation } from "../operation.js";
import { operations } from "../operations/index.js";
import { badParameter, methodNotAllowed, ServiceError } from "../service-error.js";

export interface Route {
  readonly operation: Operation;
  readonly name: string;
  readonly version: string | undefined;
}

interface Pattern {
  readonly operation: Operation;
  readonly parts: readonly string[];
  readonly literals: number;
}

/** By method, first segment and number of segments; those with more literals first. */
const patterns = new Map<string, Pattern[]>();
for (const operation of operations) {
  for (const path of operation.routes) {
    const parts = path.slice(1).split("/");
    const key = `${operation.method} ${parts[0]} ${parts.length}`;
    const literals = parts.filter((part) => !part.startsWith("{")).length;
    const same = patterns.get(key) ?? [];
    same.push({ operation, parts, literals });
    patterns.set(
      key,
      same.sort((left, right) => right.literals - left.literals),
    );
  }
}

const collections = new Set(["keys", "secrets", "deletedkeys", "deletedsecrets"]);
const validName = /^[0-9a-zA-Z-]{1,127}$/;

/**
 * The operation that a path and a method ask for.
 *
 * @throws ServiceError 400 or 405 as the service answers what it cannot place.
 */
export function route(plane: "vault" | "managedhsm", method: string, segments: readonly string[]): Route {
  const candidates = patterns.get(`${method} ${segments[0]?.toLowerCase()} ${segments.length}`);
  const found = candidates?.find((pattern) => pattern.operation.planes.includes(plane) && fits(pattern, segments));
  if (found === undefined) throw misplaced(plane, method, segments);
  const at = (place: string) => segments[found.parts.indexOf(place)];
  const name = at("{name}") ?? "";
  if (found.parts.includes("{name}") && !validName.test(name)) {
    throw plane === "managedhsm"
      ? badParameter("Invalid key identifier or name")
      : badParameter(`The request URI contains an invalid name: ${name}`);
  }
  return { operation: found.operation, name, version: at("{version}") };
}

function fits(pattern: Pattern, segments: readonly string[]): boolean {
  return pattern.parts.every((part, index) => part.startsWith("{") || part === segments[index]?.toLowerCase());
}

/** Words that stand after a name: where one comes first, the name before it is empty. */
const actions = new Set(
  operations.flatMap(({ routes }) =>
    routes.filter((path) => path.startsWith("/keys/{name}/")).map((path) => path.slice(path.lastIndexOf("/") + 1)),
  ),
);
const version = /^[0-9a-f]{32}$/;

/** A collection, a key or one of its versions, and not something to do with it. */
function isObjectPath(segments: readonly string[]): boolean {
  const last = segments[segments.length - 1]?.toLowerCase() ?? "";
  return segments.length < 3 ? !actions.has(last) : segments.length === 3 && version.test(last);
}

function misplaced(plane: "vault" | "managedhsm", method: string, segments: readonly string[]): ServiceError {
  const collection = segments[0]?.toLowerCase() ?? "";
  if (!collections.has(collection) || (plane === "managedhsm" && collection.endsWith("secrets"))) {
    return new ServiceError(404, "NotFound", "The emulator serves keys, secrets and their deleted forms.");
  }
  const action = segments[segments.length - 1]?.toLowerCase() ?? "";
  if (method === "POST" && plane === "managedhsm" && segments.length > 2) {
    return new ServiceError(400, "NotSupported", `action '${action}' not supported`);
  }
  if (method === "POST" && collection === "keys" && !isObjectPath(segments))
    return badParameter("Operation not specified");
  return methodNotAllowed(method);
}
