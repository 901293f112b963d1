import { readFileSync } from "node:fs";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { type Emulator, startEmulator } from "../../emulator/index.js";
import { problemsOfBackups } from "./backup-contents.js";
import { KINDS, type Kind, prepareVault, programOf } from "./refactored-program.js";
import { DOORS, Stack } from "./stack.js";
import { ecKey, pemOf, settingsFor } from "./vault-by-hand.js";
import { type Outcome, outcomeOf, snapshot, type VaultSnapshot } from "./vault-snapshot.js";

interface Refactoring {
  title: string;
  /** Begins the logical names and the names of objects. */
  id: string;
  /** Endings of the names of objects. Default: one object of each kind. */
  objects?: readonly string[];
  only?: readonly Kind[];
  /** The row's part of the program before, after, and once more (default: as before). */
  before: string;
  after: string;
  later?: string;
  /** Default of both: `same`. A member names an object by its kind and ending. */
  outcome?: Outcome | Record<string, Outcome>;
  laterOutcome?: Outcome | Record<string, Outcome>;
}

/** `kinds(id, options)` of the program. */
const kinds = (id: string, options = ""): string => `kinds("${id}", { ${options} });`;
/** These kinds alone, and some of them from the source of another. */
const some = (id: string, only: readonly Kind[], from: Record<string, string> = {}, options = ""): string =>
  kinds(id, `only: ${JSON.stringify(only)}, from: ${JSON.stringify(from)}, ${options}`);
const without = (...left: Kind[]): Kind[] => KINDS.filter((kind) => !left.includes(kind));

const each = (outcome: Outcome, ending = ""): Record<string, Outcome> =>
  Object.fromEntries(KINDS.map((kind) => [`${kind}${ending}`, outcome]));

