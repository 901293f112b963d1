import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import { type Emulator, startEmulator } from "../../emulator/index.js";
import { call } from "../engine/vault-by-hand.js";
import {
  asPrincipal,
  contents,
  previewed,
  READ_ONLY,
  READER,
  refreshPreviewed,
  toldIn,
  upped,
} from "./drift-routes.js";
import { type Arguments, DrivenResource, type State } from "./driven-resource.js";
import { keyBackup, keyInventory, secretBackup, secretInventory, vaultBackup } from "./providers.js";

const folder = mkdtempSync(join(tmpdir(), "drift-watchers-"));
afterAll(() => rmSync(folder, { recursive: true, force: true }));

let vault: Emulator;
let lines: string[];
beforeEach(async () => {
  vault = await startEmulator({ vaults: [{ name: "emulator", permissions: READ_ONLY }] });
  lines = [];
  vi.spyOn(process.stdout, "write").mockImplementation((text) => lines.push(String(text).trimEnd()) > 0);
  await call(vault, "POST", "/keys/orders/create", { kty: "EC" });
  await call(vault, "PUT", "/secrets/orders", { value: "a value" });
});
afterEach(async () => {
  vi.restoreAllMocks();
  await vault.close();
});

const PROVIDERS = {
  KeyBackup: keyBackup,
  SecretBackup: secretBackup,
  VaultBackup: vaultBackup,
  KeyInventory: keyInventory,
  SecretInventory: secretInventory,
};
type WatcherType = keyof typeof PROVIDERS;

/** An inventory owns nothing, so the SDK tells it nothing of who it is. */
class DrivenInventory extends DrivenResource {
  override passed(args: Arguments): Arguments {
    return { ...this.defaults, ...args };
  }
}

async function deployed(type: WatcherType, program: Arguments) {
  const defaults = { vaultUrl: vault.url, ...(/^(Key|Secret)Backup$/.test(type) ? { name: "orders" } : {}) };
  const Driven = type.endsWith("Inventory") ? DrivenInventory : DrivenResource;
  const resource = new Driven(PROVIDERS[type], vault, defaults);
  return { watched: { resource, type, lines }, state: await resource.created(program) };
}

const collectionOf = (type: WatcherType): "keys" | "secrets" => (type.startsWith("Secret") ? "secrets" : "keys");
const path = async (type: WatcherType): Promise<string> => {
  const { kid, id } = Object((await call(vault, "GET", `/${collectionOf(type)}/orders`)) as object) as Held;
  return new URL(kid ?? id ?? (Object(await call(vault, "GET", "/keys/orders")).key.kid as string)).pathname;
};
interface Held {
  kid?: string;
  id?: string;
}

/** What somebody does outside. Moments of the vault are whole seconds, so it is done later. */
const DEEDS: Record<string, (type: WatcherType) => Promise<unknown>> = {
  "a new version": (type) =>
    collectionOf(type) === "keys"
      ? call(vault, "POST", "/keys/orders/create", { kty: "EC" })
      : call(vault, "PUT", "/secrets/orders", { value: "another value" }),
  "other tags": async (type) => call(vault, "PATCH", await path(type), { tags: { team: "somebody" } }),
  disabling: async (type) => call(vault, "PATCH", await path(type), { attributes: { enabled: false } }),
  deletion: (type) => call(vault, "DELETE", `/${collectionOf(type)}/orders`),
  purge: async (type) => {
    await call(vault, "DELETE", `/${collectionOf(type)}/orders`);
    await call(vault, "DELETE", `/deleted${collectionOf(type)}/orders`);
  },
  "another one": (type) =>
    collectionOf(type) === "keys"
      ? call(vault, "POST", "/keys/other/create", { kty: "EC" })
      : call(vault, "PUT", "/secrets/other", { value: "a value" }),
  "another rotation policy": () =>
    call(vault, "PUT", "/keys/orders/rotationpolicy", {
      lifetimeActions: [{ trigger: { timeAfterCreate: "P60D" }, action: { type: "Rotate" } }],
    }),
};

/** On every route the same, and by a reader alone; the next up does what is told, and the vault stays as it is. */
async function expectTold(
  type: WatcherType,
  program: Arguments,
  deed: (state: State) => Promise<unknown>,
  expected: { told: string[]; consequence?: RegExp },
): Promise<void> {
  const { watched, state } = await deployed(type, program);
  vault.clock.advance(2_000);
  const changed = ((await deed(state)) as { state?: State } | undefined)?.state ?? state;
  vault.clock.advance(2_000);
  const outside = await contents(vault);
  const { report } = await asPrincipal(READER, () => previewed(watched, changed, program));
  expect(toldIn(report)).toEqual(expected.told);
  expect(toldIn(await asPrincipal(READER, () => refreshPreviewed(watched, changed)))).toEqual(expected.told);
  if (expected.told.length === 0) return;
  const [consequence = ""] = report.drifted.flatMap(({ changes }) => changes.map((change) => change.consequence));
  expect(consequence).toMatch(expected.consequence ?? /./);
  if (consequence.startsWith("fails")) {
    await expect(upped(watched, changed, program)).rejects.toThrow(/^KV_UNMANAGED/);
    return;
  }
  const repaired = await upped(watched, changed, program);
  const asked = watched.resource.operations().filter((operation) => operation.startsWith("backup"));
  expect(asked.length > 0).toBe(/^takes the backup again/.test(consequence));
  expect(await contents(vault)).toEqual(outside);
  const again = await previewed(watched, repaired, program);
  expect({ isSame: again.isSame, told: toldIn(again.report) }).toEqual({ isSame: true, told: [] });
}

