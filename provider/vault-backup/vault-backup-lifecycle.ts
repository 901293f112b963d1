import { isRecord } from "../engine/input-check.js";
import type { Properties, ResourceLifecycle } from "../engine/lifecycle.js";
import { pickDefined } from "../engine/normal-form.js";
import { tell } from "../engine/progress.js";
import { markSecret } from "../engine/pulumi-secret.js";
import { readState, type StateOfResource } from "../engine/recorded-state.js";
import { formatStalenessReport } from "../object/staleness-report.js";
import { replacedBy } from "../vault/replaced-by.js";
import { checkVaultBackup } from "./check-vault-backup.js";

/** What state holds of the inputs. */
const INPUTS = [
  "__provider",
  "vaultUrl",
  "credential",
  "keys",
  "secrets",
  "revisions",
  "to",
  "onFailure",
  "allowEmpty",
];

/** As many as a person reads in a preview. */
const MOST_SHOWN = 20;

/**
 * What happens to a VaultBackup on each call of the engine. Changes of resources of the same program arrive as
 * inputs; what else changed in the vault shows on refresh. Deleting the resource drops the blobs from state and
 * touches neither the vault nor the folder.
 */
export const vaultBackupLifecycle: ResourceLifecycle = {
  check: checkVaultBackup,

  diff: async (_id, olds, news) => ({
    // What failed is tried again by the next `up`, and blobs that became null are taken again, though no input changed.
    changes: hasEntries(olds.failed) || olds.blobs === null || olds.blobs === undefined ? true : undefined,
    replaces: replacedBy(olds, news),
    deleteBeforeReplace: false,
  }),

  create: async (properties) => {
    const { updateVaultBackup } = await import("./update-vault-backup.js");
    const inputs = await readInputs(properties);
    const id = `${inputs.vaultUrl}/backup`;
    return { id, outs: await updateVaultBackup(id, inputs) };
  },

  read: async (id, props) => {
    const { staleness } = await import("./update-vault-backup.js");
    const outs = await readOutputs(props);
    const stale = await staleness(outs);
    if (stale.length > 0) {
      tell(formatStalenessReport({ label: outs.vaultUrl, reason: stale.slice(0, MOST_SHOWN).join("; ") }));
    }
    return {
      id,
      props: { ...props, blobs: markSecret(outs.blobs) },
      inputs: { ...pickDefined(props, INPUTS), ...(stale.length > 0 ? { stale: shown(stale) } : {}) },
    };
  },

  update: async (id, olds, news) => {
    const { updateVaultBackup } = await import("./update-vault-backup.js");
    return { outs: await updateVaultBackup(id, await readInputs(news), await readOutputs(olds)) };
  },

  delete: async () => {},
};

function shown(stale: string[]): string[] {
  return stale.length <= MOST_SHOWN ? stale : [...stale.slice(0, MOST_SHOWN), `and ${stale.length - MOST_SHOWN} more`];
}

/** Of outputs: whether any object is recorded in a map by kind. */
function hasEntries(map: unknown): boolean {
  return isRecord(map) && Object.values(map).some((entries) => isRecord(entries) && Object.keys(entries).length > 0);
}

async function readInputs(properties: Properties) {
  const { vaultBackupInputs } = await import("./recorded-vault-backup.js");
  return readState(vaultBackupInputs, properties, stateOf(properties));
}

async function readOutputs(properties: Properties) {
  const { vaultBackupOutputs } = await import("./recorded-vault-backup.js");
  return readState(vaultBackupOutputs, properties, stateOf(properties));
}

function stateOf({ vaultUrl }: Properties): StateOfResource {
  return {
    resource: `the VaultBackup of ${vaultUrl}`,
    remedy: "take the backup anew: pulumi up --replace with its URN",
  };
}
