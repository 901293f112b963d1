import { randomBytes, randomInt } from "node:crypto";
import { isRecord } from "../engine/input-check.js";
import { canonicalJson } from "../engine/normal-form.js";
import { sourceDigest } from "../object/owner-tag.js";
import type { SecretInputs } from "./secret-inputs.js";

/** What a value is generated from, in normal form. */
export type GenerateRecipe = (
  | { length: number /** Sorted; left out where they are {@link DEFAULT_CHARACTERS}. */; characters?: string }
  | { bytes: number; encoding: Encoding }
) & { keepers?: Record<string, string> };

export const ENCODINGS = ["base64", "base64url", "hex"] as const;
export type Encoding = (typeof ENCODINGS)[number];

/** Letters and digits: they mean nothing to a shell, a URL or a connection string. */
export const DEFAULT_CHARACTERS = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz";

/** Whether what stands in state, or a program gives, is a recipe. */
export function isRecipe(value: unknown): value is GenerateRecipe {
  if (!isRecord(value)) return false;
  const { length, characters, bytes, encoding } = value;
  return typeof bytes === "number"
    ? ENCODINGS.some((known) => known === encoding)
    : typeof length === "number" && (characters === undefined || typeof characters === "string");
}

/** How a program spells a recipe makes no difference: the order of the characters, or that it names the default. */
export function normalRecipe(recipe: GenerateRecipe): GenerateRecipe {
  const keepers = Object.keys(recipe.keepers ?? {}).length > 0 ? { keepers: recipe.keepers ?? {} } : {};
  if ("bytes" in recipe) return { bytes: recipe.bytes, encoding: recipe.encoding, ...keepers };
  const characters = recipe.characters === undefined ? undefined : sortedCharacters(recipe.characters);
  const isDefault = characters === undefined || characters === DEFAULT_CHARACTERS;
  return { length: recipe.length, ...(isDefault ? {} : { characters }), ...keepers };
}

function sortedCharacters(characters: string): string {
  return [...characters].sort().join("");
}

export function isSameRecipe(a: GenerateRecipe, b: GenerateRecipe): boolean {
  return canonicalJson(normalRecipe(a)) === canonicalJson(normalRecipe(b));
}

/** By which the owner tag of a generated secret says of what its value was made. */
export function recipeDigest(recipe: GenerateRecipe): string {
  return sourceDigest(canonicalJson(normalRecipe(recipe)));
}

/** How hard a value of this recipe is to guess. */
export function entropyBits(recipe: GenerateRecipe): number {
  if ("bytes" in recipe) return recipe.bytes * 8;
  return recipe.length * Math.log2([...(recipe.characters ?? DEFAULT_CHARACTERS)].length);
}

/** The most bytes that a value of this recipe has. */
export function largestValue(recipe: GenerateRecipe): number {
  if ("length" in recipe) {
    const sizes = [...(recipe.characters ?? DEFAULT_CHARACTERS)].map((character) => Buffer.byteLength(character));
    return recipe.length * Math.max(...sizes);
  }
  return Buffer.alloc(recipe.bytes).toString(recipe.encoding).length;
}

/** From the system's randomness; each character of a recipe is as likely as every other. */
export function generateValue(recipe: GenerateRecipe): string {
  if ("bytes" in recipe) return randomBytes(recipe.bytes).toString(recipe.encoding);
  const characters = [...(recipe.characters ?? DEFAULT_CHARACTERS)];
  return Array.from({ length: recipe.length }, () => characters[randomInt(characters.length)]).join("");
}

/** A value that was made for one operation, and the digest that state keeps of it. */
interface PendingValue {
  value: string;
  digest: string;
  /** It is in the vault already, and a version that lacks an attribute is to have it again. */
  isRepeated?: true;
}

/** Generated values, for as long as their operation lasts: one whose answer was lost is looked for by what was sent. */
const pending = new WeakMap<SecretInputs, PendingValue>();

export function keepGenerated(inputs: SecretInputs, value: PendingValue): void {
  pending.set(inputs, value);
}

export function generatedFor(inputs: SecretInputs): PendingValue | undefined {
  return pending.get(inputs);
}

/** Forgets a value that was made and that nothing has, as its request was refused. */
export function forgetGenerated(inputs: SecretInputs): void {
  if (pending.get(inputs)?.isRepeated !== true) pending.delete(inputs);
}
