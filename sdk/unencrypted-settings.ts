import * as pulumi from "@pulumi/pulumi";
import { shownName } from "../provider/engine/described-value.js";
import type { KeyVaultError } from "../provider/keyvault/errors.js";
import { refusal } from "./refusal.js";

type Settings = Record<string, unknown>;

/** Of a set or of a key in it: what state has under its own name, and material, of which it has no more than a digest. */
const ELSEWHERE: ReadonlySet<string> = new Set([
  "vaultUrl",
  "credential",
  "timeouts",
  "import",
  "restoreFrom",
  "entries",
  "keys",
  "removed",
  "publicKeys",
]);

/**
 * The settings of a set, or of one key in it, with those refused that hold a secret. State has them in one text of all
 * keys, and the engine encrypts of a dynamic provider's answer only what has the name of a secret input. Plain settings
 * are what they were: only where an Output or a Promise stands is there anything to ask.
 */
export function unencryptedSettings<S extends Settings>(set: string, settings: S, key?: string): Settings {
  return Object.fromEntries(
    Object.entries(settings).map(([name, value]) => [
      name,
      ELSEWHERE.has(name) || !holdsOutput(value) ? value : refusedIfSecret(set, placeOf(name, key), value),
    ]),
  );
}

/** The inputs of a set as a transform has made them. Keys that are one Output each have been looked at before. */
export function unencryptedInputs(set: string, inputs: Settings): Settings {
  const { entries } = inputs;
  const settings = unencryptedSettings(set, inputs);
  if (!isPlainRecord(entries)) return settings;
  const looked = Object.entries(entries).map(([key, entry]) => [
    key,
    isPlainRecord(entry) ? unencryptedSettings(set, entry, key) : entry,
  ]);
  return { ...settings, entries: Object.fromEntries(looked) };
}

/** A key that is given as one Output: what it holds, and whether a part of it is secret. */
export function withSecrecy<T>(given: unknown, make: (known: unknown, isSecret: boolean) => T): pulumi.Output<unknown> {
  const whole: pulumi.Output<unknown> = pulumi.output(given);
  return pulumi
    .output(pulumi.isSecret(whole))
    .apply((isSecret): pulumi.Output<unknown> => whole.apply((known) => make(known, isSecret)));
}

/** Of a key that is secret as a whole nobody can tell which part is: it may have nothing but its material. */
export function refuseSecretEntry(set: string, key: string, settings: Settings): void {
  if (Object.keys(settings).some((name) => !ELSEWHERE.has(name))) throw secretRefusal(set, placeOf(undefined, key));
}

/** In a preview a secret may be unknown, and is refused all the same. */
function refusedIfSecret(set: string, place: string, value: unknown): pulumi.Output<unknown> {
  const whole: pulumi.Output<unknown> = pulumi.output(value);
  return pulumi.output(pulumi.isSecret(whole)).apply((isSecret): pulumi.Output<unknown> => {
    if (isSecret) throw secretRefusal(set, place);
    return whole;
  });
}

function placeOf(name: string | undefined, key: string | undefined): string {
  if (key === undefined) return `\`${name}\``;
  return name === undefined ? `key ${shownName(key)}` : `\`${name}\` of key ${shownName(key)}`;
}

function secretRefusal(set: string, place: string): KeyVaultError {
  return refusal(
    `KeySet "${set}"`,
    `${place} holds a secret, and a set records the settings of its keys in one text of state that is not encrypted`,
    "declare the key that has it as a Key of its own, or take the mark off with pulumi.unsecret: material (`import`, `restore`) needs none, it is never recorded",
  );
}

function holdsOutput(value: unknown): boolean {
  if (value === null || typeof value !== "object") return false;
  if (pulumi.Output.isInstance(value) || value instanceof Promise || pulumi.Resource.isInstance(value)) return true;
  return Object.values(value).some(holdsOutput);
}

function isPlainRecord(value: unknown): value is Settings {
  return (
    value !== null &&
    typeof value === "object" &&
    !Array.isArray(value) &&
    !pulumi.Output.isInstance(value) &&
    !(value instanceof Promise)
  );
}
