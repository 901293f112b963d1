import { arrayAt, errorOf, isObject, type JsonObject, numberAt, objectAt, stringAt } from "./json.js";
import { identifierOf, type RecordedCollection } from "./operation.js";
import type { Step } from "./scenario.js";

/** Where an object stands. `readable` is recovered for readers, not yet for writers. */
export type Phase = "absent" | "active" | "deleting" | "deleted" | "recovering" | "readable" | "purging";

export const phases: readonly Phase[] = [
  "absent",
  "active",
  "deleted",
  "deleting",
  "recovering",
  "purging",
  "readable",
];

/** What a recorded version looked like when it was first seen. */
export interface SeenVersion {
  /** Absent where the answer names no version. */
  version: string | undefined;
  body: JsonObject;
  created: number | undefined;
  /** The answer showed it to somebody who asked for the current version. */
  isCurrent?: boolean;
  /** A refusal showed it to be disabled before any answer showed its attributes. */
  isDisabled?: boolean;
}

/** What one step says about one object: where it may have stood before, and where it stands after. */
export interface Claim {
  host: string;
  collection: RecordedCollection;
  name: string;
  before: ReadonlySet<Phase>;
  /** Undefined: where it stood. */
  after: Phase | undefined;
  seen: SeenVersion | undefined;
  /** The step itself made the version that it shows. */
  produces: boolean;
  /** The version that it made, or refused to make, is one from before the recording. */
  describes?: boolean;
  /** A version that was asked for and not found. */
  missed?: string;
}

const set = (...members: Phase[]): ReadonlySet<Phase> => new Set(members);
const anywhere = set(...phases);
const there = set("active", "readable");
/** Where an object stands that cannot be read. */
export const gone = set("absent", "deleting", "deleted", "recovering", "purging");
const notDeleted = set("absent", "active", "deleting", "recovering", "readable", "purging");

export const objectKey = (host: string, collection: RecordedCollection, name: string) =>
  `${host}|${collection}|${name.toLowerCase()}`;

/** Everything that a step says about objects, in the order in which it says it. */
export function claimsOf(step: Step): Claim[] {
  const { operation, exchange, host } = step;
  const { status, body } = exchange.response;
  if (status === 401 || status === 429 || status >= 500 || operation.kind === "none") return [];
  if (operation.kind === "list" || operation.kind === "listDeleted") {
    return status === 200 ? listed(step) : [];
  }
  const claim = (before: ReadonlySet<Phase>, after?: Phase, more: Partial<Claim> = {}): Claim[] => [
    {
      host,
      collection: operation.collection,
      name: operation.name,
      before,
      after,
      seen: undefined,
      produces: false,
      ...more,
    },
  ];
  const error = errorOf(body);
  if (error !== undefined || status >= 400) return refused(step, claim);
  const asked = operation.version === undefined && operation.kind !== "versions";
  const seen = isObject(body) ? { ...seenVersion(body), isCurrent: asked } : undefined;
  switch (operation.kind) {
    case "create":
    case "import":
    case "set":
      return [...exchangeKeyOf(step), ...claim(set("absent", "active", "purging"), "active", { seen, produces: true })];
    case "rotate":
      return claim(set("active"), "active", { seen, produces: true });
    case "restore": {
      const identifier = identifierOf(identifierIn(body) ?? "");
      return identifier === undefined
        ? []
        : claim(set("absent"), "active", { name: identifier.name, seen, produces: true });
    }
    case "delete": {
      const softDeleted = stringAt(body, "recoveryId") !== undefined;
      return claim(there, softDeleted ? "deleting" : "absent", { seen });
    }
    case "getDeleted":
      return claim(set("deleted"), undefined, { seen });
    case "recover":
      return claim(set("deleted"), "recovering", { seen });
    case "purge":
      return claim(set("deleted"), "purging");
    case "versions": {
      const items = step.pages.flatMap(({ response }) => arrayAt(response.body, "value")).filter(isObject);
      if (items.length === 0) return claim(gone);
      return items.flatMap((item) => claim(there, undefined, { seen: seenVersion(item) }));
    }
    case "get":
    case "update":
      return claim(there, undefined, { seen });
    case "backup":
    case "getRotationPolicy":
    case "setRotationPolicy":
    case "release":
      return claim(there);
    case "crypto": {
      const kid = identifierOf(stringAt(body, "kid") ?? "");
      const version = operation.version ?? kid?.version;
      return claim(there, undefined, { seen: { version, body: {}, created: undefined } });
    }
    default:
      return [];
  }
}

