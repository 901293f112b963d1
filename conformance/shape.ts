import { isDeepStrictEqual } from "node:util";
import { isAddedSince, isToleratedAbsence } from "./builds.js";
import type { Correspondence } from "./correspondence.js";
import { identifierIn } from "./evidence.js";
import { arrayAt, isObject, type JsonObject, numberAt, objectAt, stringAt } from "./json.js";
import { identifierOf } from "./operation.js";
import type { Step } from "./scenario.js";

/** What a comparison needs to know besides the two bodies. */
export interface ShapeContext {
  step: Step;
  plane: "vault" | "managedhsm";
  correspondence: Correspondence;
  /** Public numbers and dates seen so far, recorded to emulated. */
  numbers: Map<string, string | number>;
}

/** What recorders wrote in place of a value. */
const placeholder = /^(SECRET_VALUE|Sanitized|REDACTED|redacted|\*+|fakeValue)$/i;
/** MHSM default operations by key type; the second set is what newer builds say. */
const hsmDefaults: { kty: RegExp; older: string[]; newer: string[] }[] = [
  { kty: /^EC/, older: ["sign", "verify"], newer: ["sign", "verify", "deriveKey"] },
  {
    kty: /^oct/i,
    older: ["encrypt", "decrypt", "wrapKey", "unwrapKey"],
    newer: ["encrypt", "decrypt", "wrapKey", "unwrapKey", "sign", "verify", "deriveKey"],
  },
];

/** Compares a body of success with the recorded one. @returns what differs, a line each. */
export function compareShape(recorded: unknown, emulated: unknown, context: ShapeContext): string[] {
  if (recorded === null || recorded === undefined || recorded === "" || isDeepStrictEqual(recorded, [])) {
    return emulated === undefined || emulated === "" ? [] : ["body: the emulator sent one, the service did not"];
  }
  if (!isObject(recorded)) return [`body: the recording holds ${typeof recorded}`];
  if (!isObject(emulated)) return ["body: no JSON object"];
  return [
    ...compareObjects("", recorded, emulated, context),
    ...compareCreation(recorded, emulated, context),
    ...relations(recorded, emulated),
  ];
}

function compareObjects(path: string, recorded: JsonObject, emulated: JsonObject, context: ShapeContext): string[] {
  const differences: string[] = [];
  for (const member of Object.keys(recorded)) {
    const at = path === "" ? member : `${path}.${member}`;
    if (!(member in emulated)) {
      if (!isToleratedAbsence(at, context.step)) differences.push(`${at}: missing`);
      continue;
    }
    differences.push(...compareMember(at, member, recorded, emulated, context));
  }
  for (const member of Object.keys(emulated)) {
    const at = path === "" ? member : `${path}.${member}`;
    if (member in recorded) continue;
    if (isAddedSince(at, context.step, context.plane, recorded)) continue;
    differences.push(`${at}: not in the recording`);
  }
  return differences;
}

function compareMember(
  at: string,
  member: string,
  recordedIn: JsonObject,
  emulatedIn: JsonObject,
  context: ShapeContext,
): string[] {
  const recorded = recordedIn[member];
  const emulated = emulatedIn[member];
  const { step } = context;
  const wrong = (text: string) => [`${at}: ${text}`];
  if (jsonType(recorded) !== jsonType(emulated)) {
    if (recorded === null && step.operation.kind === "getRotationPolicy" && step.apiVersion === "7.3-preview")
      return [];
    return wrong(`is ${jsonType(emulated)}, was ${jsonType(recorded)}`);
  }
  const exact = () =>
    isDeepStrictEqual(recorded, emulated)
      ? []
      : wrong(`is ${JSON.stringify(emulated)}, was ${JSON.stringify(recorded)}`);
  switch (member) {
    case "kid":
    case "id":
    case "recoveryId": {
      const difference = compareIds(String(recorded), String(emulated), context);
      return difference === undefined ? [] : wrong(difference);
    }
    // A build of 2022 wrote the exponent of hardware keys with its leading zero.
    case "e":
      return integerOf(recorded) === integerOf(emulated) ? [] : exact();
    // Which generation of hardware keeps a hardware key is the region's business.
    case "hsmPlatform":
      return (recorded === "0") === (emulated === "0") ? [] : exact();
    case "exportable":
      return isRestoredQuirk(recorded, step, context) ? [] : exact();
    // What hardware says of itself cannot be foretold.
    case "attestation":
      return isDeepStrictEqual(typesOf(recorded), typesOf(emulated)) ? [] : wrong("has other members");
    case "tags":
    case "lifetimeActions":
      return exact();
    case "key_ops":
      return compareOperations(at, recordedIn, emulatedIn, context);
    case "n":
    case "x":
    case "y":
      return comparePublicNumber(at, String(recorded), String(emulated), context);
    case "value":
      if (typeof recorded !== "string") return exact();
      return compareValue(at, String(recorded), String(emulated), context);
    case "iv":
    case "tag":
      return String(emulated).length === String(recorded).length ? [] : wrong("has another length");
    case "created":
    case "deletedDate":
      return compareDate(at, Number(recorded), Number(emulated), recordedIn, context);
    case "updated":
    case "scheduledPurgeDate":
    case "exp":
    case "nbf":
      return Number.isInteger(emulated) ? [] : wrong("is not in whole seconds");
    case "release_policy":
      return compareReleasePolicy(at, recorded, emulated);
    default:
      break;
  }
  if (isObject(recorded) && isObject(emulated)) return compareObjects(at, recorded, emulated, context);
  return exact();
}

