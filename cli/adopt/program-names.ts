import type { AdoptedResource } from "./adopted-resource.js";
import type { NamedResource } from "./import-file.js";

const RESERVED = new Set(
  (
    "arguments await break case catch class const continue debugger default delete do else enum eval export extends " +
    "false finally for function if implements import in instanceof interface keyvault let new null package private " +
    "protected public return static super switch this throw true try typeof undefined var vaultUrl void while with yield " +
    "any as async from get global globalThis module number object of process require set string symbol type unknown exports"
  ).split(" "),
);

/**
 * Names resources after their objects. Constants of the program are camel case; where two objects come to the same
 * one (a key and a secret, or `a-b` and `aB`), the later ones say what they are, and then which.
 */
export function nameResources(
  resources: readonly AdoptedResource[],
  isTaken: (type: string, resourceName: string) => boolean,
): NamedResource[] {
  const identifiers = new Set(RESERVED);
  const resourceNames = new Set<string>();
  return resources.map((resource) => {
    const isFree = (name: string): boolean =>
      !isTaken(resource.type, name) && !resourceNames.has(`${resource.type} ${name}`);
    const resourceName = firstFree(resource.name, isFree, (name, count) => `${name}-${count}`);
    resourceNames.add(`${resource.type} ${resourceName}`);
    const identifier = identifierFor(resource, identifiers);
    identifiers.add(identifier);
    return { resource, resourceName, identifier };
  });
}

function identifierFor({ name, className }: AdoptedResource, taken: ReadonlySet<string>): string {
  const words = name.replace(/[^0-9A-Za-z]+/g, "-");
  const camel = words.replace(/-+$/, "").replace(/-+(.)/g, (_dashes, next: string) => next.toUpperCase());
  const lower = camel.replace(/^[A-Z]+(?![a-z])|^[A-Z]/, (capitals) => capitals.toLowerCase());
  const plain = /^[a-z]/i.test(lower) ? lower : `${className.toLowerCase()}${camel}`;
  const typed = plain.endsWith(className) ? plain : `${plain}${className}`;
  if (!taken.has(plain)) return plain;
  return firstFree(
    typed,
    (candidate) => !taken.has(candidate),
    (candidate, count) => `${candidate}${count}`,
  );
}

function firstFree(
  name: string,
  isFree: (candidate: string) => boolean,
  numbered: (name: string, count: number) => string,
): string {
  if (isFree(name)) return name;
  for (let count = 2; ; count += 1) {
    const candidate = numbered(name, count);
    if (isFree(candidate)) return candidate;
  }
}
