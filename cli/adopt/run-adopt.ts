import { join, parse, resolve } from "node:path";
import { CliError } from "../failure/cli-error.js";
import { refuseExisting, writeFiles } from "../files/write-files.js";
import { knownObjects, NOTHING_KNOWN } from "../stack/known-objects.js";
import { counted } from "../text/counted.js";
import { nameFilter } from "../vault/name-filter.js";
import { openVault } from "../vault/open-vault.js";
import { type FoundVault, readVault } from "../vault/read-vault.js";
import type { AdoptOptions } from "./adopt-options.js";
import { type AdoptedResource, adoptKey, adoptSecret } from "./adopted-resource.js";
import { importFile } from "./import-file.js";
import { nameResources } from "./program-names.js";
import { programText } from "./program-text.js";

/** The command: reads the vault, writes both files or none, and says what comes next. */
export async function runAdopt(options: AdoptOptions): Promise<void> {
  const importPath = importFilePath(options);
  const files = [{ path: options.program }, { path: importPath }];
  const force = options.force === true;
  await refuseExisting(files, force);
  const { vaultUrl, client } = await openVault(options.vault, options.credential);
  const known = options.stack === undefined ? NOTHING_KNOWN : await knownObjects(options.stack);
  const filter = nameFilter(options.only, options.ignore);
  const found = await readVault(client, filter, (collection, name) => known.has(vaultUrl, collection, name));
  const resources = await adoptAll(vaultUrl, found);
  if (resources.length === 0) {
    process.stdout.write(`Nothing to adopt in ${vaultUrl}.${leftOutSummary(found)}\n`);
    return;
  }
  const named = nameResources(resources, known.isResource);
  await writeFiles(
    [
      { path: options.program, content: programText(vaultUrl, named, found.leftOut) },
      { path: importPath, content: importFile(named) },
    ],
    force,
  );
  process.stdout.write(`${summary(vaultUrl, options.program, importPath, found)}\n`);
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

async function adoptAll(vaultUrl: string, { keys, secrets }: FoundVault): Promise<AdoptedResource[]> {
  const resources: AdoptedResource[] = [];
  for (const key of keys) resources.push(await adoptKey(vaultUrl, key));
  for (const secret of secrets) resources.push(await adoptSecret(vaultUrl, secret));
  return resources;
}

function summary(vaultUrl: string, program: string, importPath: string, found: FoundVault): string {
  const { keys, secrets, isPolicyHidden } = found;
  const policies = isPolicyHidden
    ? "\nRotation policies were not read: the keys/getrotationpolicy permission is missing."
    : "";
  return `${vaultUrl}: ${counted(keys.length, "key")} and ${counted(secrets.length, "secret")} to adopt.${leftOutSummary(found)}${policies}
Wrote ${program} and ${importPath}. Next:

  pulumi import --file ${quoted(importPath)} --yes --protect=false --generate-code=false
  pulumi preview --refresh --expect-no-changes`;
}

function leftOutSummary({ leftOut }: FoundVault): string {
  const counts = [
    ["certificate", "of certificates"],
    ["deleted", "deleted"],
    ["known", "in the stack already"],
  ].flatMap(([reason, words]) => {
    const number = leftOut.filter((each) => each.reason === reason).length;
    return number === 0 ? [] : [`${number} ${words}`];
  });
  return counts.length === 0 ? "" : ` Left out: ${counts.join(", ")}.`;
}

function quoted(path: string): string {
  return /^[\w./-]+$/.test(path) ? path : `'${path.replaceAll("'", "'\\''")}'`;
}
