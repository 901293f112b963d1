import { describeValue, shownName } from "../engine/described-value.js";
import { type InputCheck, isRecord } from "../engine/input-check.js";
import type { Properties } from "../engine/lifecycle.js";
import { withoutUndefined } from "../engine/normal-form.js";
import { containsUnknown, isUnknown, UNKNOWN } from "../engine/unknown.js";
import { expectedDigest } from "../object/observed-drift.js";
import { keepSecretValue } from "../object/pending-material.js";
import { givenSources } from "../object/restore-source.js";
import {
  ENCODINGS,
  entropyBits,
  type GenerateRecipe,
  isRecipe,
  isSameRecipe,
  largestValue,
  normalRecipe,
} from "./generated-value.js";
import { readNamedValue } from "./named-value.js";
import { valueDigest } from "./value-digest.js";

/** Where the secret is, as far as its check knows. */
interface CheckedPlace {
  vaultUrl: string | undefined;
  name: string | undefined;
}

/** What of a secret's source goes into state. */
interface CheckedSource {
  valueDigest?: string | undefined;
  generate?: unknown;
}

const MAX_VALUE_BYTES = 25_600;
const NAMED = '{ env: "NAME" } or { file: "path" }';
const SOURCES = ["value", "generate", "restore", "adopt"] as const;

/** Reads the one source of a secret, takes a value out of the inputs, and leaves its digest, or the recipe of one. */
export async function checkSecretSource(
  check: InputCheck,
  olds: Properties,
  place: CheckedPlace,
): Promise<CheckedSource> {
  const { value, valueDigest: pinned } = check.news;
  const given = givenSources(check.news, SOURCES);
  if (value === undefined && typeof pinned === "string") return { valueDigest: pinned };
  if (given.length === 0 && typeof olds.valueDigest === "string") return recordedValue(check, olds, place);
  if (given.length === 0) {
    check.failUnnamed(
      "a secret needs one source: value, generate, restore or adopt (a value that is undefined is none)",
    );
  }
  if (given.length > 1 && !(given.length === 2 && given.includes("value") && given.includes("adopt"))) {
    check.failUnnamed(`a secret takes one source, and this one has ${given.join(" and ")} (adopt may go with value)`);
  }
  if (given.includes("generate")) return { generate: checkGenerate(check, olds) };
  if (value === undefined || value === null) return {};
  if (containsUnknown(value)) return { valueDigest: UNKNOWN };
  if (typeof value === "string") return { valueDigest: await checkedDigest(check, value, place) };
  if (!isRecord(value)) {
    check.failUnnamed(`value must be text, ${NAMED}, and is ${describeValue(value)}`);
    return {};
  }
  const found = readNamedValue(value);
  switch (found.status) {
    case "value":
      return { valueDigest: await checkedDigest(check, found.value, place, ` of ${found.subject}`) };
    case "refused":
      check.failUnnamed(`value: ${found.reason}`);
      return {};
    case "absent":
      if (typeof pinned === "string") return { valueDigest: pinned };
      if (typeof olds.valueDigest === "string") return recordedValue(check, olds, place);
      check.failUnnamed(`value: it is not at hand: ${found.reason}`);
      return {};
  }
}

/** A pipeline without the value: the secret is to have the one that it has. */
function recordedValue(check: InputCheck, olds: Properties, { vaultUrl, name }: CheckedPlace): CheckedSource {
  const isOther = (now: string | undefined, before: unknown): boolean => !isUnknown(now) && now !== before;
  if (isOther(vaultUrl, olds.vaultUrl) || isOther(name, olds.name)) {
    check.failUnnamed(
      "the secret would be replaced, since its vault or name changes, and its value is not at hand: run where the program has it",
    );
  }
  return typeof olds.valueDigest === "string" ? { valueDigest: expectedDigest(olds.valueDigest) } : {};
}

async function checkedDigest(
  check: InputCheck,
  value: string,
  { vaultUrl, name }: CheckedPlace,
  origin = "",
): Promise<string | undefined> {
  const size = Buffer.byteLength(value, "utf8");
  if (size > MAX_VALUE_BYTES) {
    check.failUnnamed(`value${origin} has ${size} bytes; a vault takes at most ${MAX_VALUE_BYTES} (25 KB)`);
    return undefined;
  }
  if (vaultUrl === undefined || name === undefined) return undefined;
  if (isUnknown(vaultUrl) || isUnknown(name)) return UNKNOWN;
  const digest = await valueDigest(vaultUrl, name, value);
  keepSecretValue(digest, value);
  const pinned = check.news.valueDigest;
  return typeof pinned === "string" ? pinned : digest;
}

