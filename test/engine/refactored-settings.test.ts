import { mkdir, symlink } from "node:fs/promises";
import { join } from "node:path";
import { afterEach, describe, expect, it, vi } from "vitest";
import { type Emulator, startEmulator } from "../../emulator/index.js";
import { problemsOfBackups } from "./backup-contents.js";
import { KINDS, type Kind, prepareVault, programOf } from "./refactored-program.js";
import { Stack } from "./stack.js";
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
const stackOf = async (options: { config?: Record<string, string>; env?: Record<string, string> }): Promise<Stack> => {
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
    const ids = ["kept", "renamed"];
    const objects = ids.flatMap((id) => KINDS.map((kind) => ({ kind, name: `${id}-${kind}` })));
    await prepareVault(seeded, await emulator(), stack, objects);
    const programs = [
      'kinds("kept"); kinds("renamed");',
      ...["embedded:dev.vault", `embedded:${store}`, "embedded:./none/../dev.vault", "embedded:linked/dev.vault"].map(
        (vaultUrl, index) =>
          `const args = { vaultUrl: ${JSON.stringify(vaultUrl)} };
          kinds("kept", { args }); kinds("renamed", { args, logical: "-" + ${index} });`,
      ),
    ];
    await mkdir(join(stack.folder, "none"));
    await symlink(stack.folder, join(stack.folder, "linked"));
    const looks: VaultSnapshot[] = [];
    for (const program of programs) {
      await stack.program(programOf([program]));
      const run = await stack.up();
      expect(run.text).not.toMatch(/kept-\w+ +(updated|replaced|created|deleted) \(.*vaultUrl/);
      looks.push(await look());
      expect(await problemsOfBackups(await stack.resources(), looks.at(-1) as VaultSnapshot)).toEqual([]);
      expect((await stack.drift()).run.exitCode).toBe(0);
    }
    const outcomes = (id: string): string[] =>
      looks
        .slice(1)
        .flatMap((_look, index) =>
          KINDS.map((kind) => `${kind} ${outcomeOf(`${id}-${kind}`, looks.slice(0, index + 2))}`),
        );
    const each = (outcome: string): string[] => looks.slice(1).flatMap(() => KINDS.map((kind) => `${kind} ${outcome}`));
    expect(outcomes("kept")).toEqual(each("untouched"));
    expect(outcomes("renamed").map((outcome) => outcome.replace("untouched", "same"))).toEqual(each("same"));
  });

  it('keyvault:ownerTag "false"', async () => {
    const vault = await emulator();
    const { config, env } = settingsFor(vault);
    const stack = await stackOf({ config: { ...config, "keyvault:ownerTag": "false" }, env });
    const ids = ["aliased", "renamed", "swapped", "listed", "replaced", "removed"];
    const objects = ids.flatMap((id) =>
      ["", "-x", "-y", "-z"].flatMap((ending) => KINDS.map((kind) => ({ kind, name: `${id}-${kind}${ending}` }))),
    );
    await prepareVault(vault, await emulator(), stack, objects);
    // Without a mark, nothing says that a key came from a blob of which no version is known.
    const known = `only: ${JSON.stringify(KINDS.filter((kind) => kind !== "adopted" && kind !== "filed"))}`;
    const MADE: readonly Kind[] = KINDS.filter((kind) => kind !== "adopted");
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
      removed: `kinds("removed", { ${known} });`,
    };
    const write = (changed: Record<string, string> = {}): Promise<void> =>
      stack.program(programOf(Object.values({ ...rows, ...changed })));
    await write();
    await stack.up();
    const before = await snapshot(vault);
    expect([...before.held.values()].filter(({ mark }) => mark !== undefined)).toEqual([]);
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
    const { text } = await stack.tryUp("--continue-on-error", ...replaced.flatMap((urn) => ["--replace", urn]));
    expect(refused(text, "renamed")).toEqual(MADE);
    expect(refused(text, "swapped", "-x")).toEqual(MADE);
    expect(refused(text, "listed", "-z")).toEqual(MADE);
    expect(await outcomes("aliased", "")).toEqual(all("same", ""));
    expect(await outcomes("renamed", "")).toEqual(all("same", ""));
    expect(await outcomes("swapped", "-x", "-y")).toEqual(all("same", "-x", "-y"));
    expect(await outcomes("listed", "-x", "-y", "-z")).toEqual(all("same", "-x", "-y", "-z"));
    expect([...(await snapshot(vault)).held.values()].filter(({ mark }) => mark !== undefined)).toEqual([]);

    // Taken back, the program has what it had.
    await write({ aliased: 'kinds("aliased", { opts: (name) => ({ aliases: [{ name: name + "-new" }] }) });' });
    await stack.up();
    for (const id of ["aliased", "renamed", "replaced"]) {
      expect([id, ...(await outcomes(id, ""))]).toEqual([id, ...all("same", "")]);
    }
    expect(await outcomes("swapped", "-x", "-y")).toEqual(all("same", "-x", "-y"));
    expect(await outcomes("listed", "-x", "-y", "-z")).toEqual(all("same", "-x", "-y", "-z"));
    await write({ removed: "" });
    await stack.up();
    expect(await ofRemoved()).toEqual(["deleted"]);
    await write();
    await stack.up();
    // Of what is generated, nothing but a mark says from what: what comes back gets a version.
    const back = await outcomes("removed", "");
    expect(Object.fromEntries(MADE.map((kind, index) => [kind, back[index]]))).toMatchObject({
      imported: "same",
      generated: "one version more",
      restored: "same",
      secret: "same",
      drawn: "one version more",
    });
    expect(await problemsOfBackups(await stack.resources(), await snapshot(vault))).toEqual([]);
    expect((await stack.drift()).run.exitCode).toBe(0);
  });
});
