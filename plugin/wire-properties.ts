import type { Properties } from "../provider/engine/lifecycle.js";
import { markSecret, SECRET_SIGNATURE, SIGNATURE_KEY } from "../provider/engine/pulumi-secret.js";
import { type StructMessages, structMessages } from "../provider/engine/sdk-protocol.js";
import { UNKNOWN } from "../provider/engine/unknown.js";

const OUTPUT = "d0e6a833031e9bbcd3f4e8bde6ca49a4";

/** Properties as they came from the engine, in plain text, and which of them hold a secret. */
export interface WireProperties {
  values: Properties;
  /** Properties that are secret, or hold a secret. */
  secrets: ReadonlySet<string>;
  /** Where each secret stands, from the property's name down. */
  secretPaths: readonly SecretPath[];
}

export type SecretPath = readonly string[];

type Struct = StructMessages.Struct;

/** Reads what the engine sends. A secret stands in an envelope, at any depth; so does what an older engine calls an output. */
export function readProperties(struct: Struct | undefined): WireProperties {
  const secretPaths: SecretPath[] = [];
  const sent: Properties = struct?.toJavaScript() ?? {};
  const values = membersOf(sent, [], (path) => secretPaths.push(path));
  const secrets = new Set(secretPaths.flatMap(([name]) => name ?? []));
  return { values, secrets, secretPaths };
}

type NoteSecret = (path: SecretPath) => void;

function membersOf(value: object, path: SecretPath, noteSecret: NoteSecret): Properties {
  return Object.fromEntries(
    Object.entries(value).map(([name, item]) => [name, unwrapped(item, [...path, name], noteSecret)]),
  );
}

function unwrapped(value: unknown, path: SecretPath, noteSecret: NoteSecret): unknown {
  if (value === null || typeof value !== "object") return value;
  if (Array.isArray(value)) return value.map((item, at) => unwrapped(item, [...path, String(at)], noteSecret));
  const members = new Map(Object.entries(value));
  const signature = members.get(SIGNATURE_KEY);
  if (signature === SECRET_SIGNATURE) {
    noteSecret(path);
    return unwrapped(members.get("value"), path, noteSecret);
  }
  if (signature === OUTPUT) {
    if (members.get("secret") === true) noteSecret(path);
    return members.has("value") ? unwrapped(members.get("value"), path, noteSecret) : UNKNOWN;
  }
  return membersOf(value, path, noteSecret);
}

/**
 * Writes what the engine is answered. What a program gave as a secret is one in state too, whatever its name: of an
 * input that was made into a digest there is nothing left to hide.
 */
export function writeProperties(values: Properties, secrets: ReadonlySet<string> = new Set()): Struct {
  const marked = Object.entries(values)
    .filter(([, value]) => value !== undefined)
    .map(([name, value]) => [name, secrets.has(name) && !isEnvelope(value) ? markSecret(value) : value]);
  return structMessages.Struct.fromJavaScript(Object.fromEntries(marked));
}

/** Whether a value is marked as secret already. */
export function isEnvelope(value: unknown): boolean {
  return value !== null && typeof value === "object" && Reflect.get(value, SIGNATURE_KEY) === SECRET_SIGNATURE;
}
