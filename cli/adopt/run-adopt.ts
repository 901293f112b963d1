import { join, parse, resolve } from "node:path";
import { CliError } from "../failure/cli-error.js";
import { withWayAround } from "../failure/forbidden-list.js";
import { tellProblem } from "../failure/report-failure.js";
import { refuseExisting, writeFiles } from "../files/write-files.js";
import { writtenPath } from "../files/written-path.js";
import { knownObjects, NOTHING_KNOWN } from "../stack/known-objects.js";
import { counted } from "../text/counted.js";
import { inert } from "../text/pipeline-text.js";
import { type ListedCollection, nameFilter } from "../vault/name-filter.js";
import { openVault } from "../vault/open-vault.js";
import { type FoundVault, readVault } from "../vault/read-vault.js";
import { describeUnread, INCOMPLETE, unreadObject } from "../vault/unread-object.js";
import type { AdoptOptions } from "./adopt-options.js";
import { type AdoptedResource, adoptKey, adoptSecret, adoptSet } from "./adopted-resource.js";
import { importFile, pluginImportFile } from "./import-file.js";
import { nameResources } from "./program-names.js";
import { programText } from "./program-text.js";

/** The command: reads the vault, writes both files or none, and says what comes next. */
export async function runAdopt(given: AdoptOptions): Promise<number> {
  const options = {
    ...given,
    program: writtenPath(given.program),
    ...(given.importFile === undefined ? {} : { importFile: writtenPath(given.importFile) }),
  };
  const importPath = importFilePath(options);
  const isPlugin = options.plugin === true;
  const files = isPlugin ? [{ path: importPath }] : [{ path: options.program }, { path: importPath }];
  const force = options.force === true;
  await refuseExisting(files, force);
  const { vaultUrl, client } = await openVault(options.vault, options.credential);
  const known = options.stack === undefined ? NOTHING_KNOWN : await knownObjects(options.stack);
  const filter = nameFilter(options.only, options.ignore);
  const isKnown = (collection: ListedCollection, name: string): boolean => known.has(vaultUrl, collection, name);
  const found = await readVault(client, filter, isKnown).catch((error: unknown) => {
    throw withWayAround(error, { keys: "--only keys", secrets: "--only secrets" });
  });
  const resources = inSet(vaultUrl, await adoptAll(vaultUrl, found), options.set);
  const say = (text: string): unknown => options.quiet || process.stdout.write(text);
  const exitCode = found.unread.length > 0 ? INCOMPLETE : 0;
  for (const line of describeUnread(found.unread)) tellProblem("adopt", line);
  if (resources.length === 0) {
    say(inert(`Nothing to adopt in ${vaultUrl}${selection(options)}.${leftOutSummary(found)}\n`));
    return exitCode;
  }
  const named = nameResources(resources, known.isResource);
  const importContent = isPlugin ? pluginImportFile(named) : importFile(named);
  const written = isPlugin ? [] : [{ path: options.program, content: programText(vaultUrl, named, found) }];
  await writeFiles([...written, { path: importPath, content: importContent }], force);
  const next = isPlugin ? pluginSteps(importPath) : steps(options.program, importPath);
  say(inert(`${summary(vaultUrl, resources, found)}\n${next}\n`));
  return exitCode;
}

function importFilePath({ program, importFile: given }: AdoptOptions): string {
  const { dir, name, base } = parse(program);
  const path = given ?? (base === "index.ts" ? join(dir, "keyvault-import.json") : join(dir, `${name}-import.json`));
  const other = parse(path);
  if (resolve(dir, name) !== resolve(other.dir, other.name)) return path;
  throw new CliError(
    "KV_USAGE",
    `${program} and ${path} differ in their ending alone, so that an import of the program would load the JSON: name the import file otherwise`,
  );
}

/** What no program can say of one object does not keep the others from being adopted. */
async function adoptAll(vaultUrl: string, { keys, secrets, unread }: FoundVault): Promise<AdoptedResource[]> {
  const resources: AdoptedResource[] = [];
  const add = async (
    collection: ListedCollection,
    name: string,
    adopt: () => Promise<AdoptedResource>,
  ): Promise<void> => {
    try {
      resources.push(await adopt());
    } catch (error) {
      unread.push(unreadObject(collection, name, error));
    }
  };
  for (const key of keys) await add("keys", key.bundle.name, () => adoptKey(vaultUrl, key));
  for (const secret of secrets) await add("secrets", secret.name, () => adoptSecret(vaultUrl, secret));
  return resources;
}

/** The keys in one set where that is asked for, and the secrets as they are. */
function inSet(
  vaultUrl: string,
  resources: readonly AdoptedResource[],
  set: AdoptOptions["set"],
): readonly AdoptedResource[] {
  const keys = resources.filter(({ className }) => className === "Key");
  if (set === undefined || keys.length === 0) return resources;
  const others = resources.filter(({ className }) => className !== "Key");
  return [adoptSet(vaultUrl, set === true ? "keys" : set, keys), ...others];
}

function summary(vaultUrl: string, resources: readonly AdoptedResource[], found: FoundVault): string {
  const { isPolicyHidden } = found;
  const secrets = resources.filter(({ className }) => className === "Secret");
  const policies = isPolicyHidden
    ? "\nRotation policies were not read: the keys/getrotationpolicy permission is missing."
    : "";
  return `${vaultUrl}: ${counted(keysIn(resources), "key")} and ${counted(secrets.length, "secret")} to adopt.${leftOutSummary(found)}${policies}`;
}

/** Whoever gave globs may have mistyped one. */
function selection({ only = [], ignore = [] }: AdoptOptions): string {
  const words = [
    ...(only.length === 0 ? [] : [`that matches --only ${only.join(" ")}`]),
    ...(ignore.length === 0
      ? []
      : [`${only.length === 0 ? "that does not match" : "and not"} --ignore ${ignore.join(" ")}`]),
  ];
  return words.length === 0 ? "" : ` ${words.join(" ")}`;
}

function keysIn(resources: readonly AdoptedResource[]): number {
  const counts = resources.map(({ className, inputs }) => {
    if (className !== "KeySet") return className === "Key" ? 1 : 0;
    return Object.keys(inputs.keys ?? {}).length;
  });
  return counts.reduce((sum, count) => sum + count, 0);
}

function steps(program: string, importPath: string): string {
  return `Wrote ${program} and ${importPath}. Next:

  pulumi import --file ${quoted(importPath)} --yes --protect=false --generate-code=false
  pulumi preview --refresh --expect-no-changes`;
}

/** The engine writes the program, where the language's host can. */
function pluginSteps(importPath: string): string {
  return `Wrote ${importPath}. Next:

  pulumi import --file ${quoted(importPath)} --yes --protect=false --out FILE
  pulumi preview --refresh --expect-no-changes`;
}

function leftOutSummary({ leftOut, unread }: FoundVault): string {
  const counts = [
    ["certificate", "of certificates"],
    ["deleted", "deleted"],
    ["known", "in the stack already"],
  ].flatMap(([reason, words]) => {
    const number = leftOut.filter((each) => each.reason === reason).length;
    return number === 0 ? [] : [`${number} ${words}`];
  });
  const lost = unread.filter(({ part }) => part === undefined).length;
  if (lost > 0) counts.push(`${lost} that could not be read`);
  return counts.length === 0 ? "" : ` Left out: ${counts.join(", ")}.`;
}

function quoted(path: string): string {
  return /^[\w./-]+$/.test(path) ? path : `'${path.replaceAll("'", "'\\''")}'`;
}
