import { constants, createPublicKey, type JsonWebKey, publicEncrypt } from "node:crypto";
import type { Correspondence } from "./correspondence.js";
import { describedRequest } from "./described-request.js";
import { exchangeKeyIn } from "./evidence.js";
import { errorOf, isObject, type JsonObject, objectAt, stringAt } from "./json.js";
import { identifierOf } from "./operation.js";
import type { Step } from "./scenario.js";
import { isDestroyedKey, kindOf, modulusBits, standInKey } from "./stand-in-key.js";
import { transferBlob } from "./transfer-blob.js";

/** What is asked of the emulator to find the body of a request. */
export interface BodySources {
  correspondence: Correspondence;
  /** The emulator's public key by name and recorded version. */
  publicKey(host: string, name: string, version: string | undefined): Promise<JsonObject>;
  /** A cryptographic operation of the emulator on the step's key. */
  perform(step: Step, action: string, body: JsonObject): Promise<JsonObject>;
  /** A blob that restores to what the step's answer shows. */
  blobFor(step: Step): Promise<string>;
}

/**
 * The body to send: the recorded one with the emulator's own blobs, ciphertexts and signatures in it, or, where the
 * recorder kept none, one that the answer describes.
 */
export async function bodyOf(step: Step, sources: BodySources): Promise<unknown> {
  const { operation, exchange } = step;
  const { status } = exchange.response;
  const recorded = exchange.request.body;
  if (status === 401) return isObject(recorded) ? recorded : undefined;
  const body = isObject(recorded) ? recorded : describedRequest(step);
  switch (operation.kind) {
    case "create":
      return body ?? createBody(step);
    case "import":
      return importBody(step, body, sources);
    case "set":
      return body ?? setBody(step);
    case "update":
      return body ?? updateBody(step);
    case "restore":
      return restoreBody(step, body, sources);
    case "crypto":
      return cryptoBody(step, body, sources);
    case "setRotationPolicy":
      return body ?? rotationPolicyBody(exchange.response.body);
    case "release":
      return body ?? { target: "anything" };
    case "random":
      return body ?? { count: 16 };
    default:
      return body;
  }
}

function createBody(step: Step): JsonObject {
  const { status, body } = step.exchange.response;
  if (status !== 200) {
    return /HSM|Hardware/.test(errorOf(body)?.message ?? "") ? { kty: "RSA-HSM" } : { kty: "EC" };
  }
  const key = objectAt(body, "key");
  const kty = stringAt(key, "kty") ?? "RSA";
  const n = stringAt(key, "n");
  return {
    kty,
    ...(n === undefined ? {} : { key_size: modulusBits(n) }),
    ...(key.crv === undefined ? {} : { crv: key.crv }),
    ...(key.key_ops === undefined ? {} : { key_ops: key.key_ops }),
    ...shared(body),
  };
}

/** Attributes and tags that an answer shows and its request can have set. */
export function shared(body: unknown): JsonObject {
  const attributes = objectAt(body, "attributes");
  const settable: JsonObject = {};
  for (const member of ["enabled", "nbf", "exp"]) {
    if (attributes[member] !== undefined) settable[member] = attributes[member];
  }
  if (attributes.exportable === true) settable.exportable = true;
  const policy = isObject(body) ? body.release_policy : undefined;
  const tags = isObject(body) ? body.tags : undefined;
  return {
    attributes: settable,
    ...(tags === undefined ? {} : { tags }),
    ...(policy === undefined ? {} : { release_policy: policy }),
  };
}

async function importBody(step: Step, body: JsonObject | undefined, sources: BodySources): Promise<JsonObject> {
  const { correspondence } = sources;
  const { status, body: answer } = step.exchange.response;
  const key = objectAt(body, "key");
  const transfer = stringAt(key, "key_hsm");
  if (body !== undefined && (status !== 200 || (transfer === undefined && !isDestroyedKey(key)))) return body;
  const shown = objectAt(answer, "key");
  const kind = kindOf({ ...key, ...shown });
  const { kty } = kind;
  const jwk = standInKey(kind);
  for (const member of ["n", "x", "y"]) {
    const recorded = stringAt(shown, member);
    const made = stringAt(jwk, member);
    if (recorded !== undefined && made !== undefined) correspondence.bindValue(recorded, made);
  }
  if (transfer !== undefined) {
    const { name, version } = exchangeKeyIn(transfer);
    const exchangeKey = await sources.publicKey(step.host, name, version);
    return { ...body, key: { ...key, key_hsm: transferBlob(exchangeKey, jwk) } };
  }
  const operations = body === undefined ? shown.key_ops : key.key_ops;
  const { kty: madeType, ...numbers } = jwk;
  return {
    ...(body ?? { Hsm: kty.endsWith("-HSM"), ...shared(answer) }),
    key: {
      kty: stringAt(key, "kty") ?? madeType,
      ...(operations === undefined ? {} : { key_ops: operations }),
      ...numbers,
      ...(key.crv === undefined ? {} : { crv: key.crv }),
    },
  };
}

function setBody(step: Step): JsonObject {
  const { status, body } = step.exchange.response;
  if (status !== 200) {
    return { value: "value" };
  }
  const contentType = stringAt(body, "contentType");
  return {
    value: stringAt(body, "value") ?? "",
    ...(contentType === undefined ? {} : { contentType }),
    ...shared(body),
  };
}

function updateBody(step: Step): JsonObject {
  const { body } = step.exchange.response;
  const contentType = stringAt(body, "contentType");
  const operations = objectAt(body, "key").key_ops;
  const { release_policy: _, ...rest } = shared(body);
  return {
    ...rest,
    ...(contentType === undefined ? {} : { contentType }),
    ...(operations === undefined ? {} : { key_ops: operations }),
  };
}

