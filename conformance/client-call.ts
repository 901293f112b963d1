import type { KeyVaultClient } from "../provider/keyvault/client.js";
import type { KeyRotationPolicyInput } from "../provider/keyvault/key-bundle.js";
import type { VaultConnection } from "../provider/keyvault/vault-connection.js";
import { decodeWire } from "../provider/keyvault/wire/json.js";
import { keyBundle } from "../provider/keyvault/wire/key.js";
import { arrayAt, isObject, objectAt, stringAt } from "./json.js";
import { operationOf, type RecordedOperation } from "./operation.js";
import type { Exchange } from "./recording.js";
import { releaseKey } from "./release-operation.js";

/** What the result of a call is to be compared with. */
export type ResultKind =
  | "key"
  | "secret"
  | "list"
  | "backup"
  | "rotationPolicy"
  | "cryptography"
  | "verified"
  | "nothing";

export interface ClientCall {
  /** As it shows in errors. */
  operation: string;
  result: ResultKind;
  run(client: KeyVaultClient): Promise<unknown>;
}

/** The client's own operation for a recorded method and path; undefined where it has none. */
export function clientCallOf({ request, response }: Exchange): ClientCall | undefined {
  const operation = operationOf(request.method, request.path);
  const body = isObject(request.body) ? request.body : {};
  const pageSize = Number(request.query.maxresults);
  const list = Number.isInteger(pageSize) && pageSize > 0 ? { maxPageSize: pageSize } : {};
  if (operation.kind === "none") return unnamedCall(request.method, request.path);
  if (operation.collection === "secrets") return secretCall(operation, body, list);
  // A request that says no type, or that the recorder lost, asked for what it got: the client compares the two.
  const kty = stringAt(body, "kty") ?? stringAt(objectAt(response.body, "key"), "kty") ?? "RSA";
  return keyCall(operation, operation.kind === "create" ? { ...body, kty } : body, list);
}

/** Requests that name nothing, which the service refuses. */
function unnamedCall(method: string, path: string): ClientCall | undefined {
  const route = `${method.toUpperCase()} ${path.replace(/\/+$/, "")}`;
  if (route === "PUT /secrets") return call("setSecret", "secret", (client) => client.setSecret("", { value: "" }));
  if (route === "PUT /keys") return call("importKey", "key", (client) => client.importKey("", { key: { kty: "RSA" } }));
  if (route === "POST /keys//create") {
    return call("createKey", "key", (client) => client.createKey("", { keyType: "RSA" }));
  }
  if (route === "DELETE /keys") return call("deleteKey", "key", (client) => client.deleteKey(""));
  if (route === "DELETE /secrets") return call("deleteSecret", "secret", (client) => client.deleteSecret(""));
  return undefined;
}

type Body = Record<string, unknown>;
type PageSize = { maxPageSize?: number };

function keyCall(
  { kind, name, version, action }: RecordedOperation,
  body: Body,
  list: PageSize,
): ClientCall | undefined {
  switch (kind) {
    case "create": {
      const curve = stringAt(body, "crv");
      const keySize = body.key_size;
      const p = {
        keyType: stringAt(body, "kty") ?? "RSA",
        ...(curve === undefined ? {} : { curve }),
        ...(typeof keySize === "number" ? { keySize } : {}),
        ...described(body),
      };
      return call("createKey", "key", (client) => client.createKey(name, p));
    }
    case "import": {
      const p = { key: objectAt(body, "key"), hardwareProtected: body.Hsm === true, ...described(body) };
      return call("importKey", "key", (client) => client.importKey(name, p));
    }
    case "get":
      if (action === "attestation") return call("getKey", "key", ({ connection }) => keyAttestation(connection, name));
      return call("getKey", "key", (client) => client.getKey(name, version));
    case "update":
      return call("updateKey", "key", (client) => client.updateKey(name, version, described(body)));
    case "delete":
      return call("deleteKey", "key", (client) => client.deleteKey(name));
    case "getDeleted":
      return call("getDeletedKey", "key", (client) => client.getDeletedKey(name));
    case "recover":
      return call("recoverDeletedKey", "key", (client) => client.recoverDeletedKey(name));
    case "purge":
      return call("purgeDeletedKey", "nothing", (client) => client.purgeDeletedKey(name));
    case "backup":
      return call("backupKey", "backup", (client) => client.backupKey(name));
    case "restore":
      return call("restoreKey", "key", (client) => client.restoreKey(stringAt(body, "value") ?? "blob"));
    case "rotate":
      return call("rotateKey", "key", (client) => client.rotateKey(name));
    case "getRotationPolicy":
      return call("getKeyRotationPolicy", "rotationPolicy", (client) => client.getKeyRotationPolicy(name));
    case "setRotationPolicy": {
      const policy = rotationPolicy(body);
      return call("updateKeyRotationPolicy", "rotationPolicy", (client) =>
        client.updateKeyRotationPolicy(name, policy),
      );
    }
    case "list":
      return call("getKeys", "list", (client) => collect(client.getKeys(list)));
    case "versions":
      return call("getKeyVersions", "list", (client) => collect(client.getKeyVersions(name, list)));
    case "listDeleted":
      return call("getDeletedKeys", "list", (client) => collect(client.getDeletedKeys(list)));
    case "release":
      return call("releaseKey", "backup", ({ connection }) =>
        releaseKey(connection, name, version, { target: stringAt(body, "target") ?? "attestation" }),
      );
    case "crypto":
      return cryptographyCall(action?.toLowerCase() ?? "", name, version, body);
    default:
      return undefined;
  }
}

