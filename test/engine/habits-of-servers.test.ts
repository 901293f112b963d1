import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { type Emulator, startEmulator } from "../../emulator/index.js";
import { type CommandRun, runCommand } from "../cli/command-line.js";
import { type OtherServer, startServerWith } from "../provider/other-server.js";
import { HABITS } from "../provider/server-habits.js";
import { ecKey, rsaKey } from "./demo-keys.js";
import { type Run, Stack } from "./stack.js";
import { call } from "./vault-by-hand.js";
import { snapshot, type VaultSnapshot } from "./vault-snapshot.js";

/** Each habit is that of a server of its own, whose part of one program shares the runs with all the others. */
interface Part {
  /** Begins the logical names, and names the folder of the part's backup. */
  id: string;
  vault: Emulator;
  server: OtherServer;
}

/** What a part declares; one that is left out is undefined. */
type Rows = Record<string, string | undefined>;
// A policy that cannot be read is asked for that long.
const POLICY = 'rotationPolicy: { rotateAfter: "P90D" }, timeouts: { read: "1s" }';
const ROWS: Rows = {
  imported: 'Key { import: { file: "imported.pem" }, tags: { team: "a" } }',
  p256k: 'Key { import: { file: "p256k.pem" } }',
  rotating: `Key { generate: { keyType: "EC" }, ${POLICY} }`,
  disabled: 'Key { import: { file: "disabled.pem" }, enabled: false }',
  db: 'Secret { value: "a value", contentType: "text/plain" }',
};

function partOf({ id, server }: Part, changes: Rows, rest: string): string {
  const rows = Object.entries({ ...ROWS, ...changes }).flatMap(([name, row]) => {
    const [type, args] = row?.split(/ (.*)/) ?? [];
    const named = `{ vaultUrl, name: "${name}", ...${args} }`;
    return row === undefined ? [] : `made["${name}"] = new keyvault.${type}("${id}-${name}", ${named});`;
  });
  return `{
    const vaultUrl = "${server.url}";
    const folder = "${id}";
    const made = {};
    ${rows.join("\n    ")}
    const { db, ...keys } = made;
    if (made.rotating) new keyvault.KeyBackup("${id}-rotating", { key: made.rotating, to: { folder } });
    const covered = { keys: Object.values(keys), secrets: db ? [db] : [] };
    const all = new keyvault.VaultBackup("${id}-all", { vaultUrl, ...covered });
    const inventory = new keyvault.KeyInventory("${id}-vault", { vaultUrl, expect: Object.values(keys) });
    exports["${id}"] = pulumi.all([all.covered, inventory.count, inventory.unmanaged, inventory.missing])
      .apply(([covered, count, unmanaged, missing]) => ({ covered, count, unmanaged, missing }));
    ${rest.replaceAll("ID", id)}
  }`;
}

