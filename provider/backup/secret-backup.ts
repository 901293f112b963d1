import { formatMoment } from "../engine/moment.js";
import { vaultClient } from "../vault/vault-access.js";
import { coveredVersion } from "./covered-version.js";
import { newestSecretVersion } from "./newest-secret-version.js";
import { backupLifecycle } from "./object-backup.js";

/** What happens to a SecretBackup on each call of the engine. */
export const secretBackupLifecycle = backupLifecycle({
  kind: "secret",
  async observe(address) {
    const { version, updatedOn } = await newestSecretVersion(await vaultClient(address), address.name);
    return coveredVersion(version, updatedOn && formatMoment(updatedOn));
  },
  async backup(address) {
    return (await vaultClient(address)).backupSecret(address.name);
  },
  async versions(address) {
    return (await vaultClient(address)).getSecretVersions(address.name);
  },
});
