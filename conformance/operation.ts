export type RecordedCollection = "keys" | "secrets";

export type OperationKind =
  | "create"
  | "import"
  | "set"
  | "get"
  | "list"
  | "versions"
  | "update"
  | "delete"
  | "getDeleted"
  | "listDeleted"
  | "recover"
  | "purge"
  | "backup"
  | "restore"
  | "rotate"
  | "getRotationPolicy"
  | "setRotationPolicy"
  | "release"
  | "crypto"
  | "random"
  /** Within keys and secrets, but no operation: an empty name, a method that is not allowed. */
  | "none"
  /** Certificates, storage accounts, the control plane, the HSM's own backup. */
  | "foreign";

/** What a recorded request asks for, read from its method and path alone. */
export interface RecordedOperation {
  kind: OperationKind;
  collection: RecordedCollection;
  name: string;
  version: string | undefined;
  /** The last segment of a cryptographic operation: `sign`, `decrypt`, … */
  action: string | undefined;
}

const cryptoActions = new Set(["encrypt", "decrypt", "sign", "verify", "wrapKey", "unwrapKey", "wrapkey", "unwrapkey"]);
const actions = new Set([
  "create",
  "versions",
  "backup",
  "restore",
  "rotate",
  "rotationpolicy",
  "release",
  "attestation",
  ...cryptoActions,
]);

export function operationOf(method: string, path: string): RecordedOperation {
  const segments = path.replace(/^\/+/, "").replace(/\/+$/, "").split("/").map(decoded);
  const root = (segments[0] ?? "").toLowerCase();
  const verb = method.toUpperCase();
  const of = (
    kind: OperationKind,
    collection: RecordedCollection,
    more: Partial<RecordedOperation> = {},
  ): RecordedOperation => ({
    kind,
    collection,
    name: "",
    version: undefined,
    action: undefined,
    ...more,
  });
  if (root === "rng") return of("random", "keys");
  if (root === "deletedkeys" || root === "deletedsecrets") {
    const collection = root === "deletedkeys" ? "keys" : "secrets";
    const name = segments[1];
    if (name === undefined) return of(verb === "GET" ? "listDeleted" : "none", collection);
    if (segments[2] === "recover") return of("recover", collection, { name });
    return of(verb === "GET" ? "getDeleted" : verb === "DELETE" ? "purge" : "none", collection, { name });
  }
  if (root !== "keys" && root !== "secrets") return of("foreign", "keys");
  const collection = root;
  const name = segments[1];
  if (name === undefined) return of(verb === "GET" ? "list" : "none", collection);
  if (name === "restore" && verb === "POST" && segments.length === 2) return of("restore", collection);
  if (name === "") return of("none", collection);
  const last = segments.length > 2 ? segments.at(-1) : undefined;
  const action = last !== undefined && actions.has(last) ? last : undefined;
  const version = segments[2] !== undefined && segments[2] !== "" && segments[2] !== action ? segments[2] : undefined;
  const named = { name, version, action };
  switch (action) {
    case "create":
      return of("create", collection, named);
    case "versions":
      return of("versions", collection, named);
    case "backup":
      return of("backup", collection, named);
    case "rotate":
      return of("rotate", collection, named);
    case "rotationpolicy":
      return of(verb === "GET" ? "getRotationPolicy" : "setRotationPolicy", collection, named);
    case "release":
      return of("release", collection, named);
    case "attestation":
    case undefined:
      break;
    default:
      return of("crypto", collection, named);
  }
  if (verb === "GET") return of("get", collection, named);
  if (verb === "PATCH") return of("update", collection, named);
  if (verb === "DELETE") return of("delete", collection, named);
  if (verb === "PUT") return of(collection === "keys" ? "import" : "set", collection, named);
  return of("none", collection, named);
}

/** Name and version of an object identifier (`kid` or `id`), whatever its host. */
export function identifierOf(id: string): { name: string; version: string | undefined } | undefined {
  const path = /^https?:\/\/[^/]+\/(?:deleted)?(?:keys|secrets)\/([^/?]+)(?:\/([^/?]+))?\/?$/.exec(id);
  return path?.[1] === undefined ? undefined : { name: decoded(path[1]), version: path[2] };
}

function decoded(segment: string): string {
  try {
    return decodeURIComponent(segment);
  } catch {
    return segment;
  }
}
