import { join } from "node:path";
import { describeText, shownName } from "../engine/described-value.js";
import { type InputCheck, isRecord } from "../engine/input-check.js";
import { isUnknown } from "../engine/unknown.js";
import { realFolder } from "./backup-file.js";
import { declareWriter, readOwner, shownWriter } from "./backup-owner.js";

/** Reads `to`, and refuses a file that another resource of the same program writes: each would undo the other's. */
export function checkBackupFolder(
  check: InputCheck,
  fileName: string | undefined,
): { folder: unknown } | string | undefined {
  const to = check.record("to", '{ folder: "backups" }');
  if (!isRecord(to)) return to;
  const { folder, ...rest } = to;
  for (const member of Object.keys(rest)) check.fail("to", `${shownName(member)} is not a member of to`);
  if (typeof folder !== "string" || folder === "") {
    check.fail("to", 'must be { folder: "backups" }');
    return undefined;
  }
  if (folder.length > 1024 || /\p{C}/u.test(folder) || isLikeMaterial(folder)) {
    check.failUnnamed(`to: the folder is no path (${describeText(folder)})`);
    return undefined;
  }
  if (/^~([/\\]|$)/.test(folder))
    check.failUnnamed("to: a shell reads ~, a program does not: join os.homedir() instead");
  const { claimant, owner } = check.news;
  if (typeof claimant !== "string" || fileName === undefined || isUnknown(folder) || isUnknown(fileName))
    return { folder };
  const known = readOwner(owner);
  const other = declareWriter(realFolder(folder), fileName, { claimant, ...(known && { owner: known }) });
  if (other) {
    check.failUnnamed(
      `to: another backup of this program already writes ${join(folder, fileName)}${shownWriter(other)}: give each its own folder`,
    );
  }
  return { folder };
}

/** A folder is made where there is none: a key in the place of its name would come to stand on the disk, and in state. */
function isLikeMaterial(folder: string): boolean {
  return folder.includes("-----BEGIN ") || /^\s*\{\s*"/.test(folder) || /[\w+=-]{160}/.test(folder);
}