async function restoreBody(step: Step, body: JsonObject | undefined, sources: BodySources): Promise<unknown> {
  const recorded = stringAt(body, "value");
  const { status, body: answer } = step.exchange.response;
  const known = recorded === undefined ? undefined : sources.correspondence.value(recorded);
  if (known !== undefined) return { ...body, value: known };
  const message = errorOf(answer)?.message ?? "";
  if (status === 200 || status === 409 || /Cannot decrypt backup blob/.test(message)) {
    const blob = await sources.blobFor(step);
    if (recorded !== undefined && status !== 400) sources.correspondence.bindValue(recorded, blob);
    return { value: blob };
  }
  return body ?? { value: Buffer.from("no backup blob").toString("base64url") };
}

function rotationPolicyBody(answer: unknown): JsonObject {
  const expiryTime = stringAt(objectAt(answer, "attributes"), "expiryTime");
  return {
    lifetimeActions: isObject(answer) ? (answer.lifetimeActions ?? []) : [],
    attributes: expiryTime === undefined ? {} : { expiryTime },
  };
}

/** Decryption and verification need what the emulator's own key made: the recorded key is not at hand. */
async function cryptoBody(step: Step, body: JsonObject | undefined, sources: BodySources): Promise<JsonObject> {
  const { operation, exchange } = step;
  const action = (operation.action ?? "").toLowerCase();
  const request = body ?? (await cryptoRequest(step, sources));
  if (exchange.response.status !== 200) return request;
  const answer = exchange.response.body;
  if (action === "verify") {
    const known = sources.correspondence.value(stringAt(request, "value") ?? "");
    if (known !== undefined) return { ...request, value: known };
    if (await isRecordedKey(step, sources)) return request;
    if (!isObject(answer) || answer.value !== true) return request;
    const signed = await sources.perform(step, "sign", { alg: request.alg, value: request.digest });
    return { ...request, value: signed.value };
  }
  if (action !== "decrypt" && action !== "unwrapkey") return request;
  if (await isRecordedKey(step, sources)) return request;
  const plain = stringAt(answer, "value") ?? "";
  const algorithm = stringAt(request, "alg") ?? "RSA-OAEP";
  if (/^RSA/.test(algorithm)) {
    const known = sources.correspondence.value(stringAt(request, "value") ?? "");
    if (known !== undefined) return { ...request, value: known };
    const jwk = await sources.publicKey(step.host, operation.name, operation.version);
    return { ...request, value: encryptFor(jwk, algorithm, Buffer.from(plain, "base64url")) };
  }
  // Ciphertext, vector and tag of a symmetric key belong together: all are made anew.
  const { tag: _, ...rest } = request;
  const made = await sources.perform(step, action === "decrypt" ? "encrypt" : "wrapkey", { ...rest, value: plain });
  const parts: JsonObject = { ...request };
  for (const member of ["value", "iv", "tag", "aad"]) {
    if (made[member] !== undefined) parts[member] = made[member];
  }
  return parts;
}

/** The emulator holds the very key of the recording, because the recording imports it. */
async function isRecordedKey(step: Step, sources: BodySources): Promise<boolean> {
  const jwk = await sources.publicKey(step.host, step.operation.name, step.operation.version);
  const version = identifierOf(stringAt(jwk, "kid") ?? "")?.version;
  return sources.correspondence.value(`imported ${version}`) !== undefined;
}

async function cryptoRequest(step: Step, sources: BodySources): Promise<JsonObject> {
  const { operation, exchange } = step;
  const action = (operation.action ?? "").toLowerCase();
  const jwk =
    exchange.response.status === 200
      ? await sources.publicKey(step.host, operation.name, operation.version)
      : { kty: "RSA", crv: undefined };
  const kty = stringAt(jwk, "kty") ?? "RSA";
  const shown = stringAt(exchange.response.body, "alg");
  const signing = kty.startsWith("RSA")
    ? "RS256"
    : ({ "P-384": "ES384", "P-521": "ES512", "P-256K": "ES256K", SECP256K1: "ES256K" }[stringAt(jwk, "crv") ?? ""] ??
      "ES256");
  const length = { ES384: 48, ES512: 64 }[signing] ?? 32;
  const digest = Buffer.alloc(length, 1).toString("base64url");
  if (action === "sign") return { alg: shown ?? signing, value: digest };
  if (action === "verify") return { alg: shown ?? signing, digest, value: digest };
  if (!kty.startsWith("oct")) return { alg: shown ?? "RSA-OAEP", value: digest };
  return action.includes("wrap")
    ? { alg: shown ?? "A256KW", value: digest }
    : { alg: shown ?? "A256CBCPAD", value: digest, iv: digest.slice(0, 22) };
}

function encryptFor(jwk: JsonObject, algorithm: string, plain: Buffer): string {
  const members: JsonWebKey = { kty: "RSA", n: String(jwk.n), e: String(jwk.e) };
  const key = createPublicKey({ key: members, format: "jwk" });
  const padding = algorithm === "RSA1_5" ? constants.RSA_PKCS1_PADDING : constants.RSA_PKCS1_OAEP_PADDING;
  const oaepHash = algorithm === "RSA-OAEP-256" ? "sha256" : "sha1";
  return publicEncrypt({ key, padding, oaepHash }, plain).toString("base64url");
}

/** Name and version that a restore's answer speaks of, also where it refuses. */
export function restoredIdentifier(step: Step): { name: string; version: string | undefined } | undefined {
  const { body } = step.exchange.response;
  const kid =
    stringAt(objectAt(body, "key"), "kid") ??
    stringAt(body, "id") ??
    /https?:\/\/[^\s']+/.exec(errorOf(body)?.message ?? "")?.[0];
  return kid === undefined ? undefined : identifierOf(kid);
}
