import { READ_IN_PART } from "../../provider/engine/lifecycle.js";
import { isUnknown } from "../../provider/engine/unknown.js";
import { isInventoryReport } from "../../provider/inventory/inventory-report.js";
import { KEY_ATTRIBUTES } from "../../provider/key/key-attributes.js";
import { type DeletionReport, parseDeletionReport } from "../../provider/object/deletion-report.js";
import { isRefusalReport } from "../../provider/object/refusal-report.js";
import { parseStalenessReport } from "../../provider/object/staleness-report.js";
import { parseUnmanagedChange } from "../../provider/object/unmanaged-change.js";
import { SECRET_ATTRIBUTES } from "../../provider/secret/secret-attributes.js";
import { CliError } from "../failure/cli-error.js";
import { consequenceOfChange, consequenceOfLoss, type NextStep, SETTLED } from "./consequence.js";
import {
  isHiddenSet,
  isUnreadPath,
  keysOfSet,
  type Observation,
  unreadKeys,
  withoutUnreadKeys,
} from "./keys-of-set.js";
import { plannedUpdate } from "./planned-update.js";
import { failureOf, hasFailed } from "./preview-failure.js";
import type { Preview, PreviewStep, ResourceState } from "./preview-json.js";
import {
  type Difference,
  differences,
  isObject,
  isSecret,
  type Properties,
  same,
  valueAt,
  withoutFindings,
  withoutNotes,
} from "./property-values.js";
import { describeObject, identify, isKeyVaultType, type ResourceIdentity } from "./resource-identity.js";
import { shownName, shownProperty } from "./shown-property.js";

/** One property in which the vault left the recorded state. */
export interface DriftedProperty {
  /** Such as `tags.team`; empty where the whole object is gone. */
  property: string;
  /** As text for people; undefined where there was nothing. Secrets are `(secret)`. */
  recorded: string | undefined;
  observed: string | undefined;
  /** What the next `pulumi up --refresh` does about it. */
  consequence: string;
}

export interface DriftedResource extends ResourceIdentity {
  changes: DriftedProperty[];
}

/** A change that the program asks for and that has not been deployed: no drift. */
export interface PendingChange extends ResourceIdentity {
  /** Such as `update` or `create`. */
  operation: string;
  properties: string[];
}

/** A resource of which nothing is known, as its object could not be read; or one key of a set. */
export interface UnreadResource extends ResourceIdentity {
  /** The error, on one line. */
  reason: string;
}

/** What a preview tells of a stack and the cloud. */
export interface DriftReport {
  /** Left the recorded state, and the next `up --refresh` acts on it. */
  drifted: DriftedResource[];
  /** Left the recorded state, and the program agrees or ignores it: the next `up` does nothing. */
  settled: DriftedResource[];
  /** Changed in the vault, in what the program leaves out: no drift, and nothing acts on it. */
  unmanaged: DriftedResource[];
  pending: PendingChange[];
  /** Changes only because something that it depends on does, such as a backup that is taken again. */
  followUps: ResourceIdentity[];
  /** Every resource that was compared. */
  compared: ResourceIdentity[];
  /** The report is complete where there are none. */
  unread: UnreadResource[];
  /** Of several stacks, those that could not be previewed. */
  failedStacks: { stack: string; reason: string }[];
  notes: string[];
}

/**
 * Tells drift from pending changes. A preview with refresh has two steps for a resource: the refresh, with the state
 * as it was recorded, and the program's step, with the state as the refresh found it. A preview of a refresh alone
 * has one step with both.
 */