/** Fewer, and the value can be found by trying, even from its digest. */
const LEAST_BITS = 64;
const MEMBERS = ["length", "characters", "bytes", "encoding", "keepers"];
const SHAPE = `{ length: 32 }, with characters where they are not letters and digits, or { bytes: 32, encoding: "base64" }`;

function checkGenerate(check: InputCheck, olds: Properties): unknown {
  const { generate } = check.news;
  if (isUnknown(generate)) return generate;
  if (!isRecord(generate)) {
    check.fail("generate", `must be ${SHAPE}, and is ${describeValue(generate)}`);
    return undefined;
  }
  const before = check.failures.length;
  const given = withoutUndefined(generate);
  for (const member of Object.keys(given)) {
    if (!MEMBERS.includes(member)) check.fail("generate", `${shownName(member)} is not a member of generate`);
  }
  checkKeepers(check, given.keepers);
  const isOfBytes = given.bytes !== undefined || given.encoding !== undefined;
  if (isOfBytes) checkBytes(check, given);
  else checkCharacters(check, given);
  if (check.failures.length > before) return undefined;
  if (containsUnknown(given)) return given;
  if (!isRecipe(given)) return undefined;
  const recipe = normalRecipe(given);
  checkSize(check, recipe);
  // How a program spells the same recipe is no change: what is recorded stays as it is.
  return isRecipe(olds.generate) && isSameRecipe(olds.generate, recipe) ? olds.generate : recipe;
}

function checkKeepers(check: InputCheck, keepers: unknown): void {
  if (keepers === undefined || isUnknown(keepers)) return;
  if (isRecord(keepers) && Object.values(keepers).every((keeper) => typeof keeper === "string")) return;
  check.fail("generate", "keepers must be a map of text to text");
}

function checkBytes(check: InputCheck, { bytes, encoding, length, characters }: Properties): void {
  if (length !== undefined || characters !== undefined) {
    check.fail("generate", `takes length and characters, or bytes and encoding: ${SHAPE}`);
  }
  checkCount(check, "bytes", bytes);
  if (!isUnknown(encoding) && !ENCODINGS.some((known) => known === encoding)) {
    check.fail("generate", `encoding must be one of ${ENCODINGS.join(", ")}, and is ${describeValue(encoding)}`);
  }
}

function checkCharacters(check: InputCheck, { length, characters }: Properties): void {
  checkCount(check, "length", length);
  if (characters === undefined || isUnknown(characters)) return;
  const problem = typeof characters === "string" ? charactersProblem(characters) : `is ${describeValue(characters)}`;
  if (problem !== undefined) {
    check.fail("generate", `characters must be text of at least 2 different characters, and ${problem}`);
  }
}

function charactersProblem(text: string): string | undefined {
  const characters = [...text];
  const different = new Set(characters).size;
  if (/[\p{Cc}\p{Cs}]/u.test(text)) return "has one that cannot be printed";
  if (characters.length > 1024) return `has ${characters.length}; at most 1024 are taken`;
  if (different < characters.length)
    return "has one of them more than once, which would make it more likely than the others";
  return different < 2 ? `has ${different}` : undefined;
}

function checkCount(check: InputCheck, member: "length" | "bytes", count: unknown): void {
  if (isUnknown(count) || (Number.isSafeInteger(count) && Number(count) > 0 && Number(count) <= MAX_VALUE_BYTES))
    return;
  check.fail(
    "generate",
    `${member} must be a whole number from 1 to ${MAX_VALUE_BYTES}, and is ${describeValue(count)}`,
  );
}

function checkSize(check: InputCheck, recipe: GenerateRecipe): void {
  const size = largestValue(recipe);
  if (size > MAX_VALUE_BYTES) {
    check.fail("generate", `makes a value of up to ${size} bytes; a vault takes at most ${MAX_VALUE_BYTES} (25 KB)`);
  }
  const bits = entropyBits(recipe);
  if (bits >= LEAST_BITS) return;
  const isOfBytes = "bytes" in recipe;
  const least = isOfBytes ? LEAST_BITS / 8 : Math.ceil((LEAST_BITS * recipe.length) / bits);
  check.fail(
    "generate",
    `makes a value of ${Math.floor(bits)} bits, which can be guessed: at least ${LEAST_BITS} are needed, which takes ${isOfBytes ? "bytes" : "a length"} of ${least}`,
  );
}
