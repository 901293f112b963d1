import { readFileSync } from "node:fs";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { type Emulator, startEmulator } from "../../emulator/index.js";
import { KINDS, type Kind, prepareVault, programOf } from "./refactored-program.js";
import { Stack } from "./stack.js";
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
  /** What a refresh finds after the first and second refactoring. Default: nothing. */
  drift?: readonly [string[], string[]];
}

/** `kinds(id, options)` of the program. */
const kinds = (id: string, options = ""): string => `kinds("${id}", { ${options} });`;
const one = (id: string, kind: Kind, sourceOf: string): string =>
  `new keyvault.Key("${id}-${kind}", { name: "${id}-${kind}", ...source.${sourceOf}("${id}-${kind}") });`;

const each = (outcome: Outcome): Record<string, Outcome> => Object.fromEntries(KINDS.map((kind) => [kind, outcome]));

/** Each row is a part of one program, and all of them are refactored in the same runs. */
const refactorings: Refactoring[] = [
  {
    title: "renamed with an alias, and back",
    id: "aliased",
    before: kinds("aliased"),
    after: kinds("aliased", 'logical: "-new", opts: (name) => ({ aliases: [{ name }] })'),
    later: kinds("aliased", 'opts: (name) => ({ aliases: [{ name: name + "-new" }] })'),
    outcome: "untouched",
    laterOutcome: "untouched",
  },
  {
    title: "renamed without an alias, and back",
    id: "renamed",
    before: kinds("renamed"),
    after: kinds("renamed", 'logical: "-new"'),
  },
  {
    title: "renamed without an alias, with another spelling of the vault and another case of the name",
    id: "respelled",
    before: kinds("respelled"),
    after: `${kinds("Respelled", "args: { vaultUrl: pulumi.output(otherSpelling) }")}`,
  },
  {
    title: "into a component without an alias, and out of it",
    id: "grouped",
    before: kinds("grouped"),
    after: `const parent = new Group("grouped"); ${kinds("grouped", "opts: () => ({ parent })")}`,
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
    before: `const a = new Group("moved-a"); const b = new Group("moved-b");
      ${kinds("moved", "opts: () => ({ parent: a })")}`,
    after: `const a = new Group("moved-a"); const b = new Group("moved-b");
      ${kinds("moved", "opts: () => ({ parent: b })")}`,
  },
  {
    title: "the middle of an indexed list removed, and put back",
    id: "listed",
    objects: ["-x", "-y", "-z"],
    before: `["x", "y", "z"].forEach((letter, index) => { ${kinds("listed", 'logical: "-" + index, object: "-" + letter')} });`,
    after: `["x", "z"].forEach((letter, index) => { ${kinds("listed", 'logical: "-" + index, object: "-" + letter')} });`,
    outcome: Object.fromEntries(KINDS.map((kind) => [`${kind}-y`, "deleted"])),
    laterOutcome: Object.fromEntries(KINDS.map((kind) => [`${kind}-y`, "back"])),
  },
  {
    title: "two swapped, names and material",
    id: "swapped",
    objects: ["-x", "-y"],
    before: `${kinds("swapped", 'logical: "-a", object: "-x"')} ${kinds("swapped", 'logical: "-b", object: "-y"')}`,
    after: `${kinds("swapped", 'logical: "-a", object: "-y"')} ${kinds("swapped", 'logical: "-b", object: "-x"')}`,
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
    after: `for (const [kind, of] of Object.entries(source)) {
      const type = kind === "secret" ? keyvault.Secret : keyvault.Key;
      new type("cased-" + kind, { name: "CASED-" + kind, ...of("cased-" + kind) });
    }`,
    outcome: "untouched",
    laterOutcome: "untouched",
  },
  {
    title: "one material from a file, inline, from the environment",
    id: "sourced",
    only: ["imported"],
    before: kinds("sourced", 'only: ["imported"]'),
    after:
      'new keyvault.Key("sourced-imported", { name: "sourced-imported", import: { pem: fs.readFileSync("material-x.pem", "utf8") } });',
    later: 'new keyvault.Key("sourced-imported", { name: "sourced-imported", import: { env: "MATERIAL_X" } });',
    outcome: "untouched",
    laterOutcome: "untouched",
  },
  {
    title: "import, generate and restore to adopt, and back",
    id: "taken",
    only: ["imported", "generated", "restored", "filed"],
    before: kinds("taken", 'only: ["imported", "generated", "restored", "filed"]'),
    after: ["imported", "generated", "restored", "filed"]
      .map((kind) => one("taken", kind as Kind, "adopted"))
      .join(" "),
  },
  {
    title: "adopt and restore to generate, and back",
    id: "given",
    only: ["adopted", "restored"],
    before: kinds("given", 'only: ["adopted", "restored"]'),
    after: one("given", "adopted", "generated") + one("given", "restored", "generated"),
    // What an adopting program left to the vault, one that makes the key itself does not.
    drift: [["update given-adopted tags"], []],
  },
  {
    title: "import to generate, and back",
    id: "changed",
    only: ["imported"],
    before: kinds("changed", 'only: ["imported"]'),
    after: one("changed", "imported", "generated"),
  },
  {
    title: "generate to import, and back",
    id: "owned",
    only: ["generated"],
    before: kinds("owned", 'only: ["generated"]'),
    after: one("owned", "generated", "imported"),
    outcome: "one version more",
  },
  {
    title: "import and generate to restore, and back",
    id: "kept",
    only: ["imported", "generated"],
    before: kinds("kept", 'only: ["imported", "generated"]'),
    after: one("kept", "imported", "restored") + one("kept", "generated", "restored"),
  },
  {
    title: "removed, and added again",
    id: "removed",
    before: kinds("removed"),
    after: "",
    outcome: "deleted",
    laterOutcome: "back",
  },
  {
    title: "removed with onDelete purge, and added again",
    id: "purged",
    only: ["imported", "generated", "restored", "filed", "secret"],
    before: kinds(
      "purged",
      'args: { onDelete: "purge" }, only: ["imported", "generated", "restored", "filed", "secret"]',
    ),
    after: "",
    outcome: "purged",
    laterOutcome: { imported: "made", generated: "made", secret: "made", restored: "back", filed: "back" },
  },
  {
    title: "removed with onDelete retain, and added again",
    id: "retained",
    only: ["imported", "generated", "adopted", "restored", "secret"],
    before: kinds(
      "retained",
      'args: { onDelete: "retain" }, only: ["imported", "generated", "adopted", "restored", "secret"]',
    ),
    after: "",
    outcome: "untouched",
  },
  {
    title: "removed with onDelete disable, and added again",
    id: "disabled",
    only: ["imported", "generated", "restored"],
    before: kinds("disabled", 'args: { onDelete: "disable" }, only: ["imported", "generated", "restored"]'),
    after: "",
    outcome: "disabled",
    laterOutcome: { restored: "disabled" },
  },
  {
    title: "removed with retainOnDelete, and added again",
    id: "left",
    only: ["imported", "generated", "adopted", "restored", "secret"],
    before: kinds(
      "left",
      'opts: () => ({ retainOnDelete: true }), only: ["imported", "generated", "adopted", "restored", "secret"]',
    ),
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
    outcome: { ...each("other tags"), generated: "one version more" },
    laterOutcome: { ...each("other tags"), generated: "one version more" },
  },
  {
    title: "pulumi state rename",
    id: "relabelled",
    before: kinds("relabelled", `only: ${JSON.stringify(KINDS)}`),
    after: kinds("relabelled", `logical: "-new", only: ${JSON.stringify(KINDS)}`),
    outcome: "untouched",
  },
];