export function driftReport(preview: Preview): DriftReport {
  const isCutShort = hasFailed(preview);
  const asksProgram = preview.steps.some(({ op, urn }) => op !== "refresh" && urn.includes("::pulumi:pulumi:Stack::"));
  const isRefreshed = preview.steps.some(({ op }) => op === "refresh");
  if (!isRefreshed && preview.steps.some(({ oldState }) => oldState)) throw notRefreshed();
  const observations = asksProgram ? fromPreview(preview.steps) : fromRefresh(preview.steps);
  const report = emptyReport();
  for (const refreshed of observations.filter(({ urn }) => !isRoot(urn))) {
    const observation = withoutUnreadKeys(refreshed);
    const identity = identify(observation.urn, observation.recorded.inputs);
    if (isCutShort && !isTold(observation, preview, asksProgram)) {
      report.unread.push({ ...identity, reason: reasonOf(observation.urn, preview) });
      continue;
    }
    report.compared.push(identity);
    report.unread.push(...unreadOf(refreshed, identity, preview));
    const keys = keysOfSet(observation);
    if (keys === undefined && isHiddenSet(observation)) sortHiddenSetInto(report, observation);
    else if (keys === undefined) sortInto(report, observation, preview, asksProgram);
    else sortSetInto(report, observation, keys, { preview, asksProgram });
  }
  if (asksProgram) report.pending.push(...creations(preview.steps, observations));
  report.notes = notes(preview, report);
  for (const list of [report.drifted, report.settled, report.pending, report.followUps, report.compared]) {
    list.sort((a, b) => (label(a) < label(b) ? -1 : 1));
  }
  return report;
}

/** What a refresh could not read of a resource: the keys of a set by name, where anything tells them. */
function unreadOf(refreshed: Observation, identity: ResourceIdentity, { diagnostics }: Preview): UnreadResource[] {
  const warning = diagnostics.find(({ urn, message }) => urn === refreshed.urn && isUnhealthy(message))?.message;
  const told = warning?.replace(UNHEALTHY, "").replace(/\s+/g, " ").trim();
  const keys = unreadKeys(refreshed).map(({ object, reason }) => ({
    ...identity,
    object,
    reason: reason ?? told ?? "the last refresh could not read it",
  }));
  if (keys.length > 0 || told === undefined || !isKeyVaultType(refreshed)) return keys;
  return [{ ...identity, reason: told }];
}

/** Whether a preview that failed came as far as to tell what it found of a resource, or that it is gone. */
function isTold({ urn, program, observed, details, recorded }: Observation, preview: Preview, asksProgram: boolean) {
  if (deletionOf(identify(urn, recorded.inputs), preview) !== undefined) return true;
  return asksProgram ? program !== undefined : observed === undefined || (details ?? undefined) !== undefined;
}

function reasonOf(urn: string, preview: Preview): string {
  const own = preview.diagnostics.find((diagnostic) => diagnostic.urn === urn && diagnostic.severity === "error");
  return own ? failureOf(own.message).replace(/\s+/g, " ") : "the preview failed before it told of it";
}

export function emptyReport(): DriftReport {
  return {
    drifted: [],
    settled: [],
    unmanaged: [],
    pending: [],
    followUps: [],
    compared: [],
    unread: [],
    failedStacks: [],
    notes: [],
  };
}

/** Whether all that was asked for is in the report. */
export function isComplete({ unread, failedStacks }: DriftReport): boolean {
  return unread.length === 0 && failedStacks.length === 0;
}

function label({ type, name, urn }: ResourceIdentity): string {
  return `${type} ${name} ${urn}`;
}

function isRoot(urn: string): boolean {
  return urn.includes("::pulumi:pulumi:Stack::") || urn.includes("::pulumi:providers:");
}

/** Steps that a stack reference or `.get` takes in every run do not change anything either. */
function changesNothing({ op }: PreviewStep): boolean {
  return ["same", "refresh", "read", "read-replacement", "read-discard"].includes(op);
}

function notRefreshed(): CliError {
  return new CliError(
    "KV_NOT_A_PREVIEW",
    "the preview was made without --refresh, so it says nothing of the cloud: make it with `pulumi preview --refresh --json --non-interactive`",
  );
}

function fromPreview(steps: readonly PreviewStep[]): Observation[] {
  const ownSteps = new Map<string, PreviewStep[]>();
  for (const step of steps.filter(({ op }) => op !== "refresh")) {
    // What an alias renames is refreshed under its old name.
    const urn = step.oldState?.urn ?? step.urn;
    ownSteps.set(urn, [...(ownSteps.get(urn) ?? []), step]);
  }
  return steps.flatMap(({ op, urn, oldState: recorded }) => {
    if (op !== "refresh" || !recorded) return [];
    const own = ownSteps.get(urn) ?? [];
    const program = own.find((step) => step.op === "replace") ?? own.find(({ newState }) => newState) ?? own[0];
    const observed = own.find(({ oldState }) => oldState)?.oldState ?? undefined;
    return [{ urn, recorded, observed, program, details: program?.detailedDiff }];
  });
}

