import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import { type Emulator, startEmulator } from "../../emulator/index.js";
import { key, keyBackup, secret, secretBackup, vaultBackup } from "../../provider/dynamic-v1.js";
import { OPERATIONS } from "../../provider/keyvault/operations.js";
import { ecKey } from "../engine/demo-keys.js";
import { ROLES } from "../keyvault/built-in-roles.js";
import { DrivenResource, type State } from "../provider/driven-resource.js";
import { nextEngineRun } from "../provider/engine-run.js";
import { readPage } from "./page.js";

const material = () => ({ import: { jwk: ecKey().jwk } });
const rotationPolicy = { rotateAfter: "P90D" };

/** What is there before, made by the vault's owner, and what a caller with the row's permissions then does. */
interface Doing {
  before?(own: Resources): Promise<unknown>;
  act(as: Resources, made: unknown): Promise<unknown>;
}

class Resources {
  constructor(readonly vault: Emulator) {}

  get key() {
    return new DrivenResource(key, this.vault, { vaultUrl: this.vault.url, name: "orders" });
  }

  get secret() {
    return new DrivenResource(secret, this.vault, { vaultUrl: this.vault.url, name: "orders" });
  }

  async backup(kind: "key" | "secret"): Promise<unknown> {
    const provider = kind === "key" ? keyBackup : secretBackup;
    const { inputs } = await provider.check({}, { vaultUrl: this.vault.url, name: "orders" });
    const { outs } = await provider.create(inputs);
    return outs.blob;
  }

  async vaultBackup(selection: object): Promise<void> {
    const checked = await vaultBackup.check({}, { vaultUrl: this.vault.url, ...selection });
    expect(checked.failures).toEqual([]);
    await vaultBackup.create(checked.inputs);
  }
}

const state = (made: unknown) => made as State;
const rows: Record<string, Doing> = {
  "previews and refreshes keys, detects drift, lists": {
    before: ({ key }) => key.created(material()),
    act: async ({ key }, made) => expect(await key.drift(state(made))).toEqual({}),
  },
  "imports, generates and changes keys": {
    before: async ({ key }) => key.deleted(await key.created({ name: "deleted", ...material() })),
    act: async ({ key }) => {
      await key.created({ name: "generated", generate: { keyType: "EC" } });
      const source = material();
      const made = await key.created({ ...source, tags: { by: "us" } });
      const changed = await key.updated(made, { ...source, enabled: false });
      await key.updated(changed, material());
      await key.created({ name: "deleted", ...material() });
    },
  },
  "… wrapped": {
    act: async ({ key }) => {
      const exchange = await key.created({
        name: "exchange",
        generate: { keyType: "RSA-HSM" },
        keyOps: ["import"],
      });
      await key.created({ import: { ...material().import, wrapWith: `${exchange.id}/${exchange.outs.version}` } });
    },
  },
  "… with `rotationPolicy`": {
    act: async ({ key }) => expect(await key.drift(await key.created({ ...material(), rotationPolicy }))).toEqual({}),
  },
  'deletes keys (`onDelete: "delete"`, `destroy`)': {
    before: ({ key }) => key.created(material()),
    act: ({ key }, made) => key.deleted(state(made)),
  },
  'purges keys (`onDelete: "purge"`)': {
    before: ({ key }) => key.created({ ...material(), onDelete: "purge" }),
    act: ({ key }, made) => key.deleted(state(made)),
  },
  "backs up keys": {
    before: ({ key }) => key.created(material()),
    act: async (as) => {
      await as.backup("key");
      await as.vaultBackup({ keys: ["*"] });
    },
  },
  "restores keys": {
    before: async (own) => {
      const made = await own.key.created({ ...material(), onDelete: "purge" });
      const blob = await own.backup("key");
      await own.key.deleted(made);
      return blob;
    },
    act: ({ key }, blob) => key.created({ restore: { blob: plain(blob) } }),
  },
  "previews and refreshes secrets, values compared": {
    before: ({ secret }) => secret.created({ value: "a value" }),
    act: async ({ secret }, made) => expect(await secret.drift(state(made))).toEqual({}),
  },
  "… [without reading values](secrets.md#without-reading-values)": {
    before: ({ secret }) => secret.created({ value: "a value" }),
    act: async ({ secret }, made) => expect(await secret.drift(state(made))).toEqual({}),
  },
  "sets, generates and changes secrets": {
    before: async ({ secret }) => secret.deleted(await secret.created({ name: "deleted", value: "a value" })),
    act: async ({ secret }) => {
      await secret.created({ name: "generated", generate: { length: 32 } });
      const made = await secret.created({ value: "a value" });
      await secret.updated(await secret.updated(made, { value: "a value", tags: { by: "us" } }), { value: "another" });
      await secret.created({ name: "deleted", value: "another" });
    },
  },
  "deletes or purges secrets": {
    before: ({ secret }) => secret.created({ value: "a value", onDelete: "purge" }),
    act: ({ secret }, made) => secret.deleted(state(made)),
  },
  "backs up or restores secrets": {
    before: async (own) => {
      const made = await own.secret.created({ name: "gone", value: "a value", onDelete: "purge" });
      await own.secret.created({ value: "a value" });
      const { inputs } = await secretBackup.check({}, { vaultUrl: own.vault.url, name: "gone" });
      const { outs } = await secretBackup.create(inputs);
      await own.secret.deleted(made);
      return outs.blob;
    },
    act: async (as, blob) => {
      await as.backup("secret");
      await as.vaultBackup({ secrets: ["*"] });
      await as.secret.created({ name: "gone", restore: { blob: plain(blob) } });
    },
  },
};

