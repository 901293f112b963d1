import * as pulumi from "@pulumi/pulumi";
import { parseTimeout } from "../provider/engine/duration.js";
import { refusal } from "./refusal.js";
import { renamedOptions } from "./renamed-options.js";
import { className, type ResourceKind } from "./resource-kind.js";

type Options = pulumi.CustomResourceOptions | undefined;
type Timeouts = Partial<Record<"create" | "read" | "update" | "delete", pulumi.Input<string>>>;

/** An input that programs name, and what state holds of it. */
const RENAMED: Partial<Record<ResourceKind, [input: string, recorded: string]>> = {
  key: ["import", "thumbprint"],
  keySet: ["import", "keys"],
  secret: ["value", "valueDigest"],
};

const SECRET_OUTPUTS: Partial<Record<ResourceKind, string>> = {
  keyBackup: "blob",
  secret: "valueDigest",
  secretBackup: "blob",
  vaultBackup: "blobs",
};

/**
 * The options of a resource as the engine can use them. Refuses what it would pass over, or hand to a provider that can
 * do nothing with it.
 */
export function resourceOptions(kind: ResourceKind, name: string, opts: Options): pulumi.CustomResourceOptions {
  refuseImport(kind, name, opts);
  if (!ownsObjects(kind)) refuseTimeouts(kind, name, opts);
  const named = RENAMED[kind];
  const secret = SECRET_OUTPUTS[kind];
  return {
    ...(named ? renamedOptions(opts, ...named) : opts),
    ...(secret ? { additionalSecretOutputs: [...new Set([secret, ...(opts?.additionalSecretOutputs ?? [])])] } : {}),
  };
}

function ownsObjects(kind: ResourceKind): boolean {
  return kind === "key" || kind === "secret" || kind === "keySet";
}

function refuseImport(kind: ResourceKind, name: string, opts: Options): void {
  if (!opts?.import) return;
  throw refusal(
    `${className(kind)} "${name}"`,
    ownsObjects(kind) ? "the resource option `import` cannot be used" : `a ${className(kind)} has nothing to import`,
    ownsObjects(kind)
      ? `set adopt: true with the name of the ${kind === "keySet" ? "keys" : kind}, or let \`pulumi-keyvault adopt\` write the program`
      : "leave the option out: the next update makes it",
  );
}

/** Of a resource whose requests have limits of their own only. */
function refuseTimeouts(kind: ResourceKind, name: string, opts: Options): void {
  if (customTimeouts(opts).length === 0) return;
  throw refusal(
    `${className(kind)} "${name}"`,
    "customTimeouts have no effect on it",
    "leave them out: each of its requests has a limit of its own",
  );
}

/** Those that are given; a transform is handed the others as "". */
function customTimeouts(opts: Options): [operation: string, limit: string][] {
  return Object.entries(opts?.customTimeouts ?? {}).filter(([, limit]) => limit !== undefined && limit !== "");
}

/** Pulumi's `customTimeouts` as the resource's `timeouts`, behind those that the program gives there. */
export function timeoutInputs(
  kind: ResourceKind,
  name: string,
  timeouts: pulumi.Input<Timeouts> | undefined,
  opts: Options,
): { timeouts?: pulumi.Input<Timeouts> } {
  const custom = customTimeouts(opts);
  for (const [operation, limit] of custom) {
    if (parseTimeout(limit) !== undefined) continue;
    throw refusal(
      `${className(kind)} "${name}"`,
      `customTimeouts: ${operation} is no duration`,
      'write it as "90s", "10m" or "1h30m"',
    );
  }
  if (custom.length === 0) return timeouts === undefined ? {} : { timeouts };
  const given: Timeouts = Object.fromEntries(custom);
  if (timeouts === undefined || timeouts === null) return { timeouts: given };
  return { timeouts: pulumi.output(timeouts).apply((own) => ({ ...given, ...own })) };
}

/**
 * The same for what a transform has made of them. What the options said before is in the inputs already, and makes way;
 * what the program said there stands.
 */
export function transformedTimeouts(
  kind: ResourceKind,
  name: string,
  timeouts: unknown,
  { before, after }: { before: Options; after: Options },
): { timeouts?: unknown } {
  if (!ownsObjects(kind)) return {};
  const former = new Map(customTimeouts(before));
  const own = pulumi.output(timeouts as pulumi.Input<Timeouts> | undefined).apply((given) => {
    const kept = Object.entries(given ?? {}).filter(([operation, limit]) => former.get(operation) !== limit);
    return Object.fromEntries(kept) as Timeouts;
  });
  return customTimeouts(after).length === 0 ? {} : timeoutInputs(kind, name, own, after);
}

const VERSIONED_ID = /^(?<id>.+\/(?:keys|secrets)\/[0-9a-zA-Z-]{1,127})\/[0-9a-f]{32}$/i;

/**
 * Options of a resource that is read and not managed. Without an id the engine would take it for a new one; with the id
 * of a version it would read the current one. Of an id that is an Output, the read says so.
 */
export function gottenOptions(kind: "key" | "secret", name: string, id: pulumi.Input<string>, opts: Options) {
  const { id: versionless } = (typeof id === "string" && VERSIONED_ID.exec(id)?.groups) || {};
  if (versionless !== undefined) {
    throw refusal(
      `${className(kind)}.get("${name}")`,
      "its id names a version, and a resource is the object with all its versions",
      `give ${versionless}, or read that version with ${kind === "key" ? "getKeyVersion" : "getSecret"}`,
    );
  }
  if (id) return { ...opts, id };
  throw refusal(
    `${className(kind)}.get("${name}")`,
    "there is no id to read",
    `give the id of the ${kind}: https://<vault>/${kind}s/<name>`,
  );
}
