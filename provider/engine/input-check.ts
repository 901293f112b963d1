import { describeValue, shownName } from "./described-value.js";
import type { CheckFailure, Properties } from "./lifecycle.js";
import { formatMoment, MOMENT, readMoment } from "./moment.js";
import { containsUnknown, isUnknown } from "./unknown.js";

/**
 * Reads a program's inputs one by one, collects every problem instead of stopping at the first, and lets values
 * that a preview does not know yet pass as they are.
 *
 * No failure names a property to the engine, which prints the value of every property that one names, Pulumi secrets
 * included; nor does a reason say a value, only what kind of value it is. The reason begins with a code.
 */
export class InputCheck {
  readonly failures: CheckFailure[] = [];

  constructor(
    readonly news: Properties,
    allowed: readonly string[],
  ) {
    for (const property of Object.keys(news)) {
      if (!allowed.includes(property) && !property.startsWith("__")) {
        this.failUnnamed(`${shownName(property)} is not a property of this resource`);
      }
    }
  }

  /** Of one property, which the reason then begins with. */
  fail(property: string, reason: string): void {
    this.failUnnamed(`${property}: ${reason}`);
  }

  /** Of the resource as a whole, or with another code than `KV_INVALID_INPUT`, which the reason then begins with. */
  failUnnamed(reason: string): void {
    this.failures.push({ property: "", reason: /^KV_[A-Z_]+: /.test(reason) ? reason : `KV_INVALID_INPUT: ${reason}` });
  }

  boolean(property: string): boolean | string | undefined {
    const value = this.news[property];
    if (value === undefined || value === null) return undefined;
    if (typeof value === "boolean" || isUnknown(value)) return value as boolean | string;
    this.fail(property, `must be true or false, and is ${describeValue(value)}`);
    return undefined;
  }

  text(property: string, rule: { pattern?: RegExp; oneOf?: readonly string[]; what: string }): string | undefined {
    const value = this.news[property];
    if (value === undefined || value === null) return undefined;
    if (isUnknown(value)) return value as string;
    const fits =
      typeof value === "string" &&
      (!rule.pattern || rule.pattern.test(value)) &&
      (!rule.oneOf || rule.oneOf.includes(value));
    if (fits) return value;
    this.fail(property, `must be ${rule.what}, and is ${describeValue(value)}`);
    return undefined;
  }

  /** A moment in ISO 8601, normalised to whole seconds in UTC as the service keeps it. A moment in the past is one, too. */
  moment(property: string): string | undefined {
    const value = this.news[property];
    if (value === undefined || value === null) return undefined;
    if (isUnknown(value)) return value as string;
    const read =
      typeof value === "string" ? readMoment(value) : { problem: `${MOMENT}, and is ${describeValue(value)}` };
    if ("moment" in read) return formatMoment(read.moment);
    this.fail(property, read.problem);
    return undefined;
  }

  tags(limit: { count: number; length: number }): Record<string, string> | string | undefined {
    const value = this.news.tags;
    if (value === undefined || value === null) return undefined;
    if (isUnknown(value)) return value as string;
    if (!isRecord(value)) {
      this.fail("tags", `must be a map of text to text, and is ${describeValue(value)}`);
      return undefined;
    }
    const entries = Object.entries(value);
    for (const [name, text] of entries) {
      if (typeof text !== "string") {
        this.fail("tags", `the value of tag ${shownName(name)} must be text, and is ${describeValue(text)}`);
      } else if (!isUnknown(text) && text.length > limit.length) {
        this.fail(
          "tags",
          `the value of tag ${shownName(name)} has ${text.length} characters; at most ${limit.length} are allowed`,
        );
      }
      if (name.length > limit.length) {
        this.fail("tags", `a tag name has ${name.length} characters; at most ${limit.length} are allowed`);
      }
    }
    if (entries.length > limit.count) {
      this.fail("tags", `${entries.length} tags; a vault allows at most ${limit.count} on one object`);
    }
    if (entries.length === 0) return undefined;
    return Object.fromEntries(entries.map(([name, text]) => [name, typeof text === "string" ? text : ""]));
  }

  record(property: string, shape: string): Record<string, unknown> | string | undefined {
    const value = this.news[property];
    if (value === undefined || value === null) return undefined;
    if (isUnknown(value)) return value as string;
    if (isRecord(value)) return value;
    this.fail(property, `must be ${shape}, and is ${describeValue(value)}`);
    return undefined;
  }

  /** True where any part of a property is not known in this preview. */
  isUnknownAnywhere(property: string): boolean {
    return containsUnknown(this.news[property]);
  }
}

export function isRecord(value: unknown): value is Record<string, unknown> {
  return value !== null && typeof value === "object" && !Array.isArray(value);
}