describe("servers with one habit of others each, on the real engine", () => {
  let parts: Record<string, Part> = {};
  let stack: Stack;
  const runs: Record<string, Run> = {};
  const drifts: Record<string, Record<string, string[]>> = {};
  const looks: Record<string, Record<string, VaultSnapshot>> = {};
  const told: Record<string, Record<string, unknown>> = {};
  let inventory: CommandRun;

  const program = (changes: Rows = {}, rest = "") =>
    stack.program(
      Object.values(parts)
        .map((part) => partOf(part, changes, rest))
        .join("\n"),
    );
  const look = async (step: string) => {
    const found = Object.entries(parts).map(async ([title, { vault }]) => [title, await snapshot(vault)] as const);
    looks[step] = Object.fromEntries(await Promise.all(found));
  };
  const up = async (step: string, ...args: string[]) => {
    runs[step] = await stack.tryUp("--continue-on-error", ...args);
    told[step] = await stack.outputs();
    await look(step);
  };
  /** What somebody does to each vault without Pulumi. */
  const everywhere = async (method: string, path: string, body?: unknown) => {
    for (const [title, { vault }] of Object.entries(parts)) {
      const versionOf = (_all: string, name: string) => `/${name}/${versionsAfter("made", title)[name]}`;
      await call(vault, method, path.replace(/\/(\w+)\/VERSION/, versionOf), body);
    }
  };
  const versionsAfter = (step: string, title: string): Record<string, string[]> =>
    Object.fromEntries([...(looks[step]?.[title]?.held ?? [])].map(([name, { versions }]) => [name, versions]));
  const idOf = (title: string): string => parts[title]?.id ?? "";
  const driftOf = (step: string, title: string): Record<string, string[]> => {
    const own = Object.entries(drifts[step] ?? {}).filter(([label]) => label.includes(` ${idOf(title)}-`));
    return Object.fromEntries(own.map(([label, properties]) => [label.replace(`${idOf(title)}-`, ""), properties]));
  };
  /** What the run says went wrong with the resources of a part. */
  const errorsIn = (step: string, title: string): string[] => {
    const [, diagnostics = ""] = runs[step]?.text.split("\nDiagnostics:\n") ?? [];
    const own = diagnostics.split("\n\n").filter((block) => block.includes(`(${idOf(title)}-`));
    return own.flatMap((block) => block.split("\n").filter((line) => line.startsWith("    error: ")));
  };

  beforeAll(async () => {
    const started = Object.entries(HABITS).map(async ([title, habit], index) => {
      const vault = await startEmulator();
      return [title, { id: `h${index}`, vault, server: await startServerWith(vault, [habit]) }] as const;
    });
    parts = Object.fromEntries(await Promise.all(started));
    const servers = Object.values(parts);
    // A token of one emulator is good for all of them.
    const token = servers[0]?.vault.token ?? "";
    // State is written once a run: with each of so many steps it takes longer than all the rest.
    const env = { KEYVAULT_TOKEN: token, KEYVAULT_CREDENTIAL: "token", PULUMI_SKIP_CHECKPOINTS: "true" };
    stack = await Stack.create({ program: "", config: { "keyvault:credential": "token" }, env });
    await stack.file("imported.pem", ecKey("secp521r1").pkcs8);
    await stack.file("p256k.pem", ecKey("secp256k1").pkcs8);
    await stack.file("disabled.pem", rsaKey().pkcs8);

    await program();
    await up("made");
    drifts.made = (await stack.drift()).properties;

    await everywhere("PATCH", "/keys/imported/VERSION", { tags: { team: "somebody" } });
    await everywhere("PATCH", "/keys/p256k/VERSION", { attributes: { enabled: false } });
    await everywhere("PATCH", "/secrets/db/VERSION", { attributes: { enabled: false } });
    drifts.changed = (await stack.drift()).properties;

    const restore = 'restore: { file: "ID/rotating.keybackup" }';
    const copy = `new keyvault.Key("ID-copy", { vaultUrl, name: "copy", ${restore} });`;
    await program({ disabled: 'Key { import: { file: "disabled.pem" } }' }, copy);
    await up("taken back", "--refresh");

    const renamed = { p256k: 'Key { import: { file: "p256k.pem" }, name: "renamed" }' };
    await program({ ...renamed, rotating: undefined, db: undefined });
    await up("removed");
    const vaults = servers.flatMap(({ server }) => ["--vault", server.url]);
    inventory = await runCommand(["inventory", "--deleted", ...vaults], { cwd: stack.folder, env });

    await everywhere("DELETE", "/keys/imported");
    await everywhere("DELETE", "/deletedkeys/rotating");
    await program({ rotating: `Key { restore: { file: folder + "/rotating.keybackup" }, ${POLICY} }` });
    await up("back", "--refresh");
    drifts.back = (await stack.drift()).properties;

    runs.destroyed = await stack.pulumi("destroy", "--yes", "--skip-preview", "--continue-on-error");
    await look("destroyed");
  }, 900_000);
  afterAll(async () => {
    await stack?.remove();
    for (const { vault, server } of Object.values(parts)) {
      server.close();
      await vault.close();
    }
  });

  describe.each(Object.keys(HABITS))("one that %s", (title) => {
    const isWhole = (step: string) => {
      expect(errorsIn(step, title)).toEqual([]);
      expect(versionsAfter(step, title)).toEqual(versionsAfter("made", title));
    };

    it("has each object made once, backed up and counted, without drift", () => {
      expect(errorsIn("made", title)).toEqual([]);
      const version = expect.stringMatching(/^[0-9a-f]{32}$/);
      const once = Object.fromEntries(Object.keys(ROWS).map((name) => [name, [version]]));
      expect(versionsAfter("made", title)).toEqual(once);
      const { db, ...keys } = versionsAfter("made", title);
      const covered = (versions: object) =>
        Object.fromEntries(Object.entries(versions).map(([name, [one]]) => [name, one]));
      expect(told.made?.[idOf(title)]).toEqual({
        covered: { keys: covered(keys), secrets: covered({ db }) },
        count: 4,
        unmanaged: [],
        missing: [],
      });
      expect(driftOf("made", title)).toEqual({});
    });

    it("has what somebody changed told by property", () => {
      expect(driftOf("changed", title)).toMatchObject({
        "Key imported": ["tags.team"],
        "Key p256k": ["enabled"],
        "Secret db": ["enabled"],
      });
      expect(driftOf("changed", title)).not.toHaveProperty("Key rotating");
    });

    it("has that taken back, and what the program changes changed in place", () => {
      expect(versionsAfter("taken back", title)).toEqual(versionsAfter("made", title));
      const held = looks["taken back"]?.[title]?.held;
      expect(held?.get("imported")?.tags).toEqual({ team: "a" });
      for (const name of Object.keys(ROWS)) expect(held?.get(name)?.enabled, name).toBe(true);
    });

    it("has a backup refused under another name, with the name that it has", () => {
      expect(errorsIn("taken back", title)).toEqual([
        expect.stringMatching(/KV_INVALID_INPUT: restore key "copy" .*already holds.*set name(:| to)/),
      ]);
    });

    it("has what leaves the program deleted, and is counted without it in the same update", () => {
      expect(errorsIn("removed", title)).toEqual([]);
      const { held, deleted } = looks.removed?.[title] ?? {};
      expect([...(held?.keys() ?? [])].sort()).toEqual(["disabled", "imported", "renamed"]);
      expect(deleted).toEqual(new Set(["p256k", "rotating", "db"]));
      expect(told.removed?.[idOf(title)]).toMatchObject({ count: 3, unmanaged: [], missing: [] });
    });

    it("is listed with what is deleted", () => {
      expect(inventory, inventory.stderr).toMatchObject({ exitCode: 0 });
      const { url = "" } = parts[title]?.server ?? {};
      expect(inventory.stdout).toContain(`${url}: 3 keys, 2 deleted keys, 1 disabled\n`);
      const listed = inventory.stdout.split("\n").filter((line) => line.includes(` ${url.slice("http://".length)} `));
      expect(
        listed.map((line) =>
          line
            .split(/ +/)
            .filter((_column, index) => index !== 1)
            .slice(0, 2)
            .join(" "),
        ),
      ).toEqual(["disabled disabled", "imported enabled", "renamed enabled", "p256k deleted", "rotating deleted"]);
    });

    it("has all of it back in the versions that were there: recovered, restored and deleted outside", () => {
      isWhole("back");
      expect(told.back?.[idOf(title)]).toMatchObject({ count: 4, unmanaged: [], missing: [] });
      expect(driftOf("back", title)).toEqual({});
    });

    it("is empty after destroy, and everything can be recovered", () => {
      expect(errorsIn("destroyed", title)).toEqual([]);
      expect(looks.destroyed?.[title]?.held.size).toBe(0);
      expect(looks.destroyed?.[title]?.deleted).toEqual(new Set([...Object.keys(ROWS), "renamed"]));
    });
  });

  it("are one stack, in which the habit of one ends no run", () => {
    const { "taken back": refused, ...others } = runs;
    for (const [step, { exitCode, text }] of Object.entries(others)) expect(exitCode, `${step}: ${text}`).toBe(0);
    expect(refused?.exitCode).not.toBe(0);
    expect(drifts.made).toEqual({});
    expect(drifts.back).toEqual({});
  });
});
