import { formatMoment } from "./input-check.js";
import { backupLifecycle } from "./object-backup.js";
import { vaultClient } from "./vault-access.js";

/** What happens to a KeyBackup on each call of the engine. */
export const keyBackupLifecycle = backupLifecycle({
  kind: "key",
  async observe(vaultUrl, name) {
    const { version, updatedOn } = await (await vaultClient(vaultUrl)).getKey(name);
    return { version, ...(updatedOn ? { updatedOn: formatMoment(updatedOn) } : {}) };
  },
  async backup(vaultUrl, name) {
    return (await vaultClient(vaultUrl)).backupKey(name);
  },
});
