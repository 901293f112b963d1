import { readFileSync } from "node:fs";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import { type Emulator, startEmulator } from "../../emulator/index.js";
import { vaultCaller } from "../cli/vault-caller.js";
import { ecKey } from "../engine/demo-keys.js";
import { type Arguments, DrivenResource, type State } from "./driven-resource.js";
import { identity, nextEngineRun } from "./engine-run.js";
import { key, keyBackup, secret, secretBackup } from "./providers.js";

interface Row {
  step: string;
  count: number;
  operations: string[];
}

/** The tables of docs/requests.md, by their headings. */
function tables(): Record<string, Row[]> {
  const text = readFileSync(join(__dirname, "../../docs/requests.md"), "utf8");
  const sections = text.split(/^## /m).slice(1);
  return Object.fromEntries(
    sections.map((section) => {
      const rows = [...section.matchAll(/^\| (.+?) \| (\d+) \| ?(.*?) ?\|$/gm)].map(
        ([, step = "", count, operations = ""]) => ({
          step,
          count: Number(count),
          operations: operations.split(", ").filter((operation) => operation !== ""),
        }),
      );
      return [section.slice(0, section.indexOf("\n")), rows];
    }),
  );
}

const LATER = "2037-01-01T00:00:00Z";
const material = { import: { jwk: ecKey().jwk } };
const otherMaterial = { import: { jwk: ecKey().jwk } };
const value = { value: "a value" };
const disabling = { previousVersions: "disable" };
const recipe = { generate: { length: 32 } };
const otherValue = { value: "another value" };
const policy = { rotationPolicy: { rotateAfter: "P90D" } };
const behaviour = { onDelete: "retain", ifSoftDeleted: "fail", timeouts: { create: "5m" } };

/** A step prepares what it needs, and calls `asked` right before the requests that count. */
type Step = (resource: DrivenResource, asked: () => void) => Promise<unknown>;

const creates =
  (args: Arguments): Step =>
  async (resource, asked) => {
    const inputs = await resource.checked(args);
    asked();
    await resource.provider.create(inputs);
  };
const updates =
  (before: Arguments, after: Arguments): Step =>
  async (resource, asked) => {
    const state = await resource.created(before);
    asked();
    await resource.updated(state, after);
  };
const refreshes =
  (args: Arguments, change?: (state: State, resource: DrivenResource) => Promise<unknown>): Step =>
  async (resource, asked) => {
    const state = await resource.created(args);
    await change?.(state, resource);
    asked();
    await resource.refreshed(state);
  };
const deletes =
  (args: Arguments): Step =>
  async (resource, asked) => {
    const { id, outs } = await resource.created(args);
    asked();
    await resource.deleted({ id, outs });
  };
const stays =
  (args: Arguments): Step =>
  async (resource, asked) => {
    const state = await resource.created(args);
    asked();
    await resource.provider.diff(state.id, state.outs, await resource.checked(args, state.inputs));
  };
const over =
  (before: Arguments, after: Arguments): Step =>
  async (resource, asked) => {
    const { id, outs } = await resource.created(before);
    await resource.deleted({ id, outs });
    await creates(after)(resource, asked);
  };
const again =
  (args: Arguments): Step =>
  async (resource, asked) => {
    await resource.created(args);
    await creates(args)(resource, asked);
  };
const adopts =
  (before: Arguments, attributes: Arguments = {}): Step =>
  async (resource, asked) => {
    await resource.created(before);
    nextEngineRun();
    await creates({ adopt: true, ...attributes })(resource, asked);
  };
const looksToAdopt =
  (before: Arguments): Step =>
  async (resource, asked) => {
    await resource.created(before);
    asked();
    await resource.checked({ adopt: true });
  };
const restores =
  (before: Arguments, backup: typeof keyBackup): Step =>
  async (resource, asked) => {
    const { id, outs } = await resource.created({ ...before, ...identity("source"), onDelete: "purge" });
    const { blob } = (await backup.create({ ...resource.defaults })).outs as { blob: { value: string } };
    await resource.deleted({ id, outs });
    await creates({ restore: { blob: blob.value } })(resource, asked);
  };
const elsewhere = identity("orders", "Key", { project: "shop", stack: "dev" });
/** As {@link creates}, after a run in which another resource has made the object. */
const afterAnother =
  (before: Arguments, after: Arguments, fails = false): Step =>
  async (resource, asked) => {
    await resource.created(before);
    nextEngineRun();
    const creating = creates(after)(resource, asked);
    if (fails) await expect(creating).rejects.toThrow("KV_ALREADY_EXISTS");
    else await creating;
  };
const deletesAnothers =
  (args: Arguments): Step =>
  async (resource, asked) => {
    const { id, outs } = await resource.created(args);
    nextEngineRun();
    await resource.created({ ...identity("another"), ...args });
    asked();
    await resource.deleted({ id, outs });
  };
const deletesDeclared =
  (args: Arguments): Step =>
  async (resource, asked) => {
    const { id, outs } = await resource.created(args);
    nextEngineRun();
    await resource.checked({ ...identity("another"), ...args });
    asked();
    await resource.provider.delete(id, outs);
  };
const gone = (state: State, resource: DrivenResource) => resource.deleted(state);

const keySteps: Record<string, Step> = {
  "create from `import`": creates(material),
  "create from `import` with `wrapWith`": async (resource, asked) => {
    const { url } = resource.vault;
    await vaultCaller(resource.vault)("POST", "/keys/kek/create", { kty: "RSA-HSM", key_ops: ["import"] });
    await creates({ import: { ...material.import, wrapWith: `${url}/keys/kek` } })(resource, asked);
  },
  "create from `generate`": creates({ generate: { keyType: "EC" } }),
  "create with a rotation policy": creates({ generate: { keyType: "EC" }, ...policy }),
  "create what an interrupted run has imported": again(material),
  "create what another resource of the stack has left": afterAnother({ ...identity("old"), ...material }, material),
  "create over a key of another stack, which is refused": afterAnother({ ...elsewhere, ...material }, material, true),
  "create over a soft-deleted key of the same material": over(material, material),
  "create over a soft-deleted key of other material": over(material, otherMaterial),
  "create from `restore`": restores(material, keyBackup),
  "preview of `adopt`": looksToAdopt(material),
  "create with `adopt`": adopts(material),
  "create with `adopt` and other attributes": adopts(material, { tags: { a: "1" } }),
  "create with `adopt` of another stack's key": adopts({ ...elsewhere, ...material }),
  "no change": stays(material),
  refresh: refreshes(material),
  "refresh with a rotation policy": refreshes({ ...material, ...policy }),
  "refresh of a key that is gone": refreshes(material, gone),
  "change of attributes": updates(material, { ...material, enabled: false, expiresOn: LATER }),
  "change of tags": updates(material, { ...material, tags: { a: "1" }, enabled: false, expiresOn: LATER }),
  "change of the rotation policy": updates({ ...material, ...policy }, material),
  "change of `onDelete`, `ifSoftDeleted` or `timeouts`": updates(material, { ...material, ...behaviour }),
  "new material": updates(material, { ...otherMaterial, tags: { a: "1" } }),
  'new material with `previousVersions: "disable"`': updates(material, { ...otherMaterial, ...disabling }),
  "removal of `expiresOn`": updates({ ...material, expiresOn: LATER }, material),
  "delete: `retain`": deletes({ ...material, onDelete: "retain" }),
  "delete: `disable`": deletes({ ...material, onDelete: "disable" }),
  "delete: `delete`": deletes(material),
  "delete: `purge`": deletes({ ...material, onDelete: "purge" }),
  "delete of a key that another owns by now": deletesAnothers(material),
  "delete of a key that the program declares elsewhere": deletesDeclared(material),
};

const secretSteps: Record<string, Step> = {
  "create from `value`": creates(value),
  "create from `generate`": creates(recipe),
  "create what an interrupted run has set": again(value),
  "create what another resource of the stack has left": afterAnother({ ...identity("old"), ...value }, value),
  "create over a secret of another stack, which is refused": afterAnother({ ...elsewhere, ...value }, value, true),
  "create over a soft-deleted secret of the same value": over(value, value),
  "create over a soft-deleted secret of another value": over(value, otherValue),
  "create from `restore`": restores(value, secretBackup),
  "preview of `adopt`": looksToAdopt(value),
  "create with `adopt`": adopts(value),
  "create with `adopt` of another stack's secret": adopts({ ...elsewhere, ...value }),
  "no change": stays(value),
  refresh: refreshes(value),
  "refresh of a disabled secret": refreshes({ ...value, enabled: false }),
  "refresh with `valueDrift: false`": refreshes({ ...value, valueDrift: false }),
  "refresh of a secret that is gone": refreshes(value, gone),
  "change of attributes": updates(value, { ...value, enabled: false, contentType: "a/b" }),
  "change of tags": updates(value, { ...value, tags: { a: "1" }, enabled: false, contentType: "a/b" }),
  "change of `onDelete`, `ifSoftDeleted` or `timeouts`": updates(value, { ...value, ...behaviour }),
  "new value": updates(value, { ...otherValue, tags: { a: "1" } }),
  'new value with `previousVersions: "disable"`': updates(value, { ...otherValue, ...disabling }),
  "new generated value": updates(recipe, { generate: { length: 33 }, tags: { a: "1" } }),
  "removal of `contentType` or `expiresOn`": updates({ ...value, contentType: "a/b", expiresOn: LATER }, value),
  "removal of `contentType` of a generated secret": updates({ ...recipe, contentType: "a/b" }, recipe),
  "delete: `retain`": deletes({ ...value, onDelete: "retain" }),
  "delete: `disable`": deletes({ ...value, onDelete: "disable" }),
  "delete: `delete`": deletes(value),
  "delete: `purge`": deletes({ ...value, onDelete: "purge" }),
  "delete of a secret that another owns by now": deletesAnothers(value),
  "delete of a secret that the program declares elsewhere": deletesDeclared(value),
};

/** A backup of the object that `resource` makes; managed ones get its version as an input, as the SDK passes it on. */
const backs =
  (
    backup: typeof keyBackup,
    source: { provider: typeof key; args: Arguments },
    isManaged: boolean,
    step: (backups: DrivenResource, inputs: Arguments, asked: () => void) => Promise<unknown>,
  ): Step =>
  async ({ vault, defaults }, asked) => {
    const { outs } = await new DrivenResource(source.provider, vault, defaults).created(source.args);
    const inputs = isManaged ? { version: outs.version, updatedOn: outs.updatedOn } : {};
    await step(new DrivenResource(backup, vault, defaults), inputs, asked);
  };
const ofKey = { provider: key, args: material };
const ofSecret = { provider: secret, args: value };
const take = (backups: DrivenResource, inputs: Arguments, asked: () => void) => creates(inputs)(backups, asked);
const refresh = (backups: DrivenResource, inputs: Arguments, asked: () => void) => refreshes(inputs)(backups, asked);

const backupSteps: Record<string, Step> = {
  "create of a key's backup": backs(keyBackup, ofKey, true, take),
  "create of a secret's backup": backs(secretBackup, ofSecret, true, take),
  "create of the backup of a key that is only named": backs(keyBackup, ofKey, false, take),
  "create of the backup of a secret that is only named": backs(secretBackup, ofSecret, false, take),
  "no change": backs(keyBackup, ofKey, true, (backups, inputs, asked) => stays(inputs)(backups, asked)),
  "refresh of a managed key's backup": backs(keyBackup, ofKey, true, refresh),
  "refresh of the backup of a key that is only named": backs(keyBackup, ofKey, false, refresh),
  "re-taken after a change of a managed key": backs(keyBackup, ofKey, true, (backups, inputs, asked) =>
    updates(inputs, { ...inputs, updatedOn: LATER })(backups, asked),
  ),
  delete: backs(keyBackup, ofKey, true, (backups, inputs, asked) => deletes(inputs)(backups, asked)),
};

const documented = tables();

describe.each([
  ["Key", key, keySteps],
  ["Secret", secret, secretSteps],
  ["KeyBackup and SecretBackup", keyBackup, backupSteps],
] as const)("a %s asks the vault as docs/requests.md says", (heading, provider, steps) => {
  let vault: Emulator;
  beforeEach(async () => {
    vault = await startEmulator();
    vi.spyOn(process.stdout, "write").mockReturnValue(true);
  });
  afterEach(async () => {
    vi.restoreAllMocks();
    await vault.close();
  });

  it("in a row for each step", () => {
    expect(documented[heading]?.map(({ step }) => step)).toEqual(Object.keys(steps));
  });

  it.each(documented[heading] ?? [])("$step: $count", async ({ step, count, operations }) => {
    const resource = new DrivenResource(provider, vault, { vaultUrl: vault.url, name: "orders" });
    await steps[step]?.(resource, () => vault.requests.clear());
    expect(resource.operations()).toEqual(operations);
    expect(operations).toHaveLength(count);
  });
});
