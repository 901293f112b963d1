import { generateKeyPairSync, randomBytes } from "node:crypto";
import { afterAll, beforeAll, describe, expect, it, vi } from "vitest";
import { key, keyBackup, secret, secretBackup } from "../../provider/dynamic-v1.js";
import type { KeyVaultClient } from "../../provider/keyvault/client.js";
import { KeyVaultError } from "../../provider/keyvault/errors.js";
import { forgetDeclaredObjects } from "../../provider/object/declared-objects.js";
import { OperationDeadline } from "../../provider/object/operation-deadline.js";
import { vaultClient } from "../../provider/vault/vault-access.js";
import type { Arguments } from "../provider/driven-resource.js";
import { identity } from "../provider/engine-run.js";
import { stored } from "../provider/stored.js";

/** What this suite makes, and what it takes away again, is called so: nothing else of the vault is touched. */
const PREFIX = "pulumi-keyvault-suite-";
const name = `${PREFIX}${randomBytes(6).toString("hex")}`;

const minutes = (count: number) => count * 60_000;

/**
 * The life of a key and of a secret in a vault: made, looked at, changed, backed up, deleted, recovered, purged or left
 * to the vault's retention. Against the service it takes some minutes, for the waits that a deletion costs.
 */
export function livesIn(title: string, vaultUrl: () => string): void {
  describe(title, { timeout: minutes(15) }, () => {
    let client: KeyVaultClient;
    const pem = () =>
      generateKeyPairSync("ec", { namedCurve: "P-256" }).privateKey.export({ type: "pkcs8", format: "pem" });
    const passed = (type: string, args: Arguments): Arguments => ({
      ...identity(name, type),
      vaultUrl: vaultUrl(),
      name,
      ...args,
    });
    const checked = async (provider: typeof key, type: string, args: Arguments, olds: Arguments = {}) => {
      const { inputs, failures } = await provider.check(olds, passed(type, args));
      expect(failures).toEqual([]);
      return stored(inputs);
    };

    beforeAll(async () => {
      vi.spyOn(process.stdout, "write").mockReturnValue(true);
      client = await vaultClient({ vaultUrl: vaultUrl() });
      await removeLeftovers(client);
    }, minutes(15));
    afterAll(async () => {
      await removeLeftovers(client);
      vi.restoreAllMocks();
    }, minutes(15));

    it.each([
      ["Key", key, keyBackup, () => ({ import: { pem: pem() } }), "keys"],
      ["Secret", secret, secretBackup, () => ({ value: randomBytes(16).toString("hex") }), "secrets"],
    ] as const)("a %s lives", async (type, provider, backup, source, collection) => {
      const first = source();
      const inputs = await checked(provider, type, { ...first, tags: { suite: "1" } });
      const { id, outs } = await provider.create(inputs);
      expect(id).toBe(`${inputs.vaultUrl}/${collection}/${name}`);

      const read = await provider.read(id, stored(outs));
      expect(stored(read.inputs ?? {})).toEqual(inputs);

      const retagged = await checked(provider, type, { ...first, tags: { suite: "2" } }, inputs);
      const patched = stored((await provider.update(id, stored(outs), retagged)).outs);
      expect(patched.version).toBe(outs.version);

      const renewed = await checked(provider, type, { ...source(), tags: { suite: "2" } }, retagged);
      const next = stored((await provider.update(id, patched, renewed)).outs);
      expect(next.version).not.toBe(outs.version);

      const backupInputs = await checked(backup, `${type}Backup`, {});
      expect(String(stored((await backup.create(backupInputs)).outs).blob).length).toBeGreaterThan(100);

      forgetDeclaredObjects();
      await provider.delete(id, next);
      expect((await provider.read(id, next)).id).toBe("");

      // Deleted and made again: it is recovered, with the material that it had.
      const again = await provider.create(await checked(provider, type, { ...first, tags: { suite: "3" } }));
      const recovered = stored(again.outs);
      expect(recovered.tags).toMatchObject({ suite: "3" });
      forgetDeclaredObjects();
      await provider.delete(id, recovered);
    });
  });
}

/**
 * Deletes what this suite has made, in this run or in one that was cut off, and purges it where the vault allows that: a
 * deletion takes the service its time.
 */
async function removeLeftovers(client: KeyVaultClient): Promise<void> {
  const deletedNow = { keys: new Set<string>(), secrets: new Set<string>() };
  for await (const { name } of client.getKeys()) {
    if (isOurs(name)) deletedNow.keys.add((await client.deleteKey(name)).name);
  }
  for await (const { name } of client.getSecrets()) {
    if (isOurs(name)) deletedNow.secrets.add((await client.deleteSecret(name)).name);
  }
  // What was deleted a moment ago is in no list yet.
  for (const each of [...deletedNow.keys, name]) await purge(each, () => client.purgeDeletedKey(each));
  for (const each of [...deletedNow.secrets, name]) await purge(each, () => client.purgeDeletedSecret(each));
  for await (const { name } of client.getDeletedKeys()) {
    if (isOurs(name)) await purge(name, () => client.purgeDeletedKey(name));
  }
  for await (const { name } of client.getDeletedSecrets()) {
    if (isOurs(name)) await purge(name, () => client.purgeDeletedSecret(name));
  }
}

/** Purge protection and a missing permission leave the rest to the vault's retention. */
async function purge(name: string, send: () => Promise<unknown>): Promise<void> {
  try {
    await new OperationDeadline("10m").whileBusy(`the deletion of ${name} to end`, send);
  } catch (error) {
    if (!(error instanceof KeyVaultError) || !["KV_NOT_FOUND", "KV_FORBIDDEN"].includes(error.code)) throw error;
  }
}

function isOurs(name: string): boolean {
  return name.toLowerCase().startsWith(PREFIX);
}
