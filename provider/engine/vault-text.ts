import { isSecretMark, SIGNATURE_KEY } from "./pulumi-secret.js";
import { isUnknown } from "./unknown.js";

/**
 * A vault's text, such as a tag or the name of a key, may be a word of the engine's own protocol: what stands for a value that is not known, or marks a secret.
 * The engine then fails the whole run of the stack, and with it what is to be told of every other resource. So such a text is written differently in state.
 * So is a member named `__proto__`: the protobuf library of both doors drops it, and what the vault has there would never be told.
 */
const AS_TEXT = " (as text)";

const DROPPED = "__proto__";

function isEngineWord(text: string): boolean {
  return text === SIGNATURE_KEY || isUnknown(text);
}

/** A text as state can hold it. */
export function inState(text: string): string {
  return isEngineWord(text) ? `${text}${AS_TEXT}` : text;
}

/** The name of a member as state can hold it. A member of what marks a secret is the engine's. */
export function memberInState(name: string, owner: object): string {
  return name === DROPPED || (name === SIGNATURE_KEY && !isSecretMark(owner)) ? `${name}${AS_TEXT}` : name;
}

/** What state holds, in the vault's own words. */
export function fromState(value: unknown): unknown {
  if (typeof value === "string") return textFromState(value);
  if (Array.isArray(value)) return value.map(fromState);
  if (value === null || typeof value !== "object") return value;
  return Object.fromEntries(Object.entries(value).map(([name, item]) => [memberFromState(name), fromState(item)]));
}

function memberFromState(name: string): string {
  return name === `${DROPPED}${AS_TEXT}` ? DROPPED : textFromState(name);
}

function textFromState(text: string): string {
  const word = text.endsWith(AS_TEXT) ? text.slice(0, -AS_TEXT.length) : undefined;
  return word !== undefined && isEngineWord(word) ? word : text;
}