function fromRefresh(steps: readonly PreviewStep[]): Observation[] {
  return steps.flatMap(({ urn, op, oldState, newState, detailedDiff }) => {
    if (!oldState) return [];
    const observed = op === "delete" ? undefined : (newState ?? oldState);
    return [{ urn, recorded: oldState, observed, program: undefined, details: detailedDiff }];
  });
}

/** One resource in the report, whose properties are those of its keys: `keys.pump-17.thumbprint`. */
function sortSetInto(
  report: DriftReport,
  observation: Observation,
  keys: readonly Observation[],
  { preview, asksProgram }: { preview: Preview; asksProgram: boolean },
): void {
  const identity = identify(observation.urn, observation.recorded.inputs);
  const lists: Record<"drifted" | "settled" | "unmanaged", DriftedProperty[]> = {
    drifted: [],
    settled: [],
    unmanaged: [],
  };
  for (const key of keys) {
    const ofKey = emptyReport();
    sortInto(ofKey, key, preview, asksProgram);
    for (const list of ["drifted", "settled", "unmanaged"] as const) {
      for (const change of ofKey[list].flatMap(({ changes }) => changes)) {
        const property = change.property === "" ? `keys.${key.key}` : `keys.${key.key}.${change.property}`;
        lists[list].push({ ...change, property });
      }
    }
  }
  for (const list of ["drifted", "settled", "unmanaged"] as const) {
    if (lists[list].length > 0) report[list].push({ ...identity, changes: lists[list] });
  }
  const { recorded, observed, program } = observation;
  if (!program || changesNothing(program)) return;
  const found = differences(recorded.inputs ?? {}, observed?.inputs ?? {});
  const { pending: differing, isFollowUp } = pendingOf(observation, found);
  // What an earlier refresh has noted in the inputs is told as what it is.
  const told = new Set([...lists.drifted, ...lists.settled].map(({ property }) => property));
  const pending = [...differing, ...namesWithoutMembers(recorded, program)].filter((path) => !told.has(path)).sort();
  if (pending.length > 0) report.pending.push({ ...identity, operation: program.op, properties: pending });
  else if (isFollowUp && found.length === 0) report.followUps.push(identity);
}

/** Keys that the program adds or takes away and of which it says nothing of their own. */
function namesWithoutMembers(recorded: ResourceState, { newState }: PreviewStep): string[] {
  const [before, after] = [recorded.inputs?.keys, newState?.inputs?.keys];
  if (!isObject(before) || !isObject(after)) return [];
  return [...new Set([...Object.keys(before), ...Object.keys(after)])]
    .filter((name) => Object.hasOwn(before, name) !== Object.hasOwn(after, name))
    .filter((name) => same(Object.hasOwn(before, name) ? before[name] : after[name], {}))
    .map((name) => `keys.${name}`);
}

/**
 * A set with a secret among its settings, through the plugin: state hides all of its keys. What differs is known by the
 * engine's list alone, and whether the vault or the program has changed it is not: it counts as drift.
 */
function sortHiddenSetInto(report: DriftReport, observation: Observation): void {
  const { recorded, program } = observation;
  if (program && changesNothing(program)) return;
  const identity = identify(observation.urn, recorded.inputs);
  const paths = Object.keys(observation.details ?? {}).filter((path) => rootOf(path) === "keys" && !isUnreadPath(path));
  if (paths.length > 0) {
    const changes = paths.map((path) => ({
      property: shownName(path),
      recorded: "(secret)",
      observed: "(secret, changed)",
      consequence: program
        ? "sets it to what the program says, unless it is the program that has changed: the set has a secret, and its state hides which"
        : "sets it to what the program says",
    }));
    report.drifted.push({ ...identity, changes });
  }
  if (!program) return;
  const { pending } = pendingOf(observation, []);
  const others = pending.filter((path) => rootOf(path) !== "keys");
  if (others.length > 0) report.pending.push({ ...identity, operation: program.op, properties: others });
}