function refused(
  step: Step,
  claim: (before: ReadonlySet<Phase>, after?: Phase, more?: Partial<Claim>) => Claim[],
): Claim[] {
  const { operation, exchange } = step;
  const { status, body } = exchange.response;
  const error = errorOf(body);
  const named: SeenVersion = { version: operation.version, body: {}, created: undefined };
  switch (error?.innerCode) {
    case "ObjectIsBeingDeleted":
      return claim(set("deleting"));
    case "ObjectIsDeletedButRecoverable":
      return claim(set("deleted"));
    case "ObjectIsBeingRecovered":
      return claim(set("recovering", "readable"));
    case "RequestNotAllowedOnNonDeletedObject":
      return claim(set("active"));
    case "SecretDisabled":
    case "KeyDisabled":
      return claim(there, undefined, { seen: { ...named, isDisabled: true } });
    case "KeyOperationForbidden":
      return claim(there, undefined, { seen: named });
    case "KeyManagedByKeyVault":
    case "SecretManagedByKeyVault":
      return claim(operation.kind === "purge" || operation.kind === "recover" ? set("deleted") : there, undefined, {
        seen: named,
      });
    default:
      break;
  }
  if (status === 403 && operation.kind === "getDeleted" && /not permitted on this object/.test(error?.message ?? "")) {
    return claim(set("deleted"), undefined, { seen: { ...named, isDisabled: true } });
  }
  if (status === 403 && operation.kind === "get" && disabledSecretTexts.test(error?.message ?? "")) {
    return claim(there, undefined, { seen: { ...named, isDisabled: true } });
  }
  if (status === 403 && operation.kind === "crypto" && forbiddenUse.test(error?.message ?? "")) {
    return claim(there, undefined, { seen: named });
  }
  if (status === 403 && operation.kind === "crypto" && /on a disabled key/.test(error?.message ?? "")) {
    return claim(there, undefined, { seen: { ...named, isDisabled: true } });
  }
  if (status === 403 && operation.kind === "crypto" && datedKeyTexts.test(error?.message ?? "")) {
    return claim(there, undefined, { seen: named });
  }
  if (status === 403 && operation.kind === "release" && /attestation/.test(error?.message ?? "")) return claim(there);
  if (status === 403 && operation.kind === "purge" && /purge protection/.test(error?.message ?? "")) {
    return claim(set("deleted"));
  }
  if (status === 404) {
    if (operation.kind === "getDeleted") return claim(notDeleted);
    if (operation.kind === "recover" || operation.kind === "purge") return claim(set("absent", "active", "purging"));
    if (operation.version !== undefined) return claim(anywhere, undefined, { missed: operation.version });
    return claim(gone);
  }
  if (status === 409 && operation.kind === "recover") {
    const kid = /https?:\/\/[^\s']+/.exec(error?.message ?? "")?.[0];
    return claim(set("deleted"), undefined, { seen: { ...named, version: identifierOf(kid ?? "")?.version } });
  }
  if (status === 409 && operation.kind === "restore") {
    const kid = /https?:\/\/[^\s']+/.exec(error?.message ?? "")?.[0];
    const identifier = identifierOf(kid ?? "");
    return identifier === undefined
      ? []
      : claim(set("active", "deleting", "deleted", "purging"), undefined, {
          name: identifier.name,
          seen: { version: identifier.version, body: {}, created: undefined },
        });
  }
  if (status === 400 && needsObject.has(operation.kind) && !/invalid name|not specified/i.test(error?.message ?? "")) {
    if (error === undefined || error.code === "NotSupported") return [];
    return claim(there, undefined, { seen: named });
  }
  return [];
}

/** A transfer blob names the key that it was made for: that key is in the vault. */
function exchangeKeyOf(step: Step): Claim[] {
  const { request } = step.exchange;
  const blob = stringAt(objectAt(request.body, "key"), "key_hsm");
  if (step.operation.kind !== "import" || blob === undefined) return [];
  const identifier = exchangeKeyIn(blob);
  const key = { kty: "RSA-HSM", key_ops: ["import"] };
  return [
    {
      host: step.host,
      collection: "keys",
      name: identifier.name,
      before: there,
      after: undefined,
      seen: { version: identifier.version, body: { key }, created: undefined },
      produces: false,
    },
  ];
}

/** Name and version of the key exchange key of a transfer blob; a blob that nobody can read was made for some key. */
export function exchangeKeyIn(blob: string): { name: string; version: string | undefined } {
  const unknown = { name: "key-exchange-key", version: undefined };
  try {
    const transfer: unknown = JSON.parse(Buffer.from(blob, "base64url").toString("utf8"));
    return identifierOf(stringAt(objectAt(transfer, "header"), "kid") ?? "") ?? unknown;
  } catch {
    return unknown;
  }
}

/** Both are what builds before the inner codes said of a disabled secret. */
const disabledSecretTexts = /^(get operation not permitted|Operation get is not allowed on a disabled secret\.)$/;
/** What is said of a key whose `key_ops` leave out what is asked. */
export const forbiddenUse = /^Operation \w+ is not permitted on this key\b/;
/** What is said of a key before its day, and after its last. */
export const datedKeyTexts = /\b(expired|not yet valid)\b/;
const needsObject = new Set(["update", "crypto", "backup", "rotate", "release", "setRotationPolicy"]);

function listed(step: Step): Claim[] {
  const deleted = step.operation.kind === "listDeleted";
  const items = step.pages.flatMap(({ response }) => arrayAt(response.body, "value")).filter(isObject);
  return items.flatMap((item) => {
    const identifier = identifierOf(identifierIn(item) ?? "");
    if (identifier === undefined) return [];
    return {
      host: step.host,
      collection: step.operation.collection,
      name: identifier.name,
      before: deleted ? set("deleted") : there,
      after: undefined,
      seen: seenVersion(item),
      produces: false,
    };
  });
}

/** The listing was recorded from its first page to one without a next link. */
export function isWholeListing(step: Step): boolean {
  const last = step.pages.at(-1)?.response.body;
  return step.fromStart && isObject(last) && (last.nextLink === null || last.nextLink === undefined);
}

/** A whole listing says of the objects that it does not name that they are not there. */
export function absencesOf(step: Step, known: Iterable<Claim>): Claim[] {
  const { kind, collection } = step.operation;
  if ((kind !== "list" && kind !== "listDeleted") || step.exchange.response.status !== 200) return [];
  if (!isWholeListing(step)) return [];
  const named = new Set(listed(step).map((claim) => claim.name.toLowerCase()));
  const absences: Claim[] = [];
  for (const claim of known) {
    if (claim.host !== step.host || claim.collection !== collection || named.has(claim.name.toLowerCase())) continue;
    absences.push({
      ...claim,
      before: kind === "list" ? gone : notDeleted,
      after: undefined,
      seen: undefined,
      produces: false,
    });
  }
  return absences;
}

export function identifierIn(body: unknown): string | undefined {
  return stringAt(objectAt(body, "key"), "kid") ?? stringAt(body, "id") ?? stringAt(body, "kid");
}

export function seenVersion(body: JsonObject): SeenVersion {
  return {
    version: identifierOf(identifierIn(body) ?? "")?.version,
    body,
    created: numberAt(objectAt(body, "attributes"), "created"),
  };
}
