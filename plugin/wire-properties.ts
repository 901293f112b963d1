import type { Properties } from "../provider/engine/lifecycle.js";
import { markSecret, SECRET_SIGNATURE, SIGNATURE_KEY } from "../provider/engine/pulumi-secret.js";
import { UNKNOWN } from "../provider/engine/unknown.js";
import { type StructMessages, structMessages } from "./sdk-protocol.js";

const OUTPUT = "d0e6a833031e9bbcd3f4e8bde6ca49a4";

/** Properties as they came from the engine, in plain text, and which of them hold a secret. */
export interface WireProperties {
  values: Properties;
  secrets: ReadonlySet<string>;
}

type Struct = StructMessages.Struct;

/** Reads what the engine sends. A secret stands in an envelope, at any depth; so does what an older engine calls an output. */
export function readProperties(struct: Struct | undefined): WireProperties {
  const secrets = new Set<string>();
  const sent: Properties = struct?.toJavaScript() ?? {};
  const values = Object.fromEntries(
    Object.entries(sent).map(([name, value]) => [name, unwrapped(value, () => secrets.add(name))]),
  );
  return { values, secrets };
}

function unwrapped(value: unknown, noteSecret: () => void): unknown {
  if (Array.isArray(value)) return value.map((item) => unwrapped(item, noteSecret));
  if (value === null || typeof value !== "object") return value;
  const members = new Map(Object.entries(value));
  const signature = members.get(SIGNATURE_KEY);
  if (signature === SECRET_SIGNATURE) {
    noteSecret();
    return unwrapped(members.get("value"), noteSecret);
  }
  if (signature === OUTPUT) {
    if (members.get("secret") === true) noteSecret();
    return members.has("value") ? unwrapped(members.get("value"), noteSecret) : UNKNOWN;
  }
  return Object.fromEntries(Object.entries(value).map(([name, item]) => [name, unwrapped(item, noteSecret)]));
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

function isEnvelope(value: unknown): boolean {
  return value !== null && typeof value === "object" && Reflect.get(value, SIGNATURE_KEY) === SECRET_SIGNATURE;
}