/** A key as its attestation carries it; what that adds to the key, this client passes over. */
function keyAttestation(connection: VaultConnection, name: string): Promise<unknown> {
  const path = ["keys", name, "attestation"] as const;
  const decode = (answer: unknown) => decodeWire(keyBundle, answer);
  return connection.call({ operation: "getKey", method: "GET", path, objectName: name, decode });
}

function cryptographyCall(
  action: string,
  name: string,
  version: string | undefined,
  body: Body,
): ClientCall | undefined {
  const text = (member: string) => stringAt(body, member) ?? "AQAB";
  const iv = stringAt(body, "iv");
  const p = { algorithm: text("alg"), value: text("value"), ...(iv === undefined ? {} : { iv }) };
  const signed = { algorithm: p.algorithm, digest: text("digest"), signature: p.value };
  switch (action) {
    case "encrypt":
      return call("encrypt", "cryptography", (client) => client.encrypt(name, version, p));
    case "decrypt":
      return call("decrypt", "cryptography", (client) => client.decrypt(name, version, p));
    case "wrapkey":
      return call("wrapKey", "cryptography", (client) => client.wrapKey(name, version, p));
    case "unwrapkey":
      return call("unwrapKey", "cryptography", (client) => client.unwrapKey(name, version, p));
    case "sign":
      return call("sign", "cryptography", (client) => client.sign(name, version, { ...p, digest: p.value }));
    case "verify":
      return call("verify", "verified", (client) => client.verify(name, version, signed));
    default:
      return undefined;
  }
}

function secretCall({ kind, name, version }: RecordedOperation, body: Body, list: PageSize): ClientCall | undefined {
  const contentType = stringAt(body, "contentType");
  const description = { ...described(body), ...(contentType === undefined ? {} : { contentType }) };
  switch (kind) {
    case "set": {
      const p = { value: stringAt(body, "value") ?? "value", ...description };
      return call("setSecret", "secret", (client) => client.setSecret(name, p));
    }
    case "get":
      return call("getSecret", "secret", (client) => client.getSecret(name, version));
    case "update":
      return call("updateSecret", "secret", (client) => client.updateSecret(name, version, description));
    case "delete":
      return call("deleteSecret", "secret", (client) => client.deleteSecret(name));
    case "getDeleted":
      return call("getDeletedSecret", "secret", (client) => client.getDeletedSecret(name));
    case "recover":
      return call("recoverDeletedSecret", "secret", (client) => client.recoverDeletedSecret(name));
    case "purge":
      return call("purgeDeletedSecret", "nothing", (client) => client.purgeDeletedSecret(name));
    case "backup":
      return call("backupSecret", "backup", (client) => client.backupSecret(name));
    case "restore":
      return call("restoreSecret", "secret", (client) => client.restoreSecret(stringAt(body, "value") ?? "blob"));
    case "list":
      return call("getSecrets", "list", (client) => collect(client.getSecrets(list)));
    case "versions":
      return call("getSecretVersions", "list", (client) => collect(client.getSecretVersions(name, list)));
    case "listDeleted":
      return call("getDeletedSecrets", "list", (client) => collect(client.getDeletedSecrets(list)));
    default:
      return undefined;
  }
}

function call(operation: string, result: ResultKind, run: ClientCall["run"]): ClientCall {
  return { operation, result, run };
}

async function collect(items: AsyncIterable<unknown>): Promise<unknown[]> {
  const collected: unknown[] = [];
  for await (const item of items) collected.push(item);
  return collected;
}

/** What create, import, set and update share. */
function described(body: Body) {
  const attributes = objectAt(body, "attributes");
  const { enabled, nbf, exp, exportable } = attributes;
  const keyOps = arrayAt(body, "key_ops").filter((operation) => typeof operation === "string");
  const tags = Object.entries(objectAt(body, "tags")).map(([name, value]) => [name, String(value)] as const);
  return {
    ...(typeof enabled === "boolean" ? { enabled } : {}),
    ...(typeof exportable === "boolean" ? { exportable } : {}),
    ...(typeof nbf === "number" ? { notBefore: new Date(nbf * 1000) } : {}),
    ...(typeof exp === "number" ? { expiresOn: new Date(exp * 1000) } : {}),
    ...(Array.isArray(body.key_ops) ? { keyOps } : {}),
    ...(isObject(body.tags) ? { tags: Object.fromEntries(tags) } : {}),
  };
}

function rotationPolicy(body: Body): KeyRotationPolicyInput {
  const expiryTime = stringAt(objectAt(body, "attributes"), "expiryTime");
  return {
    lifetimeActions: arrayAt(body, "lifetimeActions").map((action) => {
      const trigger = objectAt(action, "trigger");
      const timeAfterCreate = stringAt(trigger, "timeAfterCreate");
      const timeBeforeExpiry = stringAt(trigger, "timeBeforeExpiry");
      return {
        action: stringAt(objectAt(action, "action"), "type") ?? "Notify",
        ...(timeAfterCreate === undefined ? {} : { timeAfterCreate }),
        ...(timeBeforeExpiry === undefined ? {} : { timeBeforeExpiry }),
      };
    }),
    ...(expiryTime === undefined ? {} : { expiryTime }),
  };
}
