import { readFile } from "node:fs/promises";
import { formatMoment } from "../../provider/engine/moment.js";
import { inParallel } from "../../provider/engine/worker-pool.js";
import { isKeyVaultError } from "../../provider/keyvault/errors.js";
import { shownPath } from "../../provider/material/shown-place.js";
import { type DriftReport, driftReport } from "../drift/drift-report.js";
import { parsePreview } from "../drift/preview-json.js";
import { CliError } from "../failure/cli-error.js";
import { homePath } from "../files/home-path.js";
import { type FleetVault, readFleet } from "../fleet/fleet-file.js";
import { listVault } from "../inventory/list-vault.js";
import { daysBetween, type ListedObject, type VaultListing } from "../inventory/vault-listing.js";
import { MOST_ENGINES } from "../stack/engine-run.js";
import { type KnownObjects, knownOf, objectKey } from "../stack/known-objects.js";
import { readStackState } from "../stack/stack-state.js";
import { openVault } from "../vault/open-vault.js";
import { keyTypes } from "./key-types.js";
import { RecordedBackups } from "./recorded-backups.js";
import type { Concern, ReportDocument, ReportedObject } from "./report-document.js";
import type { ReportOptions } from "./report-options.js";

const VAULTS_AT_ONCE = 8;
const DAY = 86_400_000;

/** What the stacks of a report say of objects. */
interface Stacks {
  names: string[];
  known: KnownObjects | undefined;
  backups: RecordedBackups;
  drift: Map<string, { property: string; consequence: string }[]> | undefined;
}

/** Reads vaults and stacks. A vault that cannot be read is named in the report, unless there is no other. */
export async function readReport(options: ReportOptions): Promise<ReportDocument> {
  const fleet = options.fleet === undefined ? { vaults: [], stacks: [] } : await readFleet(options.fleet);
  const vaults: FleetVault[] = [...(options.vault ?? []).map((url) => ({ url })), ...fleet.vaults];
  const stacks = await readStacks(stacksOf(options, fleet.stacks), options.drift);
  const takenOn = new Date();
  const report: ReportDocument = {
    format: "pulumi-keyvault/report/1",
    takenOn: formatMoment(takenOn),
    complete: true,
    soonInDays: Math.round(options.expiresWithin / DAY),
    vaults: [],
    stacks: stacks.names,
    objects: [],
    deleted: [],
    unread: [],
  };
  const failures: unknown[] = [];
  await inParallel(vaults.length === 0 ? [undefined] : vaults, VAULTS_AT_ONCE, async (vault) => {
    try {
      await addVault(report, vault, stacks, options);
    } catch (error) {
      if (vault === undefined || !(isKeyVaultError(error) || error instanceof CliError)) throw error;
      failures.push(error);
      report.unread.push({ what: vault.url, code: error.code, reason: error.message });
    }
  });
  if (report.vaults.length === 0) throw failures[0];
  report.complete = report.unread.length === 0;
  report.vaults.sort();
  const byName = (a: ReportedAddress, b: ReportedAddress): number =>
    compare(a.vaultUrl, b.vaultUrl) || compare(a.name, b.name) || compare(a.kind, b.kind);
  report.objects.sort(byName);
  report.deleted.sort(byName);
  return report;
}

type ReportedAddress = Pick<ReportedObject, "vaultUrl" | "kind" | "name">;

function compare(a: string, b: string): number {
  return a < b ? -1 : a > b ? 1 : 0;
}

function stacksOf({ stack }: ReportOptions, ofFleet: readonly string[]): (string | true)[] {
  const named: readonly (string | true)[] = stack === true ? [true] : (stack ?? []);
  return [...new Set([...named, ...ofFleet])];
}

async function readStacks(stacks: readonly (string | true)[], driftFile: string | undefined): Promise<Stacks> {
  const backups = new RecordedBackups();
  const states = await inParallel(stacks, MOST_ENGINES, async (stack) => ({
    name: stack === true ? "the selected stack" : stack,
    resources: await readStackState(stack),
  }));
  for (const { name, resources } of states) backups.add(name, resources);
  return {
    names: states.map(({ name }) => name),
    known: states.length === 0 ? undefined : knownOf(states.flatMap(({ resources }) => resources)),
    backups,
    drift: driftFile === undefined ? undefined : driftByObject(await readDrift(driftFile)),
  };
}

async function readDrift(file: string): Promise<DriftReport> {
  const text = await readFile(homePath(file), "utf8").catch((error: NodeJS.ErrnoException) => {
    throw new CliError(
      "KV_FILE",
      `${shownPath(homePath(file))} cannot be read (${error.code ?? "unknown error"}): give a file with what \`pulumi preview --refresh --json\` printed`,
    );
  });
  return driftReport(parsePreview(text, file));
}

function driftByObject({ drifted }: DriftReport): Map<string, { property: string; consequence: string }[]> {
  const drift = new Map<string, { property: string; consequence: string }[]>();
  for (const { object, changes, type } of drifted) {
    if (object === undefined || object.name === "" || (type !== "Key" && type !== "Secret")) continue;
    const key = objectKey(object.vaultUrl, object.kind === "secret" ? "secrets" : "keys", object.name);
    const told = changes.map(({ property, consequence }) => ({
      property: property || "the whole object",
      consequence,
    }));
    drift.set(key, [...(drift.get(key) ?? []), ...told]);
  }
  return drift;
}