const integerOf = (number: unknown) => Buffer.from(String(number), "base64url").toString("hex").replace(/^0+/, "");

/** MHSM builds of early 2023 called every restored key exportable; those of late 2023 do not. */
function isRestoredQuirk(recorded: unknown, step: Step, context: ShapeContext): boolean {
  return (
    recorded === true &&
    context.plane === "managedhsm" &&
    !("release_policy" in objectAt(step.exchange.response, "body"))
  );
}

const typesOf = (value: unknown) =>
  Object.entries(isObject(value) ? value : {})
    .map(([name, member]) => `${name} ${jsonType(member)}`)
    .sort();

const jsonType = (value: unknown) => (value === null ? "null" : Array.isArray(value) ? "array" : typeof value);

function compareIds(recorded: string, emulated: string, context: ShapeContext): string | undefined {
  const policy = /^(https?:\/\/[^/]+\/)?(.*\/rotationpolicy)$/.exec(recorded);
  if (policy === null && recorded !== "") return context.correspondence.compareIdentifiers(recorded, emulated);
  const other = /^(https?:\/\/[^/]+\/)?(.*\/rotationpolicy)$/.exec(emulated);
  if (policy?.[2] !== other?.[2]) return `is ${other?.[2] ?? JSON.stringify(emulated)}`;
  return (policy?.[1] === undefined) === (other?.[1] === undefined) ? undefined : "is relative only on one side";
}

function compareOperations(at: string, recorded: JsonObject, emulated: JsonObject, context: ShapeContext): string[] {
  const wanted = arrayAt(recorded, "key_ops").map(String);
  const found = arrayAt(emulated, "key_ops").map(String);
  const text = `${at}: is [${found}], was [${wanted}]`;
  if (context.plane === "vault") return isDeepStrictEqual(wanted, found) ? [] : [text];
  const same = (a: string[], b: string[]) => isDeepStrictEqual([...a].sort(), [...b].sort());
  if (same(wanted, found)) return [];
  const defaults = hsmDefaults.find(({ kty }) => kty.test(stringAt(recorded, "kty") ?? ""));
  if (defaults !== undefined && same(wanted, defaults.older) && same(found, defaults.newer)) return [];
  return [text];
}

/** Numbers that the recording imports come back as sent; others have the recorded length and stay what they are. */
function comparePublicNumber(at: string, recorded: string, emulated: string, context: ShapeContext): string[] {
  const known = context.numbers.get(recorded);
  if (known !== undefined) return known === emulated ? [] : [`${at}: is not the public number that it was before`];
  context.numbers.set(recorded, emulated);
  const member = at.split(".").at(-1) ?? "";
  const sent = stringAt(objectAt(context.step.exchange.request.body, "key"), member);
  if (sent === recorded && context.step.operation.kind === "import") {
    const expected = context.correspondence.value(recorded) ?? recorded;
    return emulated === expected ? [] : [`${at}: is not what was imported`];
  }
  // Coordinates of the service's own making have the width of their field; others come from an unrecorded import.
  if (member !== "n" && !fieldWidths.has(recorded.length)) return [];
  // A transfer blob says nothing of how the service will write the modulus that is in it: with a sign byte or without.
  const isTransferred = member === "n" && sent === undefined && context.step.operation.kind === "import";
  const lengthOf = (number: string) => (isTransferred ? integerOf(number).length : number.length);
  return lengthOf(emulated) === lengthOf(recorded)
    ? []
    : [`${at}: has ${emulated.length} characters, not ${recorded.length}`];
}

/** Characters of a coordinate of P-256, P-384 and P-521. */
const fieldWidths = new Set([43, 64, 88]);

