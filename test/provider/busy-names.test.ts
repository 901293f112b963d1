import { KeyClient } from "@azure/keyvault-keys";
import { SecretClient } from "@azure/keyvault-secrets";
import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import { type Emulator, startEmulator } from "../../emulator/index.js";
import { useRunClock } from "../../provider/engine/run-clock.js";
import { ecKey } from "../engine/demo-keys.js";
import { type Arguments, DrivenResource } from "./driven-resource.js";
import { hurried } from "./engine-run.js";
import { key, keyBackup, secret, secretBackup } from "./providers.js";

const options = { disableChallengeResourceVerification: true, allowInsecureConnection: true };

interface Kind {
  provider: typeof key;
  backup: typeof key;
  source: Arguments;
  /** Names of the operations that write and delete. */
  write: string;
  delete: string;
  /** Another object of the name, made by somebody else. */
  occupy(vault: Emulator): Promise<unknown>;
  remove(vault: Emulator): Promise<{ pollUntilDone(): Promise<unknown> }>;
  recover(vault: Emulator): Promise<unknown>;
  purge(vault: Emulator): Promise<unknown>;
  versions(vault: Emulator): AsyncIterable<unknown>;
}

const keys = ({ url, credential }: Emulator) => new KeyClient(url, credential, options);
const secrets = ({ url, credential }: Emulator) => new SecretClient(url, credential, options);
const fast = { intervalInMs: 20 };

const kinds: [string, Kind][] = [
  [
    "key",
    {
      provider: key,
      backup: keyBackup,
      source: { import: { jwk: ecKey().jwk } },
      write: "importKey",
      delete: "deleteKey",
      occupy: (vault) => keys(vault).createEcKey("orders"),
      remove: (vault) => keys(vault).beginDeleteKey("orders", fast),
      recover: (vault) => keys(vault).beginRecoverDeletedKey("orders", fast),
      purge: (vault) => keys(vault).purgeDeletedKey("orders"),
      versions: (vault) => keys(vault).listPropertiesOfKeyVersions("orders"),
    },
  ],
  [
    "secret",
    {
      provider: secret,
      backup: secretBackup,
      source: { value: "a value" },
      write: "setSecret",
      delete: "deleteSecret",
      occupy: (vault) => secrets(vault).setSecret("orders", "somebody else's value"),
      remove: (vault) => secrets(vault).beginDeleteSecret("orders", fast),
      recover: (vault) => secrets(vault).beginRecoverDeletedSecret("orders", fast),
      purge: (vault) => secrets(vault).purgeDeletedSecret("orders"),
      versions: (vault) => secrets(vault).listPropertiesOfSecretVersions("orders"),
    },
  ],
];

