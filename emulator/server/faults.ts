import { operations } from "../operations/index.js";
import { SeededRandom } from "../seeded-random.js";
import { integer, isRecord, oneOf, type Shape, text } from "../shape.js";

/** Whether the request that a fault hits is carried out: not at all, before the fault shows, or after it. */
export type FaultCommit = "never" | "first" | "late";

/**
 * What a fault may say beside which requests it hits. `commits` names what happens where nothing is said; a kind without
 * it spoils the answer of a request that has been carried out.
 */
interface KindRules {
  readonly commits?: FaultCommit;
  readonly takes?: readonly (keyof FaultRule)[];
}

/** What can go wrong between a client and the service. */
const kinds = {
  /** The connection dies before the request is handled. */
  dropBefore: {},
  /** The request is handled and committed, and the connection dies before the answer. */
  dropAfter: {},
  /** The connection dies; `commits` says what becomes of the request. */
  drop: { commits: "never" },
  /** Nothing at all: the connection stays open, and no answer comes. */
  silence: { commits: "never" },
  /** An answer of `status` (default 503) with these codes and words. */
  status: { commits: "never", takes: ["status", "code", "innerCode", "message", "retryAfterSeconds"] },
  /** 429, without Retry-After unless `retryAfterSeconds` says so. */
  throttled: { commits: "never", takes: ["retryAfterSeconds"] },
  /** 409 without an inner code: another operation on the same object came in between. */
  conflict: { commits: "never" },
  /** As `conflict`, for a write that comes within `milliseconds` after another one of the same object. */
  parallelWrites: { commits: "never", takes: ["milliseconds"] },
  /** 401: the token has expired. */
  expiredToken: { commits: "never" },
  /** 401 with a claims challenge (CAE). */
  claims: { commits: "never" },
  /** A page of a gateway: HTML with `status` (default 200). */
  html: { commits: "never", takes: ["status"] },
  /** The answer comes after `milliseconds`. */
  latency: { takes: ["milliseconds"] },
  /** The answer's body trickles over `milliseconds`. */
  slowBody: { takes: ["milliseconds"] },
  /** The connection dies in the middle of the answer. */
  cut: {},
  /** The answer ends as announced, and its JSON stops in the middle. */
  truncated: {},
  /** The answer says that its JSON is HTML. */
  contentType: {},
  /** The answer speaks of another object. */
  otherObject: {},
} as const satisfies Record<string, KindRules>;

export type FaultKind = keyof typeof kinds;
const rulesOf = (kind: FaultKind): KindRules => kinds[kind];

/** A rule: which requests it hits, how often, and what happens to them. */
export interface FaultRule {
  kind: FaultKind;
  /** An operation's name (`importKey`, `getSecret`, …). Default: every operation. */
  operation?: string | undefined;
  method?: string | undefined;
  /** A part of the path. */
  path?: string | undefined;
  /** The name of a key or secret, compared without case. */
  name?: string | undefined;
  /** Of one vault. Default: every vault. */
  vault?: string | undefined;
  /** How many requests it hits before it is spent. Default: no end. */
  times?: number | undefined;
  /** How many matching requests it lets through first. Default 0. */
  after?: number | undefined;
  /** Of a hit, 0 to 1, drawn from the emulator's seed. Default 1. */
  probability?: number | undefined;
  /**
   * For what answers instead of the service: whether the request is carried out all the same, before that (`first`) or
   * `milliseconds` after it on the emulator's clock (`late`). Default `never`.
   */
  commits?: FaultCommit | undefined;
  /** 200 to 599 for `html`, 400 to 599 else. */
  status?: number | undefined;
  code?: string | undefined;
  innerCode?: string | undefined;
  message?: string | undefined;
  retryAfterSeconds?: number | undefined;
  /** How late; default 1,000. */
  milliseconds?: number | undefined;
}

const share: Shape<number> = {
  check: (value) => (typeof value === "number" && value >= 0 && value <= 1 ? { value } : undefined),
};

/** Each member's values, and how they are told of. */
const members: Record<Exclude<keyof FaultRule, "kind">, { readonly shape: Shape<unknown>; readonly is: string }> = {
  operation: { shape: oneOf(...operations.map(({ name }) => name)), is: "the name of an operation, as importKey" },
  method: { shape: text(16), is: "an HTTP method" },
  path: { shape: text(256), is: "a part of a path" },
  name: { shape: text(127), is: "the name of a key or secret" },
  vault: { shape: text(24), is: "the name of a vault" },
  times: { shape: integer(0, 1_000_000), is: "a whole number from 0 to 1000000" },
  after: { shape: integer(0, 1_000_000), is: "a whole number from 0 to 1000000" },
  probability: { shape: share, is: "a number from 0 to 1" },
  commits: { shape: oneOf("never", "first", "late"), is: "never, first or late" },
  status: { shape: integer(200, 599), is: "a whole number from 400 to 599, for html from 200" },
  code: { shape: text(64), is: "a text of at most 64 characters" },
  innerCode: { shape: text(64), is: "a text of at most 64 characters" },
  message: { shape: text(1_024), is: "a text of at most 1024 characters" },
  retryAfterSeconds: { shape: integer(0, 86_400), is: "a whole number from 0 to 86400" },
  milliseconds: { shape: integer(0, 600_000), is: "a whole number from 0 to 600000" },
};
const aims: readonly (keyof FaultRule)[] = [
  "operation",
  "method",
  "path",
  "name",
  "vault",
  "times",
  "after",
  "probability",
];