const TAKEN_AGAIN = /^takes the backup again/;
const RECORDED = /^records the vault as it is now/;

describe.each(["KeyBackup", "SecretBackup"] as const)("a %s", (type) => {
  it.each(["a new version", "other tags", "disabling"])("is stale after %s, and is taken again", async (deed) => {
    // A disabled secret cannot be backed up by looking at its value, but its list tells of it.
    await expectTold(type, {}, () => DEEDS[deed]?.(type) ?? Promise.reject(), {
      told: ["drifted blob"],
      consequence: TAKEN_AGAIN,
    });
  });

  it.each(["deletion", "purge", "another one"])("is as it was after %s: it may be the last copy", async (deed) => {
    await expectTold(type, {}, () => DEEDS[deed]?.(type) ?? Promise.reject(), { told: [] });
  });

  it("is stale where its blob in state was changed or lost", async () => {
    for (const blob of ["another blob", null]) {
      const broken = async (state: State) => ({ state: { ...state, outs: { ...state.outs, blob } } });
      await expectTold(type, {}, broken, { told: ["drifted blob"], consequence: TAKEN_AGAIN });
    }
  });

  it("is stale where its file was changed", async () => {
    const program = { to: { folder: mkdtempSync(join(folder, "to-")) } };
    const broken = async ({ outs }: State) => writeFileSync(String(outs.file), "changed");
    await expectTold(type, program, broken, { told: ["drifted blob"], consequence: TAKEN_AGAIN });
  });
});

describe("a VaultBackup", () => {
  const program = { keys: "*", secrets: "*" };

  it.each(["a new version", "other tags", "another one"])("is stale after %s, and is taken again", async (deed) => {
    await expectTold("VaultBackup", program, () => DEEDS[deed]?.("VaultBackup") ?? Promise.reject(), {
      told: ["drifted blob"],
      consequence: TAKEN_AGAIN,
    });
  });

  it("keeps what is deleted", async () => {
    await expectTold("VaultBackup", program, () => DEEDS.deletion?.("VaultBackup") ?? Promise.reject(), { told: [] });
  });
});

describe.each(["KeyInventory", "SecretInventory"] as const)("a %s", (type) => {
  const program = { expect: ["orders"] };

  it.each(["a new version", "disabling", "deletion", "purge"])("tells of %s by name, and records it", async (deed) => {
    await expectTold(type, program, () => DEEDS[deed]?.(type) ?? Promise.reject(), {
      told: ["drifted orders"],
      consequence: RECORDED,
    });
  });

  it("tells of another one by name, and records it", async () => {
    await expectTold(type, program, () => DEEDS["another one"]?.(type) ?? Promise.reject(), {
      told: ["drifted other"],
      consequence: RECORDED,
    });
  });

  it("fails for what nobody expects, where the program says so, and for nothing else", async () => {
    const strict = { ...program, onUnmanaged: "fail" };
    await expectTold(type, strict, () => DEEDS["another one"]?.(type) ?? Promise.reject(), {
      told: ["drifted other"],
      consequence: /^fails: the program does not expect other, and onUnmanaged is "fail"/,
    });
  });

  it("records what became of an expected one, where what nobody expects makes it fail", async () => {
    const strict = { ...program, onUnmanaged: "fail" };
    await expectTold(type, strict, () => DEEDS.disabling?.(type) ?? Promise.reject(), {
      told: ["drifted orders"],
      consequence: RECORDED,
    });
  });
});

describe("another rotation policy of a key whose program has none", () => {
  const deed = () => DEEDS["another rotation policy"]?.("KeyInventory") ?? Promise.reject();

  it("is told by a KeyInventory that looks at rotation", async () => {
    await expectTold("KeyInventory", { expect: ["orders"], rotation: true }, deed, {
      told: ["drifted orders"],
      consequence: RECORDED,
    });
  });

  it("is told of a key of the program's in a line", async () => {
    const program = { expectResources: ["orders"], rotation: true };
    await expectTold("KeyInventory", program, deed, { told: [] });
    expect(lines.join("\n")).toMatch(/keys of \S+ have another rotation policy since the last inventory, .*: orders$/);
  });
});
