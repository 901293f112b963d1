import { formatMoment } from "../engine/moment.js";
import { vaultClient } from "../vault/vault-access.js";
import { coveredVersion } from "./covered-version.js";
import { newestKeyVersion } from "./newest-key-version.js";
import { backupLifecycle } from "./object-backup.js";

/** What happens to a KeyBackup on each call of the engine. */
export const keyBackupLifecycle = backupLifecycle({
  kind: "key",
  async observe(address) {
    const { version, updatedOn } = await newestKeyVersion(await vaultClient(address), address.name);
    return coveredVersion(version, updatedOn && formatMoment(updatedOn));
  },
  async backup(address) {
    return (await vaultClient(address)).backupKey(address.name);
  },
  async versions(address) {
    return (await vaultClient(address)).getKeyVersions(address.name);
  },
});
