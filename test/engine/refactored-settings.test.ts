import { mkdir, readFile, symlink, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { afterEach, describe, expect, it, vi } from "vitest";
import { type Emulator, startEmulator } from "../../emulator/index.js";
import { problemsOfBackups } from "./backup-contents.js";
import { KINDS, type Kind, prepareVault, programOf } from "./refactored-program.js";
import { type Door, Stack } from "./stack.js";
import { ecKey, pemOf, settingsFor } from "./vault-by-hand.js";
import { outcomeOf, snapshot, type VaultSnapshot } from "./vault-snapshot.js";

// Many runs of the engine, on a machine that may be busy.
vi.setConfig({ testTimeout: 600_000 });

const closing: (() => Promise<unknown>)[] = [];
afterEach(async () => {
  for (const close of closing.splice(0).reverse()) await close();
});

const emulator = async (options: { store?: string } = {}): Promise<Emulator> => {
  const vault = await startEmulator(options);
  closing.push(() => vault.close());
  return vault;
};
const stackOf = async (options: {
  door?: Door;
  config?: Record<string, string>;
  env?: Record<string, string>;
}): Promise<Stack> => {
  // Nothing is cut off here: the state is written once a run, not once a step.
  const env = { ...options.env, PULUMI_SKIP_CHECKPOINTS: "true" };
  const stack = await Stack.create({ program: "", ...options, env });
  closing.push(() => stack.remove());
  for (const letter of ["x", "y", "z"]) await stack.file(`material-${letter}.pem`, pemOf(ecKey("prime256v1")));
  return stack;
};

describe("refactorings of a program in other settings, on the real engine", () => {
  it("an embedded vault, spelled with a dot, without one, in full and through a link, and renamed by the way", async () => {
    const stack = await stackOf({ config: { "keyvault:vaultUrl": "embedded:./dev.vault" } });
    const store = join(stack.folder, "dev.vault");
    const look = async (): Promise<VaultSnapshot> => {
      const vault = await startEmulator({ store });
      try {
        return await snapshot(vault);
      } finally {
        await vault.close();
      }
    };
    const seeded = await emulator({ store });
    // Each spelling has rows of its own, and all of them are refactored in one run.
    const spellings = [
      "embedded:dev.vault",
      `embedded:${store}`,
      "embedded:./none/../dev.vault",
      "embedded:linked/dev.vault",
    ];
    const ids = spellings.flatMap((_vaultUrl, index) => [`kept${index}`, `renamed${index}`]);
    const objects = ids.flatMap((id) => KINDS.map((kind) => ({ kind, name: `${id}-${kind}` })));
    await prepareVault(seeded, await emulator(), stack, objects);
    const programs = [
      spellings.map((_vaultUrl, index) => `kinds("kept${index}"); kinds("renamed${index}");`),
      spellings.map(
        (vaultUrl, index) =>
          `{ const args = { vaultUrl: ${JSON.stringify(vaultUrl)} };
          kinds("kept${index}", { args }); kinds("renamed${index}", { args, logical: "-new" }); }`,
      ),
    ];
    await mkdir(join(stack.folder, "none"));
    await symlink(stack.folder, join(stack.folder, "linked"));
    const looks: VaultSnapshot[] = [];
    for (const program of programs) {
      await stack.program(programOf(program));
      const run = await stack.up();
      expect(run.text).not.toMatch(/kept\d-\w+ +(updated|replaced|created|deleted) \(.*vaultUrl/);
      looks.push(await look());
      expect(await problemsOfBackups(await stack.resources(), looks.at(-1) as VaultSnapshot)).toEqual([]);
    }
    expect((await stack.drift()).run.exitCode).toBe(0);
    const outcomes = (row: string): string[] =>
      spellings.flatMap((_vaultUrl, index) =>
        KINDS.map((kind) => `${kind} ${outcomeOf(`${row}${index}-${kind}`, looks)}`),
      );
    const each = (outcome: string): string[] => spellings.flatMap(() => KINDS.map((kind) => `${kind} ${outcome}`));
    expect(outcomes("kept")).toEqual(each("untouched"));
    expect(outcomes("renamed").map((outcome) => outcome.replace("untouched", "same"))).toEqual(each("same"));
  });

  it('keyvault:ownerTag "false"', () => withoutMarks("dynamic", "false"));

  it("objects and a state of 0.1, which know no mark", () => withoutMarks("dynamic", "true"));

  it('keyvault:ownerTag "false", through the plugin', () => withoutMarks("plugin", "false"));

  /** @param ownerTag the setting of the runs that refactor what was made without a mark. */
  async function withoutMarks(door: Door, ownerTag: "true" | "false"): Promise<void> {
    const ofDoor: readonly Kind[] = door === "dynamic" ? KINDS : ["imported", "generated", "adopted", "secret"];
    const vault = await emulator();
    const { config, env } = settingsFor(vault);
    const stack = await stackOf({ door, config: { ...config, "keyvault:ownerTag": "false" }, env });
    const ids = ["aliased", "renamed", "swapped", "listed", "replaced", "removed"];
    const objects = ids.flatMap((id) =>
      ["", "-x", "-y", "-z"].flatMap((ending) => ofDoor.map((kind) => ({ kind, name: `${id}-${kind}${ending}` }))),
    );
    await prepareVault(vault, await emulator(), stack, objects);
    // Without a mark, nothing says that a key came from a blob of which no version is known.
    const ofKnown = `only: ${JSON.stringify(ofDoor.filter((kind) => kind !== "adopted" && kind !== "filed"))}`;
    const MADE: readonly Kind[] = ofDoor.filter((kind) => kind !== "adopted");
    const made = `only: ${JSON.stringify(MADE)}`;
    const pair = (a: string, b: string): string =>
      `kinds("swapped", { ${made}, logical: "-a", object: "${a}" }); kinds("swapped", { ${made}, logical: "-b", object: "${b}" });`;
    const list = (letters: string): string =>
      `[..."${letters}"].forEach((letter, index) => kinds("listed", { ${made}, logical: "-" + index, object: "-" + letter }));`;
    const rows: Record<string, string> = {
      aliased: 'kinds("aliased");',
      renamed: 'kinds("renamed");',
      swapped: pair("-x", "-y"),
      listed: list("xyz"),
      replaced: 'kinds("replaced");',
      removed: `kinds("removed", { ${ofKnown} });`,
    };
    const write = (changed: Record<string, string> = {}): Promise<void> =>
      stack.program(programOf(Object.values({ ...rows, ...changed }), ofDoor));
    await write();
    await stack.up();
    const before = await snapshot(vault);
    expect([...before.held.values()].filter(({ mark }) => mark !== undefined)).toEqual([]);
    const settings = join(stack.folder, "Pulumi.dev.yaml");
    const text = await readFile(settings, "utf8");
    await writeFile(settings, text.replace('ownerTag: "false"', `ownerTag: "${ownerTag}"`));
    const outcomes = async (id: string, ...endings: string[]): Promise<string[]> => {
      const now = await snapshot(vault);
      return endings.flatMap((ending) =>
        MADE.map((kind) => outcomeOf(`${id}-${kind}${ending}`, [before, now]).replace("untouched", "same")),
      );
    };
    const ofRemoved = async (): Promise<string[]> => {
      const found = await outcomes("removed", "");
      return [...new Set(found.filter((_outcome, index) => MADE[index] !== "filed"))];
    };
    const all = (outcome: string, ...endings: string[]): string[] => endings.flatMap(() => MADE.map(() => outcome));
    const refused = (text: string, id: string, ending = ""): Kind[] =>
      MADE.filter((kind) => new RegExp(`KV_ALREADY_EXISTS: create \\w+ "${id}-${kind}${ending}"`).test(text));

    // What says whose it is by an alias, or is let go in the same run, is kept; all else is refused and not lost.
    const replaced = (await stack.resources()).map(({ urn }) => urn).filter((urn) => urn.includes("::replaced-"));
    await write({
      aliased: 'kinds("aliased", { logical: "-new", opts: (name) => ({ aliases: [{ name }] }) });',
      renamed: 'kinds("renamed", { logical: "-new" });',
      swapped: pair("-y", "-x"),
      listed: list("xz"),
    });
    const run = await stack.tryUp("--continue-on-error", ...replaced.flatMap((urn) => ["--replace", urn]));
    expect(refused(run.text, "renamed")).toEqual(MADE);
    // The engine shows a create of `--replace` no state, and the object bears no mark.
    expect(refused(run.text, "replaced")).toEqual(MADE);
    expect(refused(run.text, "swapped", "-x")).toEqual(MADE);
    expect(refused(run.text, "listed", "-z")).toEqual(MADE);
    expect(await outcomes("aliased", "")).toEqual(all("same", ""));
    expect(await outcomes("renamed", "")).toEqual(all("same", ""));
    expect(await outcomes("swapped", "-x", "-y")).toEqual(all("same", "-x", "-y"));
    expect(await outcomes("listed", "-x", "-y", "-z")).toEqual(all("same", "-x", "-y", "-z"));
    const marked = [...(await snapshot(vault)).held].filter(([, { mark }]) => mark !== undefined);
    const adopted = ["renamed-adopted", "replaced-adopted"];
    expect(marked.map(([name]) => name).sort()).toEqual(ownerTag === "true" ? adopted : []);

    // Taken back, the program has what it had.
    await write({ aliased: 'kinds("aliased", { opts: (name) => ({ aliases: [{ name: name + "-new" }] }) });' });
    await stack.up();
    for (const id of ["aliased", "renamed", "replaced"]) {
      expect([id, ...(await outcomes(id, ""))]).toEqual([id, ...all("same", "")]);
    }
    expect(await outcomes("swapped", "-x", "-y")).toEqual(all("same", "-x", "-y"));
    expect(await outcomes("listed", "-x", "-y", "-z")).toEqual(all("same", "-x", "-y", "-z"));

    // A refresh of the same run has seen that this stack has it: enough for what can be compared.
    const compared = replaced.filter((urn) => /::replaced-(imported|restored|secret)$/.test(urn));
    await stack.up("--refresh", ...compared.flatMap((urn) => ["--replace", urn]));
    expect(await outcomes("replaced", "")).toEqual(all("same", ""));
    await write({ removed: "" });
    await stack.up();
    expect(await ofRemoved()).toEqual(["deleted"]);
    await write();
    await stack.up();
    // Of what is generated, nothing but a mark says from what: what comes back gets a version.
    const back = await outcomes("removed", "");
    const wanted: Partial<Record<Kind, string>> = { generated: "one version more", drawn: "one version more" };
    const known = MADE.filter((kind) => kind !== "filed");
    expect(known.map((kind) => [kind, back[MADE.indexOf(kind)]])).toEqual(
      known.map((kind) => [kind, wanted[kind] ?? "same"]),
    );
    expect(await problemsOfBackups(await stack.resources(), await snapshot(vault))).toEqual([]);
    expect((await stack.drift()).run.exitCode).toBe(0);
  }
});