/** Each row is a part of one program, and all of them are refactored in the same runs. */
const refactorings: Refactoring[] = [
  {
    title: "renamed with an alias, and back",
    id: "aliased",
    before: kinds("aliased", "escrow: true"),
    after: kinds("aliased", 'escrow: true, logical: "-new", opts: (name) => ({ aliases: [{ name }] })'),
    later: kinds("aliased", 'escrow: true, opts: (name) => ({ aliases: [{ name: name + "-new" }] })'),
    outcome: "untouched",
    laterOutcome: "untouched",
  },
  {
    title: "renamed without an alias, and back",
    id: "renamed",
    before: kinds("renamed", "escrow: true"),
    after: kinds("renamed", 'escrow: true, logical: "-new"'),
  },
  {
    title: "renamed without an alias, with another spelling of the vault and another case of the name",
    id: "respelled",
    before: kinds("respelled"),
    after: kinds(
      "respelled",
      'logical: "-new", spelled: (name) => name.toUpperCase(), args: { vaultUrl: pulumi.output(otherSpelling) }',
    ),
  },
  {
    title: "into a component without an alias, and out of it",
    id: "grouped",
    before: kinds("grouped", "escrow: true"),
    after: `const parent = new Group("grouped"); ${kinds("grouped", "escrow: true, opts: () => ({ parent })")}`,
  },
  {
    title: "into a component with an alias, and out of it",
    id: "nested",
    before: kinds("nested"),
    after: `const parent = new Group("nested");
      ${kinds("nested", "opts: () => ({ parent, aliases: [{ parent: pulumi.rootStackResource }] })")}`,
    later: `const parent = new Group("nested");
      ${kinds("nested", "opts: () => ({ aliases: [{ parent }] })")}`,
    outcome: "untouched",
    laterOutcome: "untouched",
  },
  {
    title: "to another parent",
    id: "moved",
    before: `const a = new Group("moved-a"); const b = new Team("moved-b");
      ${kinds("moved", "opts: () => ({ parent: a })")}`,
    after: `const a = new Group("moved-a"); const b = new Team("moved-b");
      ${kinds("moved", "opts: () => ({ parent: b })")}`,
  },
  {
    title: "two components swapped, with all that is in them",
    id: "paired",
    objects: ["-x", "-y"],
    before: `const a = new Group("paired-a"); const b = new Team("paired-b");
      ${kinds("paired", 'logical: "-a", object: "-x", opts: () => ({ parent: a })')}
      ${kinds("paired", 'logical: "-b", object: "-y", opts: () => ({ parent: b })')}`,
    after: `const a = new Team("paired-a"); const b = new Group("paired-b");
      ${kinds("paired", 'logical: "-a", object: "-x", opts: () => ({ parent: a })')}
      ${kinds("paired", 'logical: "-b", object: "-y", opts: () => ({ parent: b })')}`,
  },
  {
    title: "two lists merged into one, and parted again",
    id: "merged",
    objects: ["-x", "-y"],
    before: `${kinds("merged", 'logical: "-a-0", object: "-x"')} ${kinds("merged", 'logical: "-b-0", object: "-y"')}`,
    after: `["y", "x"].forEach((letter, index) => { ${kinds("merged", 'logical: "-" + index, object: "-" + letter')} });`,
  },
  {
    title: "one resource split in two, and joined again",
    id: "halved",
    objects: ["-x", "-y"],
    before: kinds("halved", 'logical: "-x", object: "-x"'),
    after: `${kinds("halved", 'logical: "-x", object: "-x"')} ${kinds("halved", 'logical: "-y", object: "-y"')}`,
    outcome: { ...each("made", "-y"), "adopted-y": "same" },
    laterOutcome: each("deleted", "-y"),
  },
  {
    title: "renamed with an alias, and its object too",
    id: "onward",
    objects: ["-x", "-y"],
    only: without("adopted"),
    before: some("onward", without("adopted"), {}, 'logical: "-a", object: "-x"'),
    after: some(
      "onward",
      without("adopted"),
      {},
      'logical: "-b", object: "-y", opts: (name) => ({ aliases: [{ name: name + "-a" }] })',
    ),
    later: some(
      "onward",
      without("adopted"),
      {},
      'logical: "-a", object: "-x", opts: (name) => ({ aliases: [{ name: name + "-b" }] })',
    ),
    outcome: { ...each("deleted", "-x"), ...each("made", "-y") },
    laterOutcome: { ...each("back", "-x"), ...each("deleted", "-y") },
  },
  {
    title: "two swapped, names and material, with deleteBeforeReplace",
    id: "traded",
    objects: ["-x", "-y"],
    before: `${kinds("traded", 'logical: "-a", object: "-x"')} ${kinds("traded", 'logical: "-b", object: "-y"')}`,
    after: `${kinds("traded", 'logical: "-a", object: "-y", opts: () => ({ deleteBeforeReplace: true })')}
      ${kinds("traded", 'logical: "-b", object: "-x", opts: () => ({ deleteBeforeReplace: true })')}`,
  },
  {
    title: "the middle of an indexed list removed, and put back",
    id: "listed",
    objects: ["-x", "-y", "-z"],
    before: `["x", "y", "z"].forEach((letter, index) => { ${kinds("listed", 'escrow: true, logical: "-" + index, object: "-" + letter')} });`,
    after: `["x", "z"].forEach((letter, index) => { ${kinds("listed", 'escrow: true, logical: "-" + index, object: "-" + letter')} });`,
    outcome: Object.fromEntries(KINDS.map((kind) => [`${kind}-y`, "deleted"])),
    laterOutcome: Object.fromEntries(KINDS.map((kind) => [`${kind}-y`, "back"])),
  },
  {
    title: "two swapped, names and material",
    id: "swapped",
    objects: ["-x", "-y"],
    before: `${kinds("swapped", 'escrow: true, logical: "-a", object: "-x"')} ${kinds("swapped", 'escrow: true, logical: "-b", object: "-y"')}`,
    after: `${kinds("swapped", 'escrow: true, logical: "-a", object: "-y"')} ${kinds("swapped", 'escrow: true, logical: "-b", object: "-x"')}`,
  },
  {
    title: "another spelling of the vault: localhost, upper case, a trailing slash",
    id: "spelled",
    before: kinds("spelled"),
    after: kinds("spelled", "args: { vaultUrl: otherSpelling }"),
    outcome: "untouched",
    laterOutcome: "untouched",
  },
  {
    title: "another case of the name",
    id: "cased",
    before: kinds("cased"),
    after: kinds("cased", "spelled: (name) => name.toUpperCase()"),
    outcome: "untouched",
    laterOutcome: "untouched",
  },
  {
    title: "one material from a file, inline, from the environment",
    id: "sourced",
    only: ["imported"],
    before: some("sourced", ["imported"]),
    after: some("sourced", ["imported"], { imported: "inline" }),
    later: some("sourced", ["imported"], { imported: "fromEnvironment" }),
    outcome: "untouched",
    laterOutcome: "untouched",
  },
  {
    title: "import, generate and restore to adopt, and back",
    id: "taken",
    before: kinds("taken"),
    after: kinds(
      "taken",
      'from: { imported: "adopted", generated: "adopted", restored: "adopted", filed: "adopted", secret: "adoptedSecret", drawn: "adoptedSecret" }',
    ),
    // State knows no recipe of it by then: a value is made, as where a secret is generated for the first time.
    laterOutcome: { drawn: "one version more" },
  },
  {
    title: "adopt and restore to generate, and back",
    id: "given",
    only: ["adopted", "restored", "filed"],
    before: some("given", ["adopted", "restored", "filed"]),
    after: some("given", ["adopted", "restored", "filed"], {
      adopted: "generated",
      restored: "generated",
      filed: "generated",
    }),
    // What an adopting program left to the vault, one that makes the key itself does not.
    outcome: { adopted: "other tags" },
  },
  {
    title: "import to generate, and back",
    id: "changed",
    only: ["imported"],
    before: some("changed", ["imported"]),
    after: some("changed", ["imported"], { imported: "generated" }),
  },
  {
    title: "generate to import, and back",
    id: "owned",
    only: ["generated"],
    before: some("owned", ["generated"]),
    after: some("owned", ["generated"], { generated: "imported" }),
    outcome: "one version more",
  },
  {
    title: "import, generate and adopt to restore, and back",
    id: "kept",
    only: ["imported", "generated", "adopted"],
    before: some("kept", ["imported", "generated", "adopted"]),
    after: some("kept", ["imported", "generated", "adopted"], {
      imported: "restored",
      generated: "restored",
      adopted: "restored",
    }),
  },
  {
    title: "restore to import, and back",
    id: "opened",
    only: ["restored", "filed"],
    before: some("opened", ["restored", "filed"]),
    after: some("opened", ["restored", "filed"], { restored: "imported", filed: "imported" }),
    outcome: "one version more",
  },
  {
    title: "a secret's value to restore, and back",
    id: "locked",
    only: ["secret"],
    before: some("locked", ["secret"]),
    after: some("locked", ["secret"], { secret: "restoredSecret" }),
  },
  {
    title: "a secret's value to generate, and back",
    id: "cast",
    only: ["secret"],
    before: some("cast", ["secret"]),
    after: some("cast", ["secret"], { secret: "drawn" }),
    outcome: "one version more",
    laterOutcome: "one version more",
  },
  {
    title: "adopt set beside import, and removed again",
    id: "beside",
    only: ["imported"],
    before: some("beside", ["imported"]),
    after: some("beside", ["imported"], { imported: "importedAndAdopted" }),
  },
  {
    title: "another source, another name and a component in one go, with an alias",
    id: "atonce",
    only: ["imported", "adopted", "restored", "secret"],
    before: some("atonce", ["imported", "adopted", "restored", "secret"]),
    after: `const parent = new Group("atonce"); ${some(
      "atonce",
      ["imported", "adopted", "restored", "secret"],
      { imported: "adopted", adopted: "generated", restored: "generated", secret: "adoptedSecret" },
      'logical: "-new", opts: (name) => ({ parent, aliases: [{ name, parent: pulumi.rootStackResource }] })',
    )}`,
    later: `const parent = new Group("atonce"); ${some(
      "atonce",
      ["imported", "adopted", "restored", "secret"],
      {},
      'opts: (name) => ({ aliases: [{ name: name + "-new", parent }] })',
    )}`,
    outcome: { adopted: "other tags" },
  },
  {
    title: "removed, and added again",
    id: "removed",
    before: kinds("removed", "escrow: true"),
    after: "",
    outcome: "deleted",
    laterOutcome: "back",
  },
  {
    title: "removed with onDelete purge, and added again",
    id: "purged",
    only: without("adopted"),
    before: some("purged", without("adopted"), {}, 'args: { onDelete: "purge" }'),
    after: "",
    outcome: "purged",
    laterOutcome: { ...each("made"), restored: "back", filed: "back" },
  },
  {
    title: "removed with onDelete retain, and added again",
    id: "retained",
    before: kinds("retained", 'args: { onDelete: "retain" }'),
    after: "",
    outcome: "untouched",
  },
  {
    title: "removed with onDelete disable, and added again",
    id: "disabled",
    before: kinds("disabled", 'args: { onDelete: "disable" }'),
    after: "",
    outcome: "disabled",
    laterOutcome: { adopted: "disabled", restored: "disabled", filed: "disabled", secret: "one version more" },
  },
  {
    title: "removed with retainOnDelete, and added again",
    id: "left",
    before: kinds("left", "opts: () => ({ retainOnDelete: true })"),
    after: "",
    outcome: "untouched",
  },
  {
    title: "renamed without an alias, with onDelete purge",
    id: "final",
    before: kinds("final", 'args: { onDelete: "purge" }'),
    after: kinds("final", 'args: { onDelete: "purge" }, logical: "-new"'),
  },
  {
    title: "--replace",
    id: "replaced",
    before: kinds("replaced"),
    after: kinds("replaced"),
  },
  {
    title: "tainted",
    id: "tainted",
    before: kinds("tainted", 'args: { onDelete: "purge" }'),
    after: kinds("tainted", 'args: { onDelete: "purge" }'),
  },
  {
    title: "replaceOnChanges",
    id: "reborn",
    before: kinds("reborn", 'args: { tags: { team: "a" } }, opts: () => ({ replaceOnChanges: ["tags"] })'),
    after: kinds("reborn", 'args: { tags: { team: "b" } }, opts: () => ({ replaceOnChanges: ["tags"] })'),
    outcome: { ...each("other tags"), generated: "one version more", drawn: "one version more" },
    laterOutcome: { ...each("other tags"), generated: "one version more", drawn: "one version more" },
  },
  {
    title: "pulumi state rename",
    id: "relabelled",
    before: kinds("relabelled"),
    after: kinds("relabelled", 'logical: "-new"'),
    outcome: "untouched",
  },
  {
    title: "pulumi state delete, and up",
    id: "forgotten",
    before: kinds("forgotten"),
    after: kinds("forgotten"),
  },
];

