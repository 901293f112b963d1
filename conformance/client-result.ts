import type { ResultKind } from "./client-call.js";
import { arrayAt, isObject, numberAt, objectAt, stringAt } from "./json.js";
import { identifierOf } from "./operation.js";

/** What a recorded body says, member by member, against what the client made of it. Each difference is a line without values. */
export function compareResult(kind: ResultKind, result: unknown, body: unknown): string[] {
  switch (kind) {
    case "nothing":
      return result === undefined ? [] : ["a result where nothing was answered"];
    case "verified":
      return isObject(body) && result === body.value ? [] : ["value"];
    case "backup":
      return result === stringAt(body, "value") ? [] : ["value"];
    case "cryptography":
      return differences(result, {
        value: stringAt(body, "value"),
        keyId: stringAt(body, "kid"),
        iv: stringAt(body, "iv"),
      });
    case "rotationPolicy":
      return differences(result, rotationPolicyIn(body));
    case "list":
      return compareList(result, arrayAt(body, "value"));
    default:
      return differences(result, bundleIn(body));
  }
}

function compareList(result: unknown, items: unknown[]): string[] {
  if (!Array.isArray(result)) return ["no list"];
  if (result.length !== items.length) return [`${result.length} items for ${items.length}`];
  return items.flatMap((item, index) =>
    differences(result[index], bundleIn(item)).map((path) => `item ${index}: ${path}`),
  );
}

/** Everything that a key, a secret, a deleted one or a line of a list says. */
function bundleIn(body: unknown): Record<string, unknown> {
  const key = isObject(body) && isObject(body.key) ? body.key : undefined;
  const id = stringAt(key, "kid") ?? stringAt(body, "id") ?? stringAt(body, "kid") ?? "";
  const identifier = identifierOf(id);
  const attributes = objectAt(body, "attributes");
  const days = memberOf(attributes, "recoverableDays");
  return {
    id,
    name: identifier?.name,
    version: identifier?.version,
    ...(key === undefined ? {} : keyIn(key)),
    value: stringAt(body, "value"),
    contentType: stringAt(body, "contentType"),
    keyId: stringAt(body, "id") === undefined ? undefined : stringAt(body, "kid"),
    enabled: attributes.enabled ?? true,
    notBefore: dateIn(attributes, "nbf"),
    expiresOn: dateIn(attributes, "exp"),
    createdOn: dateIn(attributes, "created"),
    updatedOn: dateIn(attributes, "updated"),
    recoveryLevel: memberOf(attributes, "recoveryLevel") ?? undefined,
    recoverableDays: days ?? undefined,
    exportable: stringAt(body, "id") === undefined ? (attributes.exportable ?? undefined) : undefined,
    hsmPlatform: stringAt(body, "id") === undefined ? stringAt(attributes, "hsmPlatform") : undefined,
    tags: objectAt(body, "tags"),
    managed: isObject(body) && body.managed === true,
    recoveryId: stringAt(body, "recoveryId"),
    deletedOn: dateIn(body, "deletedDate"),
    scheduledPurgeDate: dateIn(body, "scheduledPurgeDate"),
  };
}

function keyIn(key: Record<string, unknown>): Record<string, unknown> {
  const numbers = ["kty", "n", "e", "crv", "x", "y"].flatMap((member) =>
    typeof key[member] === "string" ? [[member, key[member]] as const] : [],
  );
  return {
    keyType: key.kty,
    curve: stringAt(key, "crv"),
    keyOps: Array.isArray(key.key_ops) ? key.key_ops : undefined,
    publicKey: Object.fromEntries(numbers),
  };
}

function rotationPolicyIn(body: unknown): Record<string, unknown> {
  const id = stringAt(body, "id");
  const attributes = objectAt(body, "attributes");
  // An HSM that was never given a policy says so with an empty id and empty dates.
  const set = id !== "";
  return {
    id: id === "" ? undefined : id,
    expiryTime: stringAt(attributes, "expiryTime") || undefined,
    createdOn: set ? dateIn(attributes, "created") : undefined,
    updatedOn: set ? dateIn(attributes, "updated") : undefined,
    lifetimeActions: arrayAt(body, "lifetimeActions").map((entry) => {
      const type = stringAt(objectAt(entry, "action"), "type")?.toLowerCase();
      const trigger = Object.entries(objectAt(entry, "trigger")).filter(([, value]) => typeof value === "string");
      return { action: type === "rotate" ? "Rotate" : "Notify", ...Object.fromEntries(trigger) };
    }),
  };
}

function memberOf(members: Record<string, unknown>, name: string): unknown {
  return Object.entries(members).find(([found]) => found.toLowerCase() === name.toLowerCase())?.[1];
}

function dateIn(value: unknown, member: string): string | undefined {
  const seconds = numberAt(value, member);
  return seconds === undefined ? undefined : new Date(seconds * 1000).toISOString();
}

/** Names of the members that differ. Absent and undefined are the same; order of members does not matter. */
function differences(result: unknown, expected: Record<string, unknown>): string[] {
  if (!isObject(result)) return ["no object"];
  return Object.keys(expected).filter((member) => canonical(result[member]) !== canonical(expected[member]));
}

function canonical(value: unknown): string {
  return JSON.stringify(value, (_, inner: unknown) =>
    isObject(inner) ? Object.fromEntries(Object.entries(inner).sort(([a], [b]) => (a < b ? -1 : 1))) : inner,
  );
}