/**
 * A rule as it may be written, in code, on a command line or in a request.
 *
 * @throws RangeError that says which member is wrong, and what it may be.
 */
export function readFaultRule(given: unknown): FaultRule {
  if (!isRecord(given)) throw new RangeError("A fault is an object with a kind.");
  const { kind, ...rest } = given;
  if (!isFaultKind(kind)) {
    throw new RangeError(`"${String(kind)}" is no kind of fault: it is one of ${Object.keys(kinds).join(", ")}.`);
  }
  const rule: FaultRule = { kind };
  for (const [name, value] of Object.entries(rest)) {
    if (value === undefined || value === null) continue;
    if (!isMember(name)) {
      throw new RangeError(`A fault has no "${name}": its members are kind, ${Object.keys(members).join(", ")}.`);
    }
    const checked = members[name].shape.check(value);
    if (checked === undefined) throw new RangeError(`A fault's ${name} is ${members[name].is}.`);
    Object.assign(rule, { [name]: checked.value });
  }
  requireFitting(rule);
  return rule;
}

function requireFitting(rule: FaultRule): void {
  const { commits, takes = [] } = rulesOf(rule.kind);
  const isLate = commits !== undefined && rule.commits === "late";
  for (const name of Object.keys(rule)) {
    if (name === "kind" || !isMember(name) || aims.includes(name) || takes.includes(name)) continue;
    if (name === "commits" && commits !== undefined) continue;
    if (name === "milliseconds" && isLate) continue;
    throw new RangeError(
      name === "milliseconds" && commits !== undefined
        ? `A fault of kind ${rule.kind} takes milliseconds only with commits "late".`
        : `A fault of kind ${rule.kind} takes no ${name}.`,
    );
  }
  if (rule.status !== undefined && rule.status < 400 && rule.kind !== "html") {
    throw new RangeError(`A fault's status is ${members.status.is}.`);
  }
}

const isFaultKind = (kind: unknown): kind is FaultKind => typeof kind === "string" && Object.hasOwn(kinds, kind);
const isMember = (name: string): name is keyof typeof members => Object.hasOwn(members, name);

/** What becomes of the request that the rule hits. */
export function commitOf(rule: FaultRule): FaultCommit {
  if (rule.kind === "dropBefore") return "never";
  return rule.commits ?? rulesOf(rule.kind).commits ?? "first";
}

/** @internal */
interface Armed {
  readonly rule: FaultRule;
  seen: number;
  hits: number;
  /** Until when the objects are being written to that a rule keeps. */
  readonly kept: Map<string, number>;
}

/** Writes that the service does not take in parallel for one name. */
const keepingWrites: ReadonlySet<string> = new Set([
  "createKey",
  "importKey",
  "rotateKey",
  "updateKey",
  "deleteKey",
  "updateKeyRotationPolicy",
  "setSecret",
  "updateSecret",
  "deleteSecret",
]);

/** A request as rules look at it. */
export interface FaultTarget {
  readonly operation: string;
  readonly method: string;
  readonly path: string;
  readonly name: string;
  readonly vault: string;
  /** On the emulator's clock. */
  readonly now: number;
}

/** The faults of one emulator. The same seed and the same requests give the same faults. */
export class Faults {
  readonly #random: SeededRandom;
  #armed: Armed[] = [];

  constructor(seed: string | number = 1) {
    this.#random = new SeededRandom(`faults ${seed}`);
  }

  /**
   * Adds a rule; rules are tried in the order they were added and the first that hits wins.
   *
   * @throws RangeError for a rule that means nothing.
   */
  add(rule: FaultRule): void {
    this.#armed.push({ rule: readFaultRule(rule), seen: 0, hits: 0, kept: new Map() });
  }

  clear(): void {
    this.#armed = [];
  }

  get rules(): readonly FaultRule[] {
    return this.#armed.map((each) => ({ ...each.rule }));
  }

  /** The rule that hits this request, if one does. */
  draw(request: FaultTarget): FaultRule | undefined {
    for (const armed of this.#armed) {
      const { rule } = armed;
      if (!isAimedAt(rule, request)) continue;
      armed.seen += 1;
      if (armed.seen <= (rule.after ?? 0) || armed.hits >= (rule.times ?? Number.POSITIVE_INFINITY)) continue;
      if (rule.probability !== undefined && this.#random.next() >= rule.probability) continue;
      if (rule.kind === "parallelWrites" && !isKept(armed, request)) continue;
      armed.hits += 1;
      return rule;
    }
    return undefined;
  }
}

/** Whether somebody else is writing the object at this moment. If not, this request is, for a while. */
function isKept({ rule, kept }: Armed, { operation, path, name, vault, now }: FaultTarget): boolean {
  if (!keepingWrites.has(operation)) return false;
  const object = `${vault}/${path.split("/")[1]}/${name.toUpperCase()}`;
  if (now < (kept.get(object) ?? 0)) return true;
  kept.set(object, now + (rule.milliseconds ?? 1_000));
  return false;
}

function isAimedAt(rule: FaultRule, request: FaultTarget): boolean {
  if (rule.operation !== undefined && rule.operation !== request.operation) return false;
  if (rule.method !== undefined && rule.method.toUpperCase() !== request.method) return false;
  if (rule.path !== undefined && !request.path.includes(rule.path)) return false;
  if (rule.name !== undefined && rule.name.toUpperCase() !== request.name.toUpperCase()) return false;
  return rule.vault === undefined || rule.vault.toUpperCase() === request.vault.toUpperCase();
}