function compareValue(at: string, recorded: string, emulated: string, context: ShapeContext): string[] {
  const { operation, exchange } = context.step;
  const { correspondence } = context;
  if (operation.kind === "backup") return compareBlobs(at, recorded, emulated, context);
  if (operation.kind === "random") {
    return emulated.length === recorded.length ? [] : [`${at}: has another length`];
  }
  if (operation.kind === "crypto") {
    if (/^(decrypt|unwrapkey)$/i.test(operation.action ?? "")) {
      return recorded === emulated ? [] : [`${at}: is not what was encrypted`];
    }
    correspondence.bindValue(recorded, emulated);
    return emulated.length === recorded.length
      ? []
      : [`${at}: has ${emulated.length} characters, not ${recorded.length}`];
  }
  const sent = stringAt(exchange.request.body, "value");
  if (placeholder.test(recorded) || placeholder.test(sent ?? "")) return [];
  if (operation.kind === "release") return [];
  return recorded === emulated ? [] : [`${at}: is another value`];
}

/** The container's readable head is the same; what follows is opaque. */
function compareBlobs(at: string, recorded: string, emulated: string, context: ShapeContext): string[] {
  context.correspondence.bindValue(recorded, emulated);
  if (/[^0-9A-Za-z_-]/.test(emulated)) return [`${at}: is not base64url`];
  const head = (blob: string) =>
    /^[\s\S]AzureKeyVault\w+\.microsoft\.com/.exec(Buffer.from(blob, "base64url").toString("latin1"))?.[0];
  return head(recorded) === head(emulated) ? [] : [`${at}: is another container`];
}

function compareDate(
  at: string,
  recorded: number,
  emulated: number,
  within: JsonObject,
  context: ShapeContext,
): string[] {
  if (!Number.isInteger(emulated)) return [`${at}: is not in whole seconds`];
  if ((recorded === 0) !== (emulated === 0)) return [`${at}: is ${emulated}`];
  const id = stringAt(within, "recoveryId");
  if (id === undefined) return [];
  const key = `${at} ${id} ${recorded}`;
  const known = context.numbers.get(key);
  if (known !== undefined && known !== emulated) return [`${at}: changed`];
  context.numbers.set(key, emulated);
  return [];
}

/** A version was created once: what the recording always shows alike, the emulator always shows alike. */
function compareCreation(recorded: JsonObject, emulated: JsonObject, context: ShapeContext): string[] {
  const version = identifierOf(identifierIn(recorded) ?? "")?.version;
  const [was, is] = [recorded, emulated].map((body) => numberAt(objectAt(body, "attributes"), "created"));
  if (version === undefined || was === undefined || is === undefined) return [];
  const key = `created ${version} ${was}`;
  const known = context.numbers.get(key);
  context.numbers.set(key, is);
  return known === undefined || known === is ? [] : ["attributes.created: changed"];
}

function compareReleasePolicy(at: string, recorded: unknown, emulated: unknown): string[] {
  const decoded = (policy: unknown) => {
    const data = stringAt(policy, "data") ?? "";
    try {
      return asText(JSON.parse(Buffer.from(data, "base64url").toString("utf8")));
    } catch {
      return data;
    }
  };
  const members = (policy: unknown) => Object.keys(isObject(policy) ? policy : {}).sort();
  if (!isDeepStrictEqual(members(recorded), members(emulated))) {
    return [`${at}: has [${members(emulated)}], not [${members(recorded)}]`];
  }
  return isDeepStrictEqual(decoded(recorded), decoded(emulated)) ? [] : [`${at}.data: is another policy`];
}

/** Builds differ in whether a claim is compared with a value or with its text. */
function asText(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(asText);
  if (isObject(value)) return Object.fromEntries(Object.entries(value).map(([name, member]) => [name, asText(member)]));
  return typeof value === "boolean" || typeof value === "number" ? String(value) : value;
}

/** Distances between dates that mean something: retention, and an expiry that the service chose. */
function relations(recorded: JsonObject, emulated: JsonObject): string[] {
  const differences: string[] = [];
  const retention = (body: JsonObject) =>
    (numberAt(body, "scheduledPurgeDate") ?? 0) - (numberAt(body, "deletedDate") ?? 0);
  if (retention(recorded) !== retention(emulated)) {
    differences.push(`scheduledPurgeDate: ${retention(emulated)} s after the deletion, not ${retention(recorded)} s`);
  }
  for (const member of ["exp", "nbf"]) {
    const wanted = numberAt(objectAt(recorded, "attributes"), member);
    const found = numberAt(objectAt(emulated, "attributes"), member);
    if (wanted === undefined || found === undefined || wanted === found) continue;
    const age = (body: JsonObject, at: number) => at - (numberAt(objectAt(body, "attributes"), "created") ?? 0);
    if (age(recorded, wanted) !== age(emulated, found)) {
      differences.push(
        `attributes.${member}: ${age(emulated, found)} s after the creation, not ${age(recorded, wanted)} s`,
      );
    }
  }
  return differences;
}
