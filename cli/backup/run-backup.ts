import { SHELL } from "../../provider/backup/backup-owner.js";
import { PartialFailure, type Properties } from "../../provider/engine/lifecycle.js";
import { tellThrough } from "../../provider/engine/progress.js";
import { isKeyVaultError, KeyVaultError } from "../../provider/keyvault/errors.js";
import { type FolderBackup, readFolderBackup } from "../../provider/vault-backup/blob-store.js";
import { byKind, COLLECTIONS } from "../../provider/vault-backup/by-kind.js";
import { checkVaultBackup } from "../../provider/vault-backup/check-vault-backup.js";
import {
  type VaultBackupInputs,
  type VaultBackupOutputs,
  vaultBackupInputs,
  vaultBackupOutputs,
} from "../../provider/vault-backup/recorded-vault-backup.js";
import { updateVaultBackup } from "../../provider/vault-backup/update-vault-backup.js";
import { CliError } from "../failure/cli-error.js";
import { withWayAround } from "../failure/forbidden-list.js";
import { withHint } from "../failure/other-hint.js";
import { tellProblem } from "../failure/report-failure.js";
import { writtenPath } from "../files/written-path.js";
import { counted } from "../text/counted.js";
import { printable } from "../text/terminal-text.js";
import { openVault } from "../vault/open-vault.js";
import { INCOMPLETE } from "../vault/unread-object.js";
import type { BackupOptions } from "./backup-options.js";
import { type SelectedPart, selectedPart } from "./selected-part.js";

const EMPTY_HINT = "check the names and the vault";

/** The VaultBackup of a program, without a program: a folder's manifest stands for the state. */
export async function runBackup(options: BackupOptions): Promise<number> {
  const folder = writtenPath(options.to);
  const { vaultUrl, client } = await openVault(options.vault, options.credential);
  // How many were taken is told below, with what the folder has.
  tellThrough((line) => {
    if (!options.quiet && !line.startsWith("backed up ")) tellProblem("backup", line);
  });
  const part = selectedPart(options, client.plane);
  const earlier = await readFolderBackup(folder);
  const isOwn = earlier !== undefined && (earlier.owner === undefined || earlier.owner.stack === SHELL.stack);
  const inputs = await checkedInputs(vaultUrl, folder, isOwn ? withEarlier(part, earlier) : part, options);
  let outs: Properties;
  let failure: PartialFailure | undefined;
  try {
    outs = await updateVaultBackup("", inputs, isOwn ? asOutputs(inputs, earlier) : undefined);
  } catch (error) {
    if (isKeyVaultError(error, "KV_NOT_FOUND")) throw new KeyVaultError(error.code, withHint(error, EMPTY_HINT));
    if (!(error instanceof PartialFailure)) {
      throw withWayAround(error, { keys: '--keys "*"', secrets: '--secrets "*"' });
    }
    failure = error;
    outs = error.outs;
  }
  const { covered, failed } = vaultBackupOutputs.pick({ covered: true, failed: true }).parse(outs);
  if (failure !== undefined) {
    for (const collection of COLLECTIONS) {
      for (const [name, reason] of Object.entries(failed[collection])) {
        tellProblem("backup", `${collection}/${name} is not backed up: ${reason}`);
      }
    }
  }
  const [keys, secrets] = COLLECTIONS.map((collection) => Object.keys(covered[collection]).length);
  if (failure !== undefined || !options.quiet) {
    const what = `${counted(keys ?? 0, "key")} and ${counted(secrets ?? 0, "secret")}`;
    process.stdout.write(printable(`${folder} has the backup of ${what} of ${vaultUrl}`).concat("\n"));
  }
  return failure === undefined ? 0 : INCOMPLETE;
}

/** What the folder covers stays covered, and is brought up to date with the rest, unless it is to be left out. */
function withEarlier(part: SelectedPart, { covered }: FolderBackup): SelectedPart {
  const together = (collection: "keys" | "secrets"): string[] => [
    ...(part[collection] ?? []),
    ...Object.keys(covered[collection]),
  ];
  const [keys, secrets] = [together("keys"), together("secrets")];
  return { ...(keys.length > 0 && { keys }), ...(secrets.length > 0 && { secrets }) };
}

async function checkedInputs(
  vaultUrl: string,
  folder: string,
  part: SelectedPart,
  { credential, keys, secrets }: BackupOptions,
): Promise<VaultBackupInputs> {
  const { inputs, failures } = await checkVaultBackup(
    {},
    {
      vaultUrl,
      ...part,
      ...(credential === undefined ? {} : { credential }),
      to: { folder },
      // A vault that is empty is no misspelled glob.
      ...(keys === undefined && secrets === undefined ? { allowEmpty: true } : {}),
      claimant: SHELL.urn,
      owner: SHELL,
    },
  );
  if (failures.length > 0) throw new CliError("KV_USAGE", failures.map(({ reason }) => reason).join("; "));
  return vaultBackupInputs.parse(definedMembers(inputs));
}

function definedMembers(properties: Properties): Properties {
  return Object.fromEntries(Object.entries(properties).filter(([, value]) => value !== undefined));
}

/** What state would hold of the folder. */
function asOutputs(inputs: VaultBackupInputs, { covered, takenOn, digest }: FolderBackup): VaultBackupOutputs {
  return { ...inputs, covered, blobs: byKind(), failed: byKind(), takenOn, digest };
}