function plain(secretOutput: unknown): unknown {
  return typeof secretOutput === "object" && secretOutput !== null && "value" in secretOutput
    ? secretOutput.value
    : secretOutput;
}

/** The rows of the page: what the program does, and the permissions of an access policy for it. */
function documented(): [title: string, permissions: { keys: string[]; secrets: string[] }, roles: string[]][] {
  const table = readPage("docs/permissions.md").text.split("## Grant it")[0] ?? "";
  const found: [string, { keys: string[]; secrets: string[] }, string[]][] = [];
  for (const [, title = "", cell = "", roles = ""] of table.matchAll(/^\| ([^|]+) \| ([^|]+) \| ([^|]+) \|$/gm)) {
    const [, kind, list] = /^(keys|secrets): (.+)$/.exec(cell) ?? [];
    const before = found.at(-1)?.[1] ?? { keys: [], secrets: [] };
    const permissions = { keys: [...before.keys], secrets: [...before.secrets] };
    if (kind === "keys" || kind === "secrets") {
      Object.assign(permissions, { keys: [], secrets: [], [kind]: list?.split(", ") });
    } else if (cell.startsWith("and ")) permissions.keys.push(...cell.slice(4).split(", "));
    else if (cell !== "the same") continue;
    found.push([title, permissions, roles.split(" and ")]);
  }
  return found;
}

describe("the permissions that docs/permissions.md names are enough for a program that", () => {
  let vault: Emulator;
  beforeEach(async () => {
    vault = await startEmulator();
    vi.spyOn(process.stdout, "write").mockReturnValue(true);
  });
  afterEach(async () => {
    vi.restoreAllMocks();
    await vault.close();
  });

  const shown = documented().filter(([title]) => title in rows);

  it("does any of what is shown here", () => {
    expect([...new Set(shown.map(([title]) => title))].sort()).toEqual(Object.keys(rows).sort());
  });

  it.each(shown)("%s", async (title, permissions) => {
    const resources = new Resources(vault);
    const made = await rows[title]?.before?.(resources);
    const principals = { "emulator-owner": permissions };
    vault.vault("emulator").configure({ permissions: { model: "accessPolicy", principals } });
    nextEngineRun();
    await rows[title]?.act(resources, made);
  });

  it.each(documented())("%s, by the roles too", (_title, permissions, roles) => {
    const had = new Set(roles.flatMap((role) => [...(ROLES.get(role) ?? [])]));
    const named = [
      ...permissions.keys.map((name) => `keys/${name}`),
      ...permissions.secrets.map((name) => `secrets/${name}`),
    ];
    const lacking = Object.values(OPERATIONS)
      .filter(({ permission }) => named.includes(permission))
      .filter(({ dataAction }) => !had.has(dataAction));
    expect(lacking).toEqual([]);
  });
});
