import { vi } from "vitest";
import { type DriftReport, driftReport } from "../../cli/drift/drift-report.js";
import type { Preview } from "../../cli/drift/preview-json.js";
import type { Emulator } from "../../emulator/index.js";
import { canonicalJson } from "../../provider/engine/normal-form.js";
import { withoutOwnerTag } from "../../provider/object/owner-tag.js";
import { call } from "../engine/vault-by-hand.js";
import type { Arguments, DrivenResource, State } from "./driven-resource.js";
import { nextEngineRun } from "./engine-run.js";

/** The principal that a drift pipeline should be: it may read, and nothing else. */
export const READER = "reader";

/** Permissions of a vault that knows it. */
export const READ_ONLY = {
  principals: {
    "emulator-owner": { keys: ["*"], secrets: ["*"] },
    [READER]: { keys: ["get", "list", "getRotationPolicy"], secrets: ["get", "list"] },
  },
};

const ROOT = "urn:pulumi:prod::shop::pulumi:pulumi:Stack::shop-prod";

/** Properties that the engine's JSON masks. */
const SECRETS = new Set(["valueDigest", "expectedValueDigest", "blob", "blobs"]);

/** A resource, the lines that its provider has told in this run, and the type of it. */
export interface Watched {
  resource: DrivenResource;
  type: string;
  lines: string[];
}

/** What one preview with refresh finds, and the state that the refresh leaves. */
export interface PreviewRun {
  report: DriftReport;
  /** Undefined where the object is gone. */
  after: State | undefined;
  isSame: boolean;
}

/** `pulumi preview --refresh`, as the drift command reads it. Nothing is recorded. */
export async function previewed(watched: Watched, recorded: State, program: Arguments): Promise<PreviewRun> {
  const { resource, lines } = watched;
  nextEngineRun();
  lines.length = 0;
  const after = await found(resource, recorded);
  const inputs = await resource.checked(program, after?.inputs ?? {});
  const hasChanges = after && (await resource.provider.diff(after.id, after.outs, inputs)).changes === true;
  const differing = after ? differingPaths(after.inputs, inputs) : [];
  const isSame = after !== undefined && differing.length === 0 && !hasChanges;
  const step = {
    urn: urnOf(watched),
    op: after === undefined ? "create" : isSame ? "same" : "update",
    ...(after ? { oldState: stateOf(watched, after) } : {}),
    newState: stateOf(watched, { id: recorded.id, inputs, outs: {} }),
    detailedDiff: Object.fromEntries(differing.map((path) => [path, { kind: "update" }])),
  };
  return { report: driftReport(previewOf(watched, recorded, [step])), after, isSame };
}

/** `pulumi refresh --preview-only`, which asks no program. */
export async function refreshPreviewed(watched: Watched, recorded: State): Promise<DriftReport> {
  nextEngineRun();
  watched.lines.length = 0;
  const after = await found(watched.resource, recorded);
  const differing = after ? differingPaths(recorded.inputs, after.inputs) : [];
  const step = {
    urn: urnOf(watched),
    op: after === undefined ? "delete" : differing.length > 0 ? "update" : "refresh",
    oldState: stateOf(watched, recorded),
    ...(after ? { newState: stateOf(watched, after) } : {}),
    detailedDiff: Object.fromEntries(differing.map((path) => [path, { kind: "update" }])),
  };
  const root = { op: "refresh", urn: ROOT, oldState: {}, newState: {} };
  return driftReport({ steps: [root, step], diagnostics: diagnostics(watched) });
}

/** `pulumi up --refresh`. */
export async function upped(watched: Watched, recorded: State, program: Arguments): Promise<State> {
  const { after, isSame } = await previewed(watched, recorded, program);
  nextEngineRun();
  if (after === undefined) return watched.resource.created(program);
  if (!isSame) return watched.resource.updated(after, program);
  return { ...after, inputs: await watched.resource.checked(program, after.inputs) };
}

/** As the vault's owner or, with another token, as somebody else. */
export async function asPrincipal<T>(token: string, run: () => Promise<T>): Promise<T> {
  const before = process.env.KEYVAULT_TOKEN ?? "";
  vi.stubEnv("KEYVAULT_TOKEN", token);
  try {
    return await run();
  } finally {
    vi.stubEnv("KEYVAULT_TOKEN", before);
  }
}

/** Properties that a report names, with the list that it names each in: `drifted tags.team`. */
export function toldIn(report: DriftReport): string[] {
  const named = (list: string, resources: DriftReport["drifted"]): string[] =>
    resources.flatMap(({ changes }) => changes.map(({ property }) => `${list} ${property}`));
  return [
    ...named("drifted", report.drifted),
    ...named("settled", report.settled),
    ...named("unmanaged", report.unmanaged),
    ...report.pending.flatMap(({ properties }) => properties.map((property) => `pending ${property}`)),
  ];
}

