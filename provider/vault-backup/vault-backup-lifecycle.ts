import type { Properties, ResourceLifecycle } from "../engine/lifecycle.js";
import { tell } from "../engine/progress.js";
import { markSecret } from "../engine/pulumi-secret.js";
import { formatStalenessReport } from "../object/staleness-report.js";
import { checkVaultBackup } from "./check-vault-backup.js";
import { staleness, updateVaultBackup } from "./update-vault-backup.js";
import type { VaultBackupInputs, VaultBackupOutputs } from "./vault-backup-inputs.js";

/** As many as a person reads in a preview. */
const MOST_SHOWN = 20;

/**
 * What happens to a VaultBackup on each call of the engine. Changes of resources of the same program arrive as
 * inputs; what else changed in the vault shows on refresh. Deleting the resource drops the blobs from state and
 * touches neither the vault nor the folder.
 */
export const vaultBackupLifecycle: ResourceLifecycle = {
  check: checkVaultBackup,

  diff: async (_id, olds, news) => {
    const { failed } = olds as unknown as Partial<VaultBackupOutputs>;
    const isIncomplete = Object.keys({ ...failed?.keys, ...failed?.secrets }).length > 0;
    return {
      // What failed is tried again by the next `up`, though no input of it changed.
      changes: isIncomplete ? true : undefined,
      replaces: olds.vaultUrl === news.vaultUrl ? [] : ["vaultUrl"],
      deleteBeforeReplace: false,
    };
  },

  create: async (properties) => {
    const inputs = properties as unknown as VaultBackupInputs;
    const id = `${inputs.vaultUrl}/backup`;
    return { id, outs: await updateVaultBackup(id, inputs) };
  },

  read: async (id, props) => {
    const outs = props as unknown as VaultBackupOutputs;
    const { blobs, covered, failed, takenOn, digest, ...inputs } = outs;
    const stale = await staleness(outs);
    if (stale.length > 0) {
      tell(formatStalenessReport({ label: outs.vaultUrl, reason: stale.slice(0, MOST_SHOWN).join("; ") }));
    }
    return {
      id,
      props: { ...props, blobs: markSecret(blobs) },
      inputs: { ...inputs, ...(stale.length > 0 ? { stale: shown(stale) } : {}) } as Properties,
    };
  },

  update: async (id, olds, news) => ({
    outs: await updateVaultBackup(id, news as unknown as VaultBackupInputs, olds as unknown as VaultBackupOutputs),
  }),

  delete: async () => {},
};

function shown(stale: string[]): string[] {
  return stale.length <= MOST_SHOWN ? stale : [...stale.slice(0, MOST_SHOWN), `and ${stale.length - MOST_SHOWN} more`];
}