function identityOf({ urn, recorded, observed, key }: Observation): ResourceIdentity {
  const identity = identify(urn, recorded.inputs);
  const vaultUrl = recorded.inputs?.vaultUrl ?? observed?.inputs?.vaultUrl;
  if (key === undefined || typeof vaultUrl !== "string") return identity;
  return { ...identity, object: { kind: "key", name: key, vaultUrl } };
}

function sortInto(report: DriftReport, observation: Observation, preview: Preview, asksProgram: boolean): void {
  const { recorded, observed, program } = observation;
  const identity = identityOf(observation);
  if (!observed) {
    // A run with targets leaves the others out after their refresh: what it does not show is not gone.
    const isTold = program !== undefined || !asksProgram || deletionOf(identity, preview) !== undefined;
    if (isTold) report.drifted.push({ ...identity, changes: [loss(identity, observation, preview, asksProgram)] });
    return;
  }
  const left = leftToVault(identity, observation, preview);
  if (left.length > 0) report.unmanaged.push({ ...identity, changes: left });
  const found = driftOf(observation);
  const isSettled = program !== undefined && changesNothing(program);
  const next = nextStep(observation, asksProgram);
  for (const [list, differences] of [
    [report.drifted, found.filter((difference) => !isSettled && !isAgreed(difference, next))],
    [report.settled, found.filter((difference) => isSettled || isAgreed(difference, next))],
  ] as const) {
    const changes = differences.map((difference) => ({
      ...shownProperty(recorded, difference),
      consequence: list === report.settled ? SETTLED : consequenceOfChange(next, difference.path),
    }));
    if (changes.length > 0) list.push({ ...identity, changes });
  }
  if (!program || isSettled) return;
  const { pending, isFollowUp } = pendingOf(observation, found);
  if (pending.length > 0 || (found.length === 0 && !isFollowUp)) {
    report.pending.push({ ...identity, operation: program.op, properties: pending });
  } else if (isFollowUp) report.followUps.push(identity);
}

/** Whether the program has come to say what the vault has: the update then has nothing to do about it. */
function isAgreed({ path, after }: Difference, { operation, inputs, plan }: NextStep): boolean {
  if (plan === undefined || operation !== "update" || plan.has(rootOf(path)) || isMaskedAt(inputs, path)) return false;
  return same(valueAt(withoutNotes(inputs), path), after);
}

/** Where the recorded and the refreshed state differ, as far as the program would see it. */
function driftOf({ recorded, observed, program, details, urn }: Observation): Difference[] {
  const before = recordedInputs(recorded);
  const after = observed?.inputs ?? {};
  const hidden = hiddenProperties(recorded, observed);
  const found = differences(before, after).filter(({ path }) => !hidden.has(rootOf(path)));
  // A digest is masked, with what an earlier refresh has noted in it.
  const isSwapped = recorded.outputs?.expectedValueDigest != null && "valueDigest" in (details ?? {});
  if (isSwapped) found.push({ path: "valueDigest", before: "[secret]", after: "[secret]" });
  const isTouched = ["version", "updatedOn"].some((fact) => !same(recorded.outputs?.[fact], observed?.outputs?.[fact]));
  const told = new Set(found.map(({ path }) => rootOf(path)));
  for (const path of Object.keys(details ?? {})) {
    const root = rootOf(path);
    if (told.has(root) || !isTouched || path.startsWith("__")) continue;
    if (!isMaskedAt(before, path) && !hidden.has(root)) continue;
    // Masked on both sides, but the vault has been written to since: a changed value that must not be shown.
    const isOwnVersion = root === "valueDigest" && same(recorded.outputs?.version, observed?.outputs?.version);
    if (!isOwnVersion) found.push({ path, before: "[secret]", after: "[secret]" });
  }
  if (found.length > 0 || isKeyVaultType({ urn }) || !program || changesNothing(program)) return found;
  return outputDrift(recorded, observed, program, hidden);
}

/** Other providers may tell drift in their outputs alone. */
function outputDrift(
  recorded: ResourceState,
  observed: ResourceState | undefined,
  program: PreviewStep,
  hidden: ReadonlySet<string>,
): Difference[] {
  if (!same(recorded.inputs ?? {}, program.newState?.inputs ?? {})) return [];
  const changed = differences(recorded.outputs ?? {}, observed?.outputs ?? {});
  const named = new Set(Object.keys(program.detailedDiff ?? {}).map(rootOf));
  return changed.filter(({ path }) => !hidden.has(rootOf(path)) && (named.size === 0 || named.has(rootOf(path))));
}