describe("docs/refactoring.md", () => {
  it("has a row of the name of every refactoring, and no other", () => {
    const text = readFileSync(join(__dirname, "../../docs/refactoring.md"), "utf8");
    const rows = [...text.matchAll(/^\| ([^|]+) \|/gm)]
      .map(([, title]) => title)
      .filter((title) => title !== "Refactoring");
    const others = ["refactored-stacks", "refactored-settings"].flatMap((file) => {
      const tests = readFileSync(join(__dirname, `${file}.test.ts`), "utf8");
      return [...tests.matchAll(/^ {2}it\((["'])(?!end )(.+?)\1, (?:async )?\(\) =>/gm)].map(([, , title]) => title);
    });
    expect(rows.sort()).toEqual([...refactorings.map(({ title }) => title), ...others].sort());
  });
});

const objectsOf = ({ id, objects = [""], only = KINDS }: Refactoring): { kind: Kind; ending: string; name: string }[] =>
  objects.flatMap((ending) => only.map((kind) => ({ kind, ending, name: `${id}-${kind}${ending}` })));

describe.each(DOORS)("refactorings of a program, on the real engine (%s)", (door) => {
  let vault: Emulator;
  let elsewhere: Emulator;
  let stack: Stack;
  const looks: VaultSnapshot[] = [];
  const drifts: string[][] = [];
  const problems: string[] = [];
  /** What is wrong with backups and inventories after each step. */
  const backups: string[][] = [];

  const write = (part: (row: Refactoring) => string): Promise<void> =>
    stack.program(
      programOf([
        `globalThis.otherSpelling = ${JSON.stringify(`HTTP://LOCALHOST:${vault.port}/`)};`,
        ...refactorings.map(part),
      ]),
    );

  /** A fault of one row is not to hide the others'. */
  async function up(...args: string[]): Promise<void> {
    const { text } = await stack.tryUp("--continue-on-error", ...args);
    problems.push(...text.split("\n").filter((line) => /^\s+error: /.test(line)));
    looks.push(await snapshot(vault));
    backups.push(await problemsOfBackups(await stack.resources(), looks.at(-1) as VaultSnapshot, stack.folder));
    const { steps, run } = await stack.drift();
    drifts.push(
      steps
        .filter(({ op }) => op !== "refresh")
        .map(({ op, urn, detailedDiff }) => `${op} ${urn.split("::").at(-1)} ${Object.keys(detailedDiff ?? {})}`),
    );
    if (run.exitCode !== 0 && drifts.at(-1)?.length === 0) throw new Error(run.text);
  }

  beforeAll(async () => {
    vault = await startEmulator();
    elsewhere = await startEmulator();
    const materials = Object.fromEntries(["x", "y", "z"].map((letter) => [letter, pemOf(ecKey("prime256v1"))]));
    const { config, env } = settingsFor(vault);
    stack = await Stack.create({
      door,
      program: "",
      config,
      // Nothing is cut off here: the state is written once a run, not once a step.
      env: { ...env, MATERIAL_X: materials.x ?? "", PULUMI_SKIP_CHECKPOINTS: "true" },
    });
    for (const [letter, pem] of Object.entries(materials)) await stack.file(`material-${letter}.pem`, pem);
    await prepareVault(vault, elsewhere, stack, refactorings.flatMap(objectsOf));
    await write(({ before }) => before);
    looks.push(await snapshot(vault));
    await up();

    const resources = await stack.resources();
    const urns = (id: string): string[] =>
      resources.map(({ urn }) => urn).filter((urn) => urn.split("::").at(-1)?.startsWith(`${id}-`));
    await stack.pulumi("state", "taint", "--yes", ...urns("tainted"));
    for (const urn of urns("relabelled")) {
      await stack.pulumi("state", "rename", "--yes", urn, `${urn.split("::").at(-1)}-new`);
    }
    // The resources that depend on others first.
    await stack.pulumi("state", "delete", "--yes", ...urns("forgotten").reverse());
    await write(({ after }) => after);
    await up(...urns("replaced").flatMap((urn) => ["--replace", urn]));
    await write(({ before, later = before }) => later);
    await up();
  }, 900_000);

  afterAll(async () => {
    await stack?.remove();
    await Promise.all([vault?.close(), elsewhere?.close()]);
  });

  it("end without an error", () => expect(problems).toEqual([]));

  it.each(refactorings)("$title", (row) => {
    for (const [step, outcome = "same"] of [row.outcome, row.laterOutcome].entries()) {
      const found: Record<string, string> = {};
      const wanted: Record<string, string> = {};
      for (const { kind, ending, name } of objectsOf(row)) {
        const member = `${kind}${ending}`;
        found[member] = outcomeOf(name, looks.slice(0, step + 3));
        wanted[member] = typeof outcome === "string" ? outcome : (outcome[member] ?? "same");
        if (wanted[member] === "same" && found[member] === "untouched") found[member] = "same";
      }
      expect({ step, found }).toEqual({ step, found: wanted });
    }
    const drifted = drifts.map((labels) =>
      labels.filter((label) => label.toLowerCase().split(" ")[1]?.startsWith(`${row.id}-`)),
    );
    expect(drifted).toEqual([[], [], []]);
    const ofRow = backups.map((found) => found.filter((problem) => problem.startsWith(`${row.id}-`)));
    expect(ofRow).toEqual([[], [], []]);
  });
});
