import type { EmulatedAnswer } from "./error-shape.js";
import { isWholeListing } from "./evidence.js";
import { arrayAt, isObject, type JsonObject, stringAt } from "./json.js";
import { identifierOf } from "./operation.js";
import { compareShape, type ShapeContext } from "./shape.js";

/** Objects that only fill pages carry this prefix and count on neither side. */
export const fillerPrefix = "zzzz-filler-";

/**
 * Compares a listing as a whole: the service cuts pages, empty ones among them, where it likes. Every item of the
 * recording is there, looks alike and stands in the same order; a whole listing has no other; the members of a page and
 * the end of the listing are the recorded ones.
 */
export function compareListings(emulated: EmulatedAnswer[], context: ShapeContext): string[] {
  const { step } = context;
  const recordedPages = step.pages.map(({ response }) => response.body).filter(isObject);
  const emulatedPages = emulated.map(({ body }) => body).filter(isObject);
  const differences: string[] = [];
  const recorded = recordedPages.flatMap((page) => arrayAt(page, "value")).filter(isObject);
  const found = emulatedPages.flatMap((page) => arrayAt(page, "value")).filter(isObject);
  differences.push(...comparePages(recordedPages, emulatedPages, step.pages.length, context));
  const ordered: JsonObject[] = [];
  for (const item of recorded) {
    const twin = found.find((candidate) => isSame(item, candidate, context));
    if (twin === undefined) {
      differences.push(`value: ${labelOf(item)} is missing`);
      continue;
    }
    ordered.push(twin);
    differences.push(...compareShape(item, twin, context).map((text) => `value[${labelOf(item)}].${text}`));
  }
  if (isWholeListing(step)) {
    for (const item of found) {
      if (!ordered.includes(item) && !labelOf(item).startsWith(fillerPrefix)) {
        differences.push(`value: ${labelOf(item)} is not in the recording`);
      }
    }
  }
  if (isSorted(recorded) && context.plane === "vault" && !isSorted(found))
    differences.push("value: is in another order");
  return differences;
}

function comparePages(recorded: JsonObject[], emulated: JsonObject[], asked: number, context: ShapeContext): string[] {
  const differences: string[] = [];
  const last = recorded.at(-1) ?? {};
  const end = emulated.at(-1) ?? {};
  if (isWholeListing(context.step) && "nextLink" in last !== "nextLink" in end) {
    differences.push(
      `nextLink: ${"nextLink" in end ? "not in the recording's last page" : "missing on the last page"}`,
    );
  }
  for (const page of emulated) {
    if (!Array.isArray(page.value)) differences.push("value: is not an array");
    const link = page.nextLink;
    if (typeof link === "string") {
      if (!/^https?:\/\/[^/?]+:\d+\/\S*\$skiptoken=/.test(link))
        differences.push("nextLink: lacks its port or its token");
    } else if (link !== undefined && link !== null) {
      differences.push("nextLink: is neither a link nor null");
    }
    for (const member of Object.keys(page)) {
      if (member !== "value" && member !== "nextLink") differences.push(`${member}: not in the recording`);
    }
  }
  const truncated = typeof last.nextLink === "string" && recorded.length === asked;
  if (truncated && context.step.fromStart && !emulated.some((page) => typeof page.nextLink === "string")) {
    differences.push("nextLink: the recording goes on, the emulator does not");
  }
  return differences;
}

function isSame(recorded: JsonObject, emulated: JsonObject, context: ShapeContext): boolean {
  const wanted = identifierOf(idOf(recorded));
  const found = identifierOf(idOf(emulated));
  if (wanted === undefined || found === undefined) return false;
  if (wanted.name.toLowerCase() !== found.name.toLowerCase()) return false;
  return wanted.version === undefined || context.correspondence.version(wanted.version) === found.version;
}

const idOf = (item: JsonObject) => stringAt(item, "kid") ?? stringAt(item, "id") ?? "";
const labelOf = (item: JsonObject) => {
  const identifier = identifierOf(idOf(item));
  return identifier?.version ?? identifier?.name ?? "an item";
};

/** Lists go by name in upper case, version lists by version. */
function isSorted(items: JsonObject[]): boolean {
  const keys = items.map((item) => labelOf(item).toUpperCase());
  return keys.every((key, index) => index === 0 || key >= (keys[index - 1] ?? ""));
}