/** What the program changes of what was recorded. Values that are not known yet follow from something else. */
function pendingOf(
  { recorded, program }: Observation,
  drift: readonly Difference[],
): { pending: string[]; isFollowUp: boolean } {
  if (program?.newState === undefined || program.newState === null) {
    return { pending: [], isFollowUp: false };
  }
  const drifted = new Set(drift.map(({ path }) => path));
  const wanted = differences(recordedInputs(recorded), program.newState.inputs ?? {}).filter(
    // The digest of a generated value is in inputs only where a refresh has found another one.
    ({ path, after }) => !(path === "valueDigest" && after === undefined && drifted.has(path)),
  );
  // What the vault has already got to, as somebody was there before the program, is told as that.
  const known = wanted.filter(
    ({ path, after }) =>
      !isUnknown(after) && !drift.some((difference) => difference.path === path && same(difference.after, after)),
  );
  const masked = Object.keys(program.detailedDiff ?? {}).filter(
    (path) =>
      !path.startsWith("__") &&
      !drifted.has(path) &&
      isMaskedAt(recorded.inputs ?? {}, path) &&
      !known.some((difference) => difference.path === path),
  );
  return {
    pending: [...known.map(({ path }) => shownName(path)), ...masked.map(shownName)].sort(),
    isFollowUp: known.length === 0 && masked.length === 0 && wanted.length > 0,
  };
}

/** Resources that the program has and the state had not. */
function creations(steps: readonly PreviewStep[], observations: readonly Observation[]): PendingChange[] {
  const known = new Set(observations.flatMap(({ urn, program }) => [urn, program?.urn]));
  return steps
    .filter((step) => !changesNothing(step) && !known.has(step.urn) && !isRoot(step.urn))
    .map(({ op, urn, newState }) => ({ ...identify(urn, newState?.inputs), operation: op, properties: [] }));
}

/** What state says is to be there, whatever a refresh before this preview has found instead. */
function recordedInputs({ type, inputs, outputs }: ResourceState): Properties {
  if (!/:(Key|Secret)$/.test(type ?? "")) return inputs ?? {};
  // Of a key that names no material, the inputs alone have the thumbprint of another one in its place.
  const { thumbprint, ...rest } = inputs ?? {};
  const isNote = thumbprint !== undefined && outputs != null && outputs.thumbprint === undefined;
  return withoutFindings(isNote ? rest : (inputs ?? {}));
}

function nextStep({ recorded, observed, program, details }: Observation, asksProgram: boolean): NextStep {
  const inputs: Properties = program?.newState?.inputs ?? recorded.inputs ?? {};
  const type = (recorded.type ?? "").split(":").at(-1) ?? "";
  const found = { inputs: withoutNotes(observed?.inputs ?? {}), outputs: observed?.outputs ?? {} };
  const { unmanaged } = found.outputs;
  return {
    type,
    operation: program?.op ?? (asksProgram ? "none" : "unknown"),
    inputs,
    plan: plannedUpdate({ type, observed: found, inputs, differing: new Set(Object.keys(details ?? {}).map(rootOf)) }),
    unmanaged: Array.isArray(unmanaged) ? unmanaged.map(String) : [],
  };
}

function loss(
  identity: ResourceIdentity,
  observation: Observation,
  preview: Preview,
  asksProgram: boolean,
): DriftedProperty {
  const deletion = deletionOf(identity, preview);
  const isRecoverable = deletion?.state === "softDeleted";
  const when = deletion?.deletedOn === undefined ? "" : ` on ${deletion.deletedOn}`;
  const until = deletion?.recoverableUntil === undefined ? "" : `, recoverable until ${deletion.recoverableUntil}`;
  return {
    property: "",
    recorded: "present",
    observed: isRecoverable ? `soft-deleted${when}${until}` : "gone",
    consequence: consequenceOfLoss(nextStep(observation, asksProgram), isRecoverable),
  };
}

