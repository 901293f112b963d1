import { absencesOf, type Claim, claimsOf, gone, objectKey, type Phase, phases, type SeenVersion } from "./evidence.js";
import { stringAt } from "./json.js";
import type { RecordedCollection } from "./operation.js";
import type { Scenario, Step } from "./scenario.js";

/** An object of a recording, with the versions that the recording shows but does not make. */
export interface GivenObject {
  host: string;
  collection: RecordedCollection;
  name: string;
  given: SeenVersion[];
}

/** Something that happened before a step and was not recorded: the object came to stand in `to`. */
export interface Offstage {
  object: GivenObject;
  from: Phase;
  to: Phase;
}

/** A version that somebody wrote between two recorded exchanges. */
export interface UnrecordedWrite {
  object: GivenObject;
  seen: SeenVersion;
}

/** The step, counted from the first, before which an asynchronous change has to be over. */
export interface Finish {
  deletedBy: number | undefined;
  readableBy: number | undefined;
  writableBy: number | undefined;
  purgedBy: number | undefined;
}

/** What the replay has to arrange around the recorded requests. */
export interface Plan {
  objects: Map<string, GivenObject>;
  objectOf(host: string, collection: RecordedCollection, name: string): GivenObject | undefined;
  /** Unrecorded changes by the step that they precede. */
  offstage: Map<number, Offstage[]>;
  /** Unrecorded new versions by the step that first shows them. */
  writes: Map<number, UnrecordedWrite[]>;
  /**
   * For an object as it is touched at a step (or half a step before it, off stage): when what begins there has to be
   * over.
   */
  finish(host: string, collection: RecordedCollection, name: string, step: number): Finish;
}

interface Dated {
  step: number;
  claim: Claim;
}

/**
 * Finds out which state a recording takes for granted. An object starts in the first phase that agrees with everything
 * the recording shows of it until something is done to it; where a later step agrees with no phase that the object can
 * be in, somebody else must have changed it in between.
 */
export function planOf(scenario: Scenario): Plan {
  const histories = historiesOf(scenario.steps);
  const objects = new Map<string, GivenObject>();
  const offstage = new Map<number, Offstage[]>();
  const writes = new Map<number, UnrecordedWrite[]>();
  const interruptions = new Map<string, number[]>();
  for (const [key, history] of histories) {
    const first = history[0]?.claim;
    if (first === undefined) continue;
    const { given, late } = versionsOf(history);
    const object: GivenObject = { host: first.host, collection: first.collection, name: first.name, given };
    for (const { step, seen } of late) writes.set(step, [...(writes.get(step) ?? []), { object, seen }]);
    objects.set(key, object);
    for (const { step, from, to } of changesOf(object, history)) {
      offstage.set(step, [...(offstage.get(step) ?? []), { object, from, to }]);
      interruptions.set(key, [...(interruptions.get(key) ?? []), step]);
    }
  }
  return {
    objects,
    objectOf: (host, collection, name) => objects.get(objectKey(host, collection, name)),
    offstage,
    writes,
    finish: (host, collection, name, step) => {
      const key = objectKey(host, collection, name);
      return finishOf(histories.get(key) ?? [], step, interruptions.get(key) ?? []);
    },
  };
}

function historiesOf(steps: Step[]): Map<string, Dated[]> {
  const histories = new Map<string, Dated[]>();
  const direct = withForeignRestores(steps, withMissedVersions(steps.map(claimsOf)));
  const mentioned = new Map<string, Claim>();
  for (const claim of direct.flat()) {
    const key = objectKey(claim.host, claim.collection, claim.name);
    if (!mentioned.has(key)) mentioned.set(key, claim);
  }
  for (const [index, step] of steps.entries()) {
    for (const claim of [...(direct[index] ?? []), ...absencesOf(step, mentioned.values())]) {
      const key = objectKey(claim.host, claim.collection, claim.name);
      histories.set(key, [...(histories.get(key) ?? []), { step: index, claim }]);
    }
  }
  return histories;
}

/** A version that is not found although the recording shows it elsewhere is away with its object. */
function withMissedVersions(direct: Claim[][]): Claim[][] {
  const shown = new Set(direct.flat().map(({ seen }) => seen?.version));
  return direct.map((claims) =>
    claims.map((claim) => (claim.missed !== undefined && shown.has(claim.missed) ? { ...claim, before: gone } : claim)),
  );
}

/** What is restored from a blob that no earlier exchange took was there before the recording. */
function withForeignRestores(steps: Step[], direct: Claim[][]): Claim[][] {
  const taken = new Set<unknown>();
  return direct.map((claims, index) => {
    const step = steps[index];
    const { request, response } = step?.exchange ?? {};
    if (step?.operation.kind === "backup") taken.add(stringAt(response?.body, "value"));
    if (step?.operation.kind !== "restore" || taken.has(stringAt(request?.body, "value") ?? "")) return claims;
    return claims.map((claim) => ({ ...claim, describes: true }));
  });
}

interface Versions {
  /** Shown, and not made by an earlier step: oldest first, the one without a version last. */
  given: SeenVersion[];
  /** Current at a step, where another version was current before, and nothing recorded made it. */
  late: { step: number; seen: SeenVersion }[];
}