describe("docs/refactoring.md", () => {
  it("has a row of the name of every refactoring, and no other", () => {
    const text = readFileSync(join(__dirname, "../../docs/refactoring.md"), "utf8");
    const rows = [...text.matchAll(/^\| ([^|]+) \|/gm)]
      .map(([, title]) => title)
      .filter((title) => title !== "Refactoring");
    const ofStacks = readFileSync(join(__dirname, "refactored-stacks.test.ts"), "utf8");
    const others = [...ofStacks.matchAll(/^ {2}it\("([^"]+)"/gm)].map(([, title]) => title);
    expect(rows.sort()).toEqual([...refactorings.map(({ title }) => title), ...others].sort());
  });
});

const objectsOf = ({ id, objects = [""], only = KINDS }: Refactoring): { kind: Kind; ending: string; name: string }[] =>
  objects.flatMap((ending) => only.map((kind) => ({ kind, ending, name: `${id}-${kind}${ending}` })));

describe("refactorings of a program, on the real engine", () => {
  let vault: Emulator;
  let elsewhere: Emulator;
  let stack: Stack;
  const looks: VaultSnapshot[] = [];
  const drifts: string[][] = [];
  const problems: string[] = [];

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
    stack = await Stack.create({ program: "", config, env: { ...env, MATERIAL_X: materials.x ?? "" } });
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
    await write(({ after }) => after);
    await up(...urns("replaced").flatMap((urn) => ["--replace", urn]));
    await write(({ before, later = before }) => later);
    await up();
  });

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
    expect(drifted).toEqual([[], ...(row.drift ?? [[], []])]);
  });
});