/** What the provider said in this run of an object that it did not find. */
function deletionOf({ object }: ResourceIdentity, { diagnostics }: Preview): DeletionReport | undefined {
  if (!object) return undefined;
  const label = describeObject(object);
  return diagnostics.map(({ message }) => parseDeletionReport(message)).find((deletion) => deletion?.label === label);
}

/**
 * What changed in the vault of what the program leaves to it. The provider says of which attributes, and the state as
 * it was and as it is tells the values, where it does not hide them.
 */
function leftToVault(
  { object }: ResourceIdentity,
  { recorded, observed }: Observation,
  { diagnostics }: Preview,
): DriftedProperty[] {
  if (!object) return [];
  const label = describeObject(object);
  const attributes = new Set(
    diagnostics.flatMap(({ message }) => {
      const change = parseUnmanagedChange(message);
      return change?.label === label ? [change.attribute] : [];
    }),
  );
  const isHidden = hiddenProperties(recorded, observed ?? undefined).has("found");
  return [...attributes].flatMap((attribute) => {
    const [before, after] = [foundIn(recorded, attribute), foundIn(observed, attribute)];
    const changes = isHidden ? [] : differences(before, after);
    const consequence = "nothing: the program leaves it to the vault, and state records it";
    if (changes.length === 0) return [{ property: attribute, recorded: undefined, observed: "changed", consequence }];
    return changes.map((difference) => ({ ...shownProperty(recorded, difference), consequence }));
  });
}

function foundIn(state: ResourceState | undefined, attribute: string): Properties {
  if (attribute === "version") return state?.outputs?.version === undefined ? {} : { version: state.outputs.version };
  const found = state?.outputs?.found;
  return isObject(found) && Object.hasOwn(found, attribute) ? { [attribute]: found[attribute] } : {};
}

/** What the engine reported beside the steps, without what the report says itself. */
function notes({ diagnostics }: Preview, { drifted, unread }: DriftReport): string[] {
  const inPart = new Set<string | undefined>(unread.map(({ urn }) => urn));
  const told = diagnostics
    .filter(({ severity, message }) => severity !== "debug" && severity !== "error" && !isReported(message, drifted))
    .filter(({ urn, message }) => !(inPart.has(urn) && isUnhealthy(message)))
    .map(({ message }) => message);
  return [...new Set(told)].filter((message) => message !== "");
}

/** What the engine says of a set of which not every key could be read. */
const UNHEALTHY = /^(warning: )?Refreshed resource is in an unhealthy state:?[\s*]*/;

function isUnhealthy(message: string): boolean {
  return UNHEALTHY.test(message);
}

/** True for what the provider says of a refresh and the report has from the resource itself. */
function isReported(message: string, drifted: readonly DriftedResource[]): boolean {
  return (
    parseDeletionReport(message) !== undefined ||
    parseStalenessReport(message) !== undefined ||
    parseUnmanagedChange(message) !== undefined ||
    (isRefusalReport(message) && drifted.some((resource) => isToldRefused(message, resource))) ||
    isInventoryReport(message) ||
    message.startsWith(READ_IN_PART)
  );
}

/** The attributes whose removal an update can refuse. */
const REFUSABLE: ReadonlySet<string> = new Set([
  ...KEY_ATTRIBUTES.clearedByVersion,
  ...SECRET_ATTRIBUTES.clearedByVersion,
]);

/**
 * Where the attribute drifted, what the update does about it stands there. A refusal because of what is no drift, such as
 * an attribute that a plain refresh has recorded, is told by its line alone.
 */
function isToldRefused(message: string, { object, changes }: DriftedResource): boolean {
  if (!object || !message.includes(describeObject(object))) return false;
  return changes.some(({ property }) => REFUSABLE.has(rootOf(property)));
}

function hiddenProperties(...states: (ResourceState | undefined)[]): ReadonlySet<string> {
  return new Set(states.flatMap((state) => state?.additionalSecretOutputs ?? []));
}

/** A value may be masked by itself, or with the whole property that it is in. */
function isMaskedAt(inputs: Properties, path: string): boolean {
  const root = rootOf(path);
  return isSecret(path, valueAt(inputs, path)) || isSecret(root, inputs[root]);
}

function rootOf(path: string): string {
  return path.split(/[.[]/)[0] ?? path;
}