async function addVault(
  report: ReportDocument,
  vault: FleetVault | undefined,
  stacks: Stacks,
  options: ReportOptions,
): Promise<void> {
  const { vaultUrl, client } = await openVault(vault?.url, vault?.credential ?? options.credential);
  if (report.vaults.includes(vaultUrl)) return;
  report.vaults.push(vaultUrl);
  const listing = await listVault(
    { vaultUrl, client, known: stacks.known },
    {
      format: "json",
      secrets: client.plane === "vault",
      deleted: true,
      rotation: true,
      ...(options.ignore === undefined ? {} : { ignore: options.ignore }),
      ...(options.quiet === undefined ? {} : { quiet: options.quiet }),
    },
  ).catch((failure: unknown) => {
    report.vaults.splice(report.vaults.indexOf(vaultUrl), 1);
    throw failure;
  });
  const types = await keyTypes(client, listing.objects, listing.unread);
  for (const object of listing.objects) {
    if (object.state === "deleted") report.deleted.push(reportedDeleted(vaultUrl, object, listing));
    else report.objects.push(reportedObject(vaultUrl, object, listing, types, stacks, options));
  }
  for (const { collection, name, part, code, reason } of listing.unread) {
    const what = `${vaultUrl}/${collection}/${name}${part === undefined ? "" : ` (${part})`}`;
    report.unread.push({ what, code, reason });
  }
}

function reportedDeleted(vaultUrl: string, object: ListedObject, { takenOn }: VaultListing) {
  const { kind, name, deletedOn, recoverableUntil } = object;
  return {
    vaultUrl,
    kind,
    name,
    ...(deletedOn && { deletedOn: formatMoment(deletedOn) }),
    ...(recoverableUntil && {
      recoverableUntil: formatMoment(recoverableUntil),
      daysLeft: Math.max(0, daysBetween(takenOn, recoverableUntil)),
    }),
  };
}

function reportedObject(
  vaultUrl: string,
  object: ListedObject,
  { takenOn }: VaultListing,
  types: ReadonlyMap<string, string>,
  stacks: Stacks,
  { expiresWithin }: ReportOptions,
): ReportedObject {
  const { kind, name, createdOn, updatedOn, notBefore, expiresOn, rotates, owner, inStack, contentType } = object;
  const type = kind === "key" ? types.get(name) : contentType;
  const collection = kind === "key" ? "keys" : "secrets";
  const recorded = stacks.backups.of(vaultUrl, collection, name);
  const drift = stacks.drift?.get(objectKey(vaultUrl, collection, name));
  const reported: ReportedObject = {
    vaultUrl,
    kind,
    name,
    ...(type === undefined ? {} : { type }),
    enabled: object.state === "enabled",
    ...(createdOn && { createdOn: formatMoment(createdOn), ageInDays: Math.max(0, daysBetween(createdOn, takenOn)) }),
    ...(updatedOn && { updatedOn: formatMoment(updatedOn) }),
    ...(notBefore && { notBefore: formatMoment(notBefore) }),
    ...(expiresOn && { expiresOn: formatMoment(expiresOn), expiresInDays: daysBetween(takenOn, expiresOn) }),
    ...(rotates === undefined ? {} : { rotates }),
    managedByCertificate: object.managedByCertificate,
    ...(owner === undefined ? {} : { owner }),
    ...(inStack === undefined ? {} : { inStack }),
    ...(recorded && {
      backup: {
        resource: recorded.resource,
        takenOn: recorded.takenOn,
        current: recorded.coversChangeOf === (updatedOn && formatMoment(updatedOn)),
      },
    }),
    ...(drift === undefined ? {} : { drift }),
    concerns: [],
  };
  return { ...reported, concerns: concernsOf(reported, takenOn, expiresWithin, stacks) };
}

/** Of a certificate's object the certificate is to be looked after, and not itself. */
function concernsOf(object: ReportedObject, takenOn: Date, expiresWithin: number, stacks: Stacks): Concern[] {
  const { kind, enabled, expiresOn, rotates, managedByCertificate, inStack, backup, drift } = object;
  const left = expiresOn === undefined ? undefined : Date.parse(expiresOn) - takenOn.getTime();
  const concerns: [Concern, boolean][] = [
    ["expired", left !== undefined && left <= 0],
    ["expires soon", left !== undefined && left > 0 && left <= expiresWithin],
    ["never expires", left === undefined && !managedByCertificate],
    ["disabled", !enabled],
    ["not rotated", kind === "key" && rotates === false && !managedByCertificate],
    ["unmanaged", inStack === false],
    ["no backup", stacks.known !== undefined && backup === undefined && !managedByCertificate],
    ["stale backup", backup?.current === false],
    ["drifted", drift !== undefined],
  ];
  return concerns.filter(([, holds]) => holds).map(([concern]) => concern);
}