describe.each(kinds)("a %s whose name is busy", (noun, kind) => {
  let vault: Emulator;
  let resource: DrivenResource;

  beforeEach(async () => {
    vi.spyOn(process.stdout, "write").mockReturnValue(true);
    vault = await startEmulator({ timing: "short" });
    resource = new DrivenResource(kind.provider, vault, { vaultUrl: vault.url, name: "orders" });
  });
  afterEach(async () => {
    vi.restoreAllMocks();
    await vault.close();
  });

  const versions = async (): Promise<number> => {
    let count = 0;
    for await (const _version of kind.versions(vault)) count += 1;
    return count;
  };

  it("because somebody recovers it is left to them", async () => {
    await kind.occupy(vault);
    await (await kind.remove(vault)).pollUntilDone();
    await kind.recover(vault);
    await expect(resource.created(kind.source)).rejects.toThrow(/already holds a/);
    expect(await versions()).toBe(1);
  });

  it("because somebody recovers it is written to no more until what comes back has been seen", async () => {
    await kind.occupy(vault);
    await (await kind.remove(vault)).pollUntilDone();
    vault.clock.freeze();
    await kind.recover(vault);
    vault.requests.clear();
    await expect(resource.created(kind.source)).rejects.toThrow(/already holds a/);
    expect(resource.operations().filter((operation) => operation === kind.write)).toHaveLength(1);
  });

  it("because somebody recovers it is taken over where it is the program's", async () => {
    await resource.created(kind.source);
    await (await kind.remove(vault)).pollUntilDone();
    await kind.recover(vault);
    await resource.created({ ...kind.source, tags: { team: "orders" } });
    expect(await versions()).toBe(1);
  });

  it("because it is being deleted is recovered when that has ended, with a version of the program's", async () => {
    await kind.occupy(vault);
    await kind.remove(vault);
    await resource.created(kind.source);
    expect(await versions()).toBe(2);
  });

  it("because it is being purged is restored when that has ended", async () => {
    const state = await resource.created(kind.source);
    const { blob } = (await kind.backup.create({ ...resource.defaults })).outs as { blob: { value: string } };
    await (await kind.remove(vault)).pollUntilDone();
    await kind.purge(vault);
    const restored = await resource.created({ restore: { blob: blob.value } });
    expect(restored.outs.version).toBe(state.outs.version);
  });

  it.each(["production", "test", "development", ""])(
    "because of parallel work is waited for alike, whatever NODE_ENV says: %j",
    async (nodeEnv) => {
      vi.stubEnv("NODE_ENV", nodeEnv);
      vault.faults.add({ kind: "conflict", operation: kind.write, times: 3 });
      vault.requests.clear();
      await resource.created(kind.source);
      expect(resource.operations().filter((operation) => operation === kind.write)).toHaveLength(4);
    },
  );

  it("because of parallel work is looked at, and written once", async () => {
    vault.faults.add({ kind: "conflict", operation: kind.write, times: 2 });
    await resource.created(kind.source);
    expect(await versions()).toBe(1);
  });

  it("and stays so is looked at less and less often, and given up with the service's words", async () => {
    const waits: number[] = [];
    useRunClock(
      hurried((ms) => {
        waits.push(ms);
        vault.clock.advance(ms);
      }),
    );
    vault.faults.add({ kind: "conflict", operation: kind.write });
    await expect(resource.created(kind.source)).rejects.toThrow(
      new RegExp(`^KV_TIMEOUT: waited 9 min .* for ${noun} "orders" .* to be free \\(the last answer: .*409 Conflict`),
    );
    const waited = waits.reduce((sum, ms) => sum + ms, 0);
    expect(waited).toBeGreaterThan(590_000);
    expect(waited).toBeLessThanOrEqual(600_000);
    // From a tenth of a second to five: each longer than the one before, but for those that end with a word each half minute.
    const growing = waits.slice(0, 7);
    expect(growing).toEqual(growing.toSorted((a, b) => a - b));
    expect(Math.max(...waits)).toBe(5_000);
    // Each look is one write that is refused, and one read of what there is, active and deleted.
    const asked = resource.operations();
    expect(asked.filter((operation) => operation === kind.write).length).toBeLessThan(160);
    expect(asked.length).toBeLessThan(3 * 160 + 5);
  });

  it("is waited for as long as the resource says, and no longer", async () => {
    const { id, outs } = await resource.created({ ...kind.source, onDelete: "purge", timeouts: { delete: "1s" } });
    vault.clock.freeze();
    useRunClock(hurried());
    await expect(resource.deleted({ id, outs })).rejects.toThrow(
      new RegExp(`waited .* for the deletion of ${noun} "orders".*timeouts`),
    );
  });

  it("is deleted once where the answer is lost after the fact", async () => {
    const { id, outs } = await resource.created(kind.source);
    vault.faults.add({ kind: "dropAfter", operation: kind.delete, times: 1 });
    vault.requests.clear();
    await resource.deleted({ id, outs });
    expect(resource.operations().filter((operation) => operation === kind.delete)).toHaveLength(1);
  });

  it("because another resource of the program manages it is refused, whatever its case", async () => {
    const first = { ...kind.source, name: "claimed", claimant: "one" };
    expect(await resource.refused(first)).toBe("");
    expect(await resource.refused({ ...first, name: "CLAIMED", claimant: "two" })).toMatch(/already manages/);
  });
});