/** Everything that a vault holds, but for what time alone changes. */
export async function contents(vault: Emulator): Promise<Record<string, unknown>> {
  const told: Record<string, unknown> = {};
  for (const collection of ["keys", "secrets"]) {
    const { value } = (await call(vault, "GET", `/${collection}`)) as { value: Listed[] };
    for (const item of value) {
      const path = new URL(item.kid ?? item.id ?? "").pathname;
      const versions = (await call(vault, "GET", `${path}/versions`)) as { value: Listed[] };
      for (const version of versions.value) {
        const at = new URL(version.kid ?? version.id ?? "").pathname;
        told[at] = collection === "keys" ? await call(vault, "GET", at) : version;
      }
      told[`current ${path}`] = await current(vault, path, collection, versions.value);
      if (collection === "keys") told[`policy ${path}`] = await call(vault, "GET", `${path}/rotationpolicy`);
    }
    const deleted = (await call(vault, "GET", `/deleted${collection}`)) as { value: Listed[] };
    told[`deleted ${collection}`] = deleted.value.map(({ recoveryId }) => recoveryId);
  }
  return told;
}

interface Listed {
  kid?: string;
  id?: string;
  recoveryId?: string;
  attributes?: { created: number; enabled: boolean };
}

async function current(vault: Emulator, path: string, collection: string, versions: Listed[]): Promise<unknown> {
  if (collection === "keys") return call(vault, "GET", path);
  // A disabled secret cannot be read: of it, the newest version is the current one.
  const newest = [...versions].sort((x, y) => (y.attributes?.created ?? 0) - (x.attributes?.created ?? 0))[0];
  return call(vault, "GET", path).catch(() => newest);
}

/** What the current version is like, whichever it is; of generated material only its kind. */
export function essence(held: Record<string, unknown>, { generate }: Arguments = {}): Record<string, unknown> {
  const { "current /keys/orders": heldKey, "policy /keys/orders": policy, ...rest } = held as Record<string, Held>;
  const bundle = heldKey ?? rest["current /secrets/orders"];
  if (bundle === undefined) return {};
  const { nbf, exp, enabled, created = 0 } = bundle.attributes ?? {};
  const expiryTime = policy?.attributes?.expiryTime;
  const isOfPolicy = expiryTime === "P1Y" && exp !== undefined && Math.abs(exp - created - 365 * 86_400) < 2 * 86_400;
  const { kid, x, y, key_ops: keyOps, ...kind } = bundle.key ?? {};
  return {
    notBefore: nbf,
    expiresOn: isOfPolicy ? undefined : exp,
    enabled,
    tags: withoutOwnerTag(bundle.tags ?? {}),
    contentType: bundle.contentType,
    keyOps,
    releasePolicy: bundle.release_policy,
    rotationPolicy: policy && { actions: policy.lifetimeActions, expiryTime },
    kind,
    material: generate === undefined ? { x, y, value: bundle.value } : undefined,
  };
}

interface Held {
  attributes?: { nbf?: number; exp?: number; created?: number; enabled?: boolean; expiryTime?: string };
  key?: Record<string, unknown>;
  tags?: Record<string, string>;
  contentType?: string;
  value?: unknown;
  release_policy?: unknown;
  lifetimeActions?: unknown;
}

async function found(resource: DrivenResource, recorded: State): Promise<State | undefined> {
  const after = await resource.refreshed(recorded);
  return after.id === "" ? undefined : after;
}

function previewOf(watched: Watched, recorded: State, steps: Preview["steps"]): Preview {
  const state = stateOf(watched, recorded);
  return {
    steps: [
      { op: "refresh", urn: urnOf(watched), oldState: state, newState: state },
      { op: "same", urn: ROOT },
      ...steps,
    ],
    diagnostics: diagnostics(watched),
  };
}

function diagnostics({ lines }: Watched): Preview["diagnostics"] {
  return lines.map((message) => ({ message, severity: "info" }));
}

function urnOf({ type }: Watched): string {
  return `urn:pulumi:prod::shop::pulumi-nodejs:dynamic/keyvault:${type}::watched`;
}

function stateOf({ type }: Watched, { inputs, outs }: State) {
  return { type: `pulumi-nodejs:dynamic/keyvault:${type}`, inputs: masked(inputs), outputs: masked(outs) };
}

function masked(properties: Arguments): Arguments {
  return Object.fromEntries(
    Object.entries(properties).map(([name, value]) => [name, SECRETS.has(name) && value != null ? "[secret]" : value]),
  );
}

/** As the engine names what differs, to the depth of one member. */
function differingPaths(before: Arguments, after: Arguments): string[] {
  return [...new Set([...Object.keys(before), ...Object.keys(after)])]
    .filter((name) => !name.startsWith("__") && canonicalJson(before[name]) !== canonicalJson(after[name]))
    .sort();
}