function versionsOf(history: Dated[]): Versions {
  const made = new Set<string>();
  const given = new Map<string, SeenVersion>();
  const late: Versions["late"] = [];
  let unnamed: SeenVersion | undefined;
  let current: string | undefined;
  for (const { step, claim } of history) {
    const { seen } = claim;
    if (seen === undefined) continue;
    if (claim.produces && claim.describes !== true) {
      if (seen.version !== undefined) made.add(seen.version);
      current = seen.version;
      continue;
    }
    if (seen.version === undefined) {
      if (made.size === 0) unnamed = richer(unnamed, seen);
      continue;
    }
    if (!made.has(seen.version)) {
      const known = given.get(seen.version);
      if (seen.isCurrent === true && known === undefined && current !== undefined && current !== seen.version) {
        late.push({ step, seen });
        made.add(seen.version);
      } else {
        const isCurrent = known?.isCurrent === true || (made.size === 0 && seen.isCurrent === true);
        const before = known ?? (isCurrent ? unnamed : undefined);
        given.set(seen.version, { ...richer(before, seen), version: seen.version, isCurrent });
      }
    }
    if (seen.isCurrent === true) current = seen.version;
  }
  const rank = (seen: SeenVersion) => (seen.isCurrent === true ? 1 : 0);
  const versions = [...given.values()].sort((a, b) => rank(a) - rank(b) || (a.created ?? 0) - (b.created ?? 0));
  if (unnamed !== undefined && (versions.length === 0 || differs(unnamed, versions))) versions.push(unnamed);
  return { given: versions, late };
}

/** A list item without version that carries another creation date than all versions seen is one more version. */
function differs(item: SeenVersion, versions: SeenVersion[]): boolean {
  return (
    item.created !== undefined && versions.every(({ created }) => created !== undefined && created !== item.created)
  );
}

function richer(known: SeenVersion | undefined, seen: SeenVersion): SeenVersion {
  if (known?.body.attributes === undefined) {
    const isDisabled = known?.isDisabled === true || (seen.isDisabled === true && seen.body.attributes === undefined);
    return { ...seen, version: seen.version ?? known?.version, isDisabled };
  }
  const body = { ...known.body };
  for (const member of ["key", "value", "managed", "release_policy"]) body[member] ??= seen.body[member];
  return { ...known, body, created: known.created ?? seen.created };
}

/** Changes that nobody has to ask for: they come with time. */
const inTime: Partial<Record<Phase, Phase>> = {
  deleting: "deleted",
  recovering: "readable",
  readable: "active",
  purging: "absent",
};

function* changesOf(object: GivenObject, history: Dated[]): Generator<{ step: number; from: Phase; to: Phase }> {
  let possible = new Set<Phase>([startOf(object, history)]);
  const start = [...possible][0] ?? "absent";
  if (start !== "absent") yield { step: 0, from: "absent", to: start };
  for (const [index, { step, claim }] of history.entries()) {
    const reached = agreeing(possible, claim);
    if (reached.size === 0) {
      const to = phases.find((phase) => agreesWith(phase, history.slice(index))) ?? [...claim.before][0] ?? "absent";
      yield { step, from: settled(possible), to };
      possible = agreeing(new Set([to]), claim);
    } else {
      possible = reached;
    }
    if (claim.after !== undefined) possible = new Set([claim.after]);
  }
}

/** A version that is shown before anything made it was there from the start. */
function startOf(object: GivenObject, history: Dated[]): Phase {
  const agreed = phases.find((phase) => agreesWith(phase, history)) ?? "absent";
  const made = history.findIndex(({ claim }) => claim.produces);
  const shownLater =
    object.given.length > 0 &&
    history.slice(0, made + 1).every(({ claim }) => claim.seen === undefined || claim.produces);
  return agreed === "absent" && shownLater && history[made]?.claim.before.has("active") === true ? "active" : agreed;
}

function agreesWith(phase: Phase, history: Dated[]): boolean {
  let possible = new Set<Phase>([phase]);
  for (const { claim } of history) {
    possible = agreeing(possible, claim);
    if (possible.size === 0) return false;
    if (claim.after !== undefined) return true;
  }
  return true;
}

function agreeing(possible: ReadonlySet<Phase>, claim: Claim): Set<Phase> {
  const reachable = new Set<Phase>();
  for (const phase of possible) {
    for (let next: Phase | undefined = phase; next !== undefined; next = inTime[next]) reachable.add(next);
  }
  return new Set([...reachable].filter((phase) => claim.before.has(phase)));
}

/** Where an object stands when nothing more happens to it. */
function settled(possible: ReadonlySet<Phase>): Phase {
  let phase = [...possible][0] ?? "absent";
  for (let next = inTime[phase]; next !== undefined; next = inTime[phase]) phase = next;
  return phase;
}

/** What changes off stage interrupt has to be over by then, too. */
function finishOf(history: Dated[], step: number, interruptions: number[]): Finish {
  const later = history.filter((entry) => entry.step > step);
  const until = later.findIndex(({ claim }) => claim.after !== undefined);
  const reach = until === -1 ? later : later.slice(0, until + 1);
  const interrupted = interruptions.find((at) => at > Math.ceil(step)) ?? Number.POSITIVE_INFINITY;
  const firstWithout = (...pending: Phase[]) => {
    const shown = reach.find(({ claim }) => pending.every((phase) => !claim.before.has(phase)))?.step;
    const by = Math.min(shown ?? Number.POSITIVE_INFINITY, interrupted);
    return Number.isFinite(by) ? by : undefined;
  };
  return {
    deletedBy: firstWithout("deleting"),
    readableBy: firstWithout("recovering"),
    writableBy: firstWithout("recovering", "readable"),
    purgedBy: firstWithout("purging"),
  };
}
