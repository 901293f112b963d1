import { SeededRandom } from "../seeded-random.js";
import { flag, integer, oneOf, optional, record, type Shape, text } from "../shape.js";

/** What can go wrong between a client and the service. */
export const faultKinds = [
  /** The connection dies before the request is handled. */
  "dropBefore",
  /** The request is handled and committed, and the connection dies before the answer. */
  "dropAfter",
  /** A 5xx answer without handling. `status` says which; default 503. */
  "status",
  /** The answer comes after `milliseconds`. */
  "latency",
  /** The answer's body trickles over `milliseconds`. */
  "slowBody",
  /** The answer's JSON stops in the middle. */
  "truncated",
  /** The answer says it is HTML. */
  "contentType",
  /** 401: the token has expired. */
  "expiredToken",
  /** 401 with a claims challenge (CAE). */
  "claims",
  /** 429 without handling. */
  "throttled",
  /** 409 without handling: another operation on the same object came in between. */
  "conflict",
] as const;
export type FaultKind = (typeof faultKinds)[number];

/** A rule: which requests it hits, and how often. */
export interface FaultRule {
  kind: FaultKind;
  /** An operation's name (`importKey`, `getSecret`, …). Default: every operation. */
  operation?: string | undefined;
  method?: string | undefined;
  /** A part of the path. */
  path?: string | undefined;
  /** How many requests it hits before it is spent. Default: no end. */
  times?: number | undefined;
  /** How many matching requests it lets through first. Default 0. */
  after?: number | undefined;
  /** Of a hit, 0 to 1, drawn from the emulator's seed. Default 1. */
  probability?: number | undefined;
  status?: number | undefined;
  milliseconds?: number | undefined;
}

const probability: Shape<number> = {
  check: (value) => (typeof value === "number" && value >= 0 && value <= 1 ? { value } : undefined),
};

/** A rule as the control endpoint takes it. */
export const faultRules = record({
  kind: oneOf(...faultKinds),
  operation: optional(text(64)),
  method: optional(text(16)),
  path: optional(text(256)),
  times: optional(integer(0, 1_000_000)),
  after: optional(integer(0, 1_000_000)),
  probability: optional(probability),
  status: optional(integer(400, 599)),
  milliseconds: optional(integer(0, 600_000)),
  clear: optional(flag()),
});

interface Armed {
  readonly rule: FaultRule;
  seen: number;
  hits: number;
}

/** The faults of one emulator. The same seed and the same requests give the same faults. */
export class Faults {
  readonly #random: SeededRandom;
  #armed: Armed[] = [];

  constructor(seed: string | number = 1) {
    this.#random = new SeededRandom(`faults ${seed}`);
  }

  /** Adds a rule; rules are tried in the order they were added and the first that hits wins. */
  add(rule: FaultRule): void {
    this.#armed.push({ rule: { ...rule }, seen: 0, hits: 0 });
  }

  clear(): void {
    this.#armed = [];
  }

  get rules(): readonly FaultRule[] {
    return this.#armed.map((each) => ({ ...each.rule }));
  }

  /** The rule that hits this request, if one does. */
  draw(request: { operation: string; method: string; path: string }): FaultRule | undefined {
    for (const armed of this.#armed) {
      const { rule } = armed;
      if (rule.operation !== undefined && rule.operation !== request.operation) continue;
      if (rule.method !== undefined && rule.method.toUpperCase() !== request.method) continue;
      if (rule.path !== undefined && !request.path.includes(rule.path)) continue;
      armed.seen += 1;
      if (armed.seen <= (rule.after ?? 0) || armed.hits >= (rule.times ?? Number.POSITIVE_INFINITY)) continue;
      if (rule.probability !== undefined && this.#random.next() >= rule.probability) continue;
      armed.hits += 1;
      return rule;
    }
    return undefined;
  }
}
