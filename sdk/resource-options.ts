import * as pulumi from "@pulumi/pulumi";
import { parseTimeout } from "../provider/engine/duration.js";
import { refusal } from "./refusal.js";
import { className, type ResourceKind } from "./resource-kind.js";

type Options = pulumi.CustomResourceOptions | undefined;
type Timeouts = Partial<Record<"create" | "read" | "update" | "delete", pulumi.Input<string>>>;

/** Refuses options that the engine would pass over, or hand to a provider that can do nothing with them. */
export function refuseOptions(kind: ResourceKind, name: string, opts: Options): void {
  if (opts?.import === undefined) return;
  const owns = kind === "key" || kind === "secret" || kind === "keySet";
  throw refusal(
    `${className(kind)} "${name}"`,
    owns ? "the resource option `import` cannot be used" : `a ${className(kind)} has nothing to import`,
    owns
      ? `set adopt: true with the name of the ${kind === "keySet" ? "keys" : kind}, or let \`pulumi-keyvault adopt\` write the program`
      : "leave the option out: the next update makes it",
  );
}

/** Refuses `customTimeouts` of a resource whose requests have limits of their own only. */
export function refuseTimeouts(kind: ResourceKind, name: string, opts: Options): void {
  if (Object.values(opts?.customTimeouts ?? {}).every((limit) => limit === undefined)) return;
  throw refusal(
    `${className(kind)} "${name}"`,
    "customTimeouts have no effect on it",
    "leave them out: each of its requests has a limit of its own",
  );
}

/** Pulumi's `customTimeouts` as the resource's `timeouts`, behind those that the program gives there. */
export function timeoutInputs(
  kind: ResourceKind,
  name: string,
  timeouts: pulumi.Input<Timeouts> | undefined,
  opts: Options,
): { timeouts?: pulumi.Input<Timeouts> } {
  const custom = Object.entries(opts?.customTimeouts ?? {}).filter(([, limit]) => limit !== undefined);
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
