import { spawn } from "node:child_process";
import { readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it, vi } from "vitest";
import { type Emulator, startEmulator } from "../../emulator/index.js";
import { problemsOfBackups } from "./backup-contents.js";
import { KINDS, type Kind, prepareVault, programOf } from "./refactored-program.js";
import { DOORS, Stack, type StackResource } from "./stack.js";
import { call, ecKey, pemOf, settingsFor } from "./vault-by-hand.js";
import { type Outcome, outcomeOf, snapshot, type VaultSnapshot } from "./vault-snapshot.js";

const IDS = [
  "shared",
  "split",
  "moved",
  "halfway",
  "killed",
  "targeted",
  "doubled",
  "excluded",
  "tokenless",
  "older",
  "guarded",
  "kept",
  "far",
  "stay",
  "signed",
];

const isSecret = (kind: Kind): boolean => kind === "secret" || kind === "drawn";
const kinds = (id: string, options = ""): string => `kinds("${id}", { ${options} });`;
const renamed = (id: string, options = ""): string => kinds(id, `logical: "-new", ${options}`);
const ALIAS = "opts: (name) => ({ aliases: [{ name }] })";
const PURGE = 'args: { onDelete: "purge" }';
const PROTECT = "opts: () => ({ protect: true })";
const SOURCES = Object.fromEntries(KINDS.map((kind) => [kind, isSecret(kind) ? "adoptedSecret" : "adopted"]));
/** Resources that adopt what another stack has. */
const adopting = (id: string): string => kinds(id, `from: ${JSON.stringify(SOURCES)}`);

/** The runs of one vault's stacks, each of which refactors many rows at once; and what the vault held after each. */
describe.each(DOORS)("refactorings of stacks, on the real engine (%s)", (door) => {
  // The plugin is every language's, and no program tells it what a run leaves out.
  const isTold = door === "dynamic";
  const all: readonly Kind[] = isTold ? KINDS : ["imported", "generated", "adopted", "secret"];
  /** Where a second stack may not simply adopt what is there. */
  const made: readonly Kind[] = all.filter((kind) => kind !== "adopted");
  const onlyMade = `only: ${JSON.stringify(made)}`;
  /** Resources by their place in a list. */
  const listOf = (letters: string): string =>
    `[..."${letters}"].forEach((letter, index) =>
      kinds("picked", { ${onlyMade}, logical: "-" + index, object: "-" + letter, ${isTold ? PURGE : ""} }));`;

  let vault: Emulator;
  let elsewhere: Emulator;
  let stack: Stack;
  let before: VaultSnapshot;
  let first: Record<string, string>;
  const looks: Record<string, VaultSnapshot> = {};
  const texts: Record<string, string> = {};
  const clean: Record<string, string> = {};

  /** The program of each stack, by name. */
  const write = (programs: Record<string, string>): Promise<void> =>
    stack.program(
      programOf(
        Object.entries(programs).map(([name, part]) => `if (pulumi.getStack() === "${name}") { ${part} }`),
        all,
      ),
    );
  const own = (parts: Record<string, string> = {}): string => {
    Object.assign(first, parts);
    return Object.values(first).join("\n");
  };
  /** Runs, and looks at the vault. */
  const run = async (step: string, ...args: string[]): Promise<void> => {
    const { text, exitCode } = await stack.pulumi(...args, "--yes", "--skip-preview");
    texts[step] = `${text}\nexit code ${exitCode}`;
    looks[step] = await snapshot(vault);
  };
  const ended = (...steps: string[]): string[] =>
    steps.flatMap((step) => (texts[step]?.endsWith("exit code 0") ? [] : [`${step}: ${texts[step]}`]));
  /** What became of a row's objects since the first run. */
  const outcomes = (step: string, id: string, of: readonly Kind[] = all, ending = ""): string[] =>
    of.map((kind) => {
      const outcome = outcomeOf(`${id}-${kind}${ending}`, [before, looks[step] ?? before]);
      return `${kind} ${outcome === "untouched" ? "same" : outcome}`;
    });
  const each = (outcome: Outcome, of: readonly Kind[] = all): string[] => of.map((kind) => `${kind} ${outcome}`);
  /** The kinds of a row whose creation is refused, because somebody owns the object, or nobody does. */
  const refused = (step: string, id: string, why: string): Kind[] =>
    all.filter((kind) => new RegExp(`KV_ALREADY_EXISTS: create \\w+ "${id}-${kind}".*${why}`).test(texts[step] ?? ""));
  const exported = async (...args: string[]): Promise<StackResource[]> => {
    const { stdout } = await stack.pulumi("stack", "export", ...args);
    return (JSON.parse(stdout).deployment as { resources?: StackResource[] }).resources ?? [];
  };
  const urns = async (id: string): Promise<string[]> =>
    (await exported("--stack", "dev"))
      .map(({ urn }) => urn)
      .filter((urn) => urn.split("::").at(-1)?.startsWith(`${id}-`));
  /** Whether a stack has nothing to do, and each of its backups restores to what the vault holds. */
  const check = async (step: string, name: string): Promise<void> => {
    const { exitCode, text } = await stack.pulumi("preview", "--refresh", "--expect-no-changes", "--stack", name);
    const resources = await exported("--show-secrets", "--stack", name);
    const problems = await problemsOfBackups(resources, await snapshot(vault), stack.folder);
    clean[step] = exitCode === 0 ? problems.join("\n") || "clean" : text;
  };
  /** Takes what 0.1 did not record out of the state of some rows. */
  const forgetTokens = async (...ids: string[]): Promise<void> => {
    const state = JSON.parse((await stack.pulumi("stack", "export", "--stack", "dev")).stdout);
    for (const { urn, outputs } of state.deployment.resources as StackResource[]) {
      if (ids.some((id) => urn.split("::").at(-1)?.startsWith(`${id}-`))) delete outputs?.ownerToken;
    }
    const file = await stack.file("state.json", JSON.stringify(state));
    expect((await stack.pulumi("stack", "import", "--stack", "dev", "--file", file)).text).toMatch(/Import complete/);
  };
  const initStack = async (name: string): Promise<void> => {
    await stack.pulumi("stack", "init", name, "--no-select");
    const file = join(stack.folder, `Pulumi.${name}.yaml`);
    const settings = `config:\n  keyvault:vaultUrl: ${JSON.stringify(vault.url)}\n  keyvault:credential: token\n`;
    await writeFile(file, `${await readFile(file, "utf8")}${settings}`);
  };

  beforeAll(async () => {
    vault = await startEmulator();
    elsewhere = await startEmulator();
    const { config, env } = settingsFor(vault);
    // The state is written once a run, not once a step, but where a run is cut off.
    stack = await Stack.create({ door, program: "", config, env: { ...env, PULUMI_SKIP_CHECKPOINTS: "true" } });
    for (const letter of ["x", "y", "z"]) await stack.file(`material-${letter}.pem`, pemOf(ecKey("prime256v1")));
    const objects = IDS.flatMap((id) => all.map((kind) => ({ kind, name: `${id}-${kind}` })));
    for (const letter of "xyz") objects.push(...made.map((kind) => ({ kind, name: `picked-${kind}-${letter}` })));
    await prepareVault(vault, elsewhere, stack, objects);
    const options: Record<string, string> = {
      shared: "escrow: true",
      guarded: PROTECT,
      kept: PROTECT,
      stay: PURGE,
      ...(isTold ? { excluded: PURGE } : {}),
    };
    // Sets, a new one and one that gets a key, and a name that a transform gives: only the program knows which objects
    // those are.
    const others = (logical = ""): string =>
      `new keyvault.KeySet("excluded-set${logical}", {
        keys: { "excluded-in-set": { generate: { keyType: "EC" } } }, onDelete: "purge" });
      const joining = { generate: { keyType: "EC" } };
      new keyvault.KeySet("excluded-joined-new", { onDelete: "purge",
        keys: { "excluded-joined": joining${logical && ', "excluded-joins": joining'} } });
      ${logical ? "" : 'new keyvault.Key("excluded-joining", { name: "excluded-joins", ...joining, onDelete: "purge" });'}
      new keyvault.Key("excluded-transformed${logical}", { name: "nothing", generate: { keyType: "EC" }, onDelete: "purge" },
        { transforms: [({ props, opts }) => ({ props: { ...props, name: "excluded-by-transform" }, opts })] });`;
    first = Object.fromEntries(IDS.map((id) => [id, kinds(id, options[id])]));
    if (isTold) first.excluded += others();
    const { halfway = "", doubled = "", kept = "", stay = "", far = "" } = first;
    await write({ dev: own({ picked: listOf("xyz") }) });
    await run("first", "up", "--stack", "dev");
    before = await snapshot(vault);

    await forgetTokens("tokenless", "older");
    for (const kind of all) {
      const path = `/${isSecret(kind) ? "secrets" : "keys"}/older-${kind}`;
      const version = before.held.get(`older-${kind}`)?.versions.at(-1);
      await call(vault, "PATCH", `${path}/${version}`, { tags: kind === "adopted" ? { team: "theirs" } : {} });
    }

    await initStack("second");
    const second = adopting("split");
    await write({ dev: own(), second: second + kinds("shared", onlyMade) });
    await run("second stack", "up", "--stack", "second", "--continue-on-error");
    const moved = await stack.pulumi(
      ...["state", "move", "--yes", "--source", "dev", "--dest", "second", ...(await urns("moved"))],
    );
    texts.move = moved.text;
    await write({ dev: own({ split: "", moved: "" }), second: second + kinds("moved") });
    await run("second stack again", "up", "--stack", "second");

    const other = await Stack.create({ door, program: "", ...settingsFor(vault) });
    try {
      for (const file of ["blobs.json", "material-x.pem", "Pulumi.yaml"]) {
        const text = await readFile(join(stack.folder, file), "utf8");
        await other.file(file, text.replace("name: test", "name: other"));
      }
      await other.pulumi("stack", "init", "dev");
      await other.program(programOf([kinds("shared", onlyMade)], all));
      texts["other project"] = (await other.tryUp("--continue-on-error")).text;
      await other.pulumi("destroy", "--yes", "--skip-preview");
      looks["other project"] = await snapshot(vault);
    } finally {
      await other.remove();
    }

    await write({
      dev: own({
        targeted: renamed("targeted"),
        doubled: `${doubled} ${kinds("doubled", 'logical: "-twin"')}`,
        picked: listOf("xz"),
      }),
    });
    const targets = ["**targeted-*-new", "**doubled-*-twin", "**picked-*-1"].flatMap((urn) => ["--target", urn]);
    await run("targets", "up", "--stack", "dev", "--continue-on-error", ...targets);
    texts.twins = (await stack.pulumi("preview", "--stack", "dev")).text;

    await write({
      dev: own({
        doubled,
        halfway: `const made = kinds("halfway", { logical: "-new" });
          new keyvault.Key("failing", { name: "nothing-there", restore: { blob: "AAAA" } }, { dependsOn: Object.values(made) });`,
      }),
    });
    await run("failing", "up", "--stack", "dev");

    // The creations that are refused keep none of the others.
    await write({
      dev: own({
        halfway,
        excluded: isTold ? renamed("excluded", PURGE) + others("-new") : renamed("excluded"),
        tokenless: renamed("tokenless"),
        older: renamed("older"),
      }),
    });
    await run("excluded", "up", "--stack", "dev", "--continue-on-error", "--exclude", "**excluded-*-new");

    await write({
      dev: own({
        older: renamed("older", ALIAS),
        picked: listOf("xyz"),
      }),
    });
    await run("list put back", "up", "--stack", "dev", "--exclude", "**picked-*-2");

    await write({ dev: own({ kept: renamed("kept", PROTECT) }) });
    await run("protected", "up", "--stack", "dev", "--target", "**kept-*");
    await stack.pulumi("state", "unprotect", "--all", "--yes", "--stack", "dev");

    await write({
      second: second + kinds("moved"),
      dev: own({
        kept,
        killed: `const made = kinds("killed", { logical: "-new" });
          new keyvault.Key("waiting", { name: "waiting", ...source.imported("x") }, { dependsOn: Object.values(made) });`,
      }),
    });
    await killUpOnce("waiting");
    looks.killed = await snapshot(vault);
    await stack.pulumi("cancel", "--yes", "--stack", "dev");
    await run("killed, again", "up", "--stack", "dev", "--refresh");
    // What is given back at the end of a run is younger than the backups that it took.
    await run("refreshed", "up", "--stack", "dev", "--refresh");
    await check("first stack", "dev");
    texts.urns = (await urns("killed")).join("\n");
    await check("second stack", "second");

    await stack.pulumi("stack", "rename", "prod", "--stack", "dev");
    const signed = kinds("signed", `${onlyMade}, args: { tags: { stack: "renamed" } }`);
    const reused = `${stay} ${signed}`;
    await write({ prod: own({ signed }), dev: reused });
    await run("renamed stack", "up", "--stack", "prod");
    await initStack("dev");
    await run("reused name", "up", "--stack", "dev", "--continue-on-error");
    texts["renamed stack, seen"] = (await stack.pulumi("preview", "--refresh", "--stack", "prod")).text;
    await run("reused name, destroyed", "destroy", "--stack", "dev");
    await write({ prod: own({ far: renamed("far"), stay }), dev: reused });
    await run("renamed stack, lost", "up", "--refresh", "--stack", "prod", "--continue-on-error");
    await write({ prod: own({ far, stay: adopting("stay") }) });
    await run("renamed stack, back", "up", "--refresh", "--stack", "prod");

    await stack.pulumi("stack", "rename", "organization/renamed/prod", "--stack", "prod");
    const file = join(stack.folder, "Pulumi.yaml");
    await writeFile(file, (await readFile(file, "utf8")).replace("name: test", "name: renamed"));
    await check("renamed project", "prod");

    await run("destroy", "destroy", "--stack", "prod");
    await stack.pulumi("state", "unprotect", "--all", "--yes", "--stack", "prod");
    await run("unprotected destroy", "destroy", "--stack", "prod");
  }, 1_800_000);

  /** Kills a run as soon as the vault holds an object whose creation is not answered. */
  async function killUpOnce(name: string): Promise<void> {
    vault.faults.add({ kind: "latency", operation: "importKey", milliseconds: 600_000, times: 1 });
    const child = spawn("pulumi", ["up", "--stack", "dev", "--yes", "--skip-preview", "--non-interactive"], {
      cwd: stack.folder,
      env: { ...stack.env, PULUMI_SKIP_CHECKPOINTS: "false" },
      detached: true,
      stdio: "ignore",
    });
    let isOver = false;
    const over = new Promise<void>((done) =>
      child.on("close", () => {
        isOver = true;
        done();
      }),
    );
    const isThere = async (): Promise<boolean> => isOver || (await snapshot(vault)).held.has(name);
    await vi.waitFor(async () => expect(await isThere()).toBe(true), { timeout: 300_000, interval: 500 });
    expect(isOver, `the run ended before it made ${name}`).toBe(false);
    process.kill(-(child.pid ?? 0), "SIGKILL");
    await over;
    vault.faults.clear();
  }

  afterAll(async () => {
    await stack?.remove();
    await Promise.all([vault?.close(), elsewhere?.close()]);
  });

  it("end as they should, with nothing left to do", () => {
    expect(ended("first", "second stack again", "targets", "list put back", "killed, again", "refreshed")).toEqual([]);
    expect(ended("renamed stack", "reused name, destroyed", "renamed stack, back", "unprotected destroy")).toEqual([]);
    expect(clean).toEqual({ "first stack": "clean", "second stack": "clean", "renamed project": "clean" });
  });

  it("two stacks with one name and one file", () => {
    expect(refused("second stack", "shared", 'stack "test/dev" owns it')).toEqual(made);
    expect(outcomes("second stack", "shared")).toEqual(each("same"));
  });

  it("two projects with one name and one file", () => {
    expect(refused("other project", "shared", 'stack "test/dev" owns it')).toEqual(made);
    expect(outcomes("other project", "shared")).toEqual(each("same"));
  });

  it("split over two stacks", () => {
    const left = texts.failing?.match(/is left alone: stack "test\/second" owns it/g) ?? [];
    const later = texts.excluded?.match(/is left alone: stack "test\/second" owns it/g) ?? [];
    expect(left.length + later.length).toBeGreaterThanOrEqual(all.length);
    for (const step of ["excluded", "unprotected destroy"]) expect(outcomes(step, "split")).toEqual(each("same"));
  });

  it("state move", () => {
    expect(texts.move).toMatch(/Successfully moved/);
    for (const step of ["refreshed", "unprotected destroy"]) expect(outcomes(step, "moved")).toEqual(each("same"));
  });

  it("renamed, failed and reverted halfway", () => {
    expect(ended("failing")).toEqual([expect.stringMatching(/KV_BACKUP_REJECTED/)]);
    for (const step of ["failing", "excluded", "refreshed"]) expect(outcomes(step, "halfway")).toEqual(each("same"));
  });

  it("renamed, killed between create and delete, and run again", () => {
    for (const step of ["killed", "killed, again"]) expect(outcomes(step, "killed")).toEqual(each("same"));
    expect(looks["killed, again"]?.held.get("waiting")?.versions).toHaveLength(1);
    // None of the former names is left in state.
    expect(texts.urns?.split("\n").filter((urn) => !urn.endsWith("-new"))).toEqual([]);
  });

  it("renamed with --target", () => {
    for (const step of ["targets", "refreshed"]) expect(outcomes(step, "targeted")).toEqual(each("same"));
  });

  it("one name in two resources, where --target shows only one of them", () => {
    expect(texts.twins).toMatch(/already manages the (key|secret) "doubled-/);
    for (const step of ["targets", "refreshed"]) expect(outcomes(step, "doubled")).toEqual(each("same"));
  });

  it("a state without tokens, as an older version writes it", () => {
    for (const step of ["excluded", "refreshed"]) expect(outcomes(step, "tokenless")).toEqual(each("same"));
  });

  it("a state without tokens, and a vault without marks", () => {
    const why = "no owner tag says that it is this stack's: .*give it an alias";
    expect(refused("excluded", "older", why)).toEqual(made);
    for (const step of ["excluded", "list put back", "refreshed"])
      expect(outcomes(step, "older")).toEqual(each("same"));
  });

  it("renamed with --exclude, with onDelete purge", () => {
    const told = /stays: the program declares it \(Key "excluded-imported-new", which this run leaves out\)/;
    expect(told.test(texts.excluded ?? "")).toBe(isTold);
    expect(outcomes("excluded", "excluded")).toEqual(each(isTold ? "same" : "deleted"));
    expect(outcomes("list put back", "excluded")).toEqual(each("same"));
    if (!isTold) return;
    for (const [step, outcome] of [
      ["excluded", "untouched"],
      ["list put back", "same"],
      ["unprotected destroy", "purged"],
    ] as const) {
      const names = ["excluded-in-set", "excluded-joins", "excluded-by-transform"];
      expect([step, ...names.map((name) => outcomeOf(name, [before, looks[step] ?? before]))]).toEqual([
        step,
        ...names.map(() => outcome),
      ]);
    }
  });

  it("the middle of a list removed with --target, and put back with --exclude, with onDelete purge", () => {
    const ofList = (step: string): string[][] => ["-x", "-y", "-z"].map((end) => outcomes(step, "picked", made, end));
    const [same, gone] = [each("same", made), each(isTold ? "purged" : "deleted", made)];
    expect(ofList("targets")).toEqual([same, gone, same]);
    expect(ofList("excluded")).toEqual([same, gone, same]);
    // What goes on with "z" is new, and left out.
    const [x, , z] = ofList("list put back");
    expect([x, z]).toEqual([same, isTold ? same : each("deleted", made)]);
    const [later, , last] = ofList("refreshed");
    expect([later, last]).toEqual([same, same]);
  });

  it("renamed without an alias, with protect", () => {
    expect(ended("protected")).toEqual([expect.stringMatching(/::kept-\w+" cannot be deleted/)]);
    for (const step of ["protected", "refreshed"]) expect(outcomes(step, "kept")).toEqual(each("same"));
  });

  it("stack rename, and the old name used again", () => {
    const now = looks["reused name"] ?? before;
    const marked = looks["renamed stack"] ?? before;
    expect(refused("reused name", "signed", 'stack "test/prod" owns it')).toEqual(made);
    expect(made.map((kind) => outcomeOf(`signed-${kind}`, [marked, now]))).toEqual(made.map(() => "untouched"));
    // What no write has marked since cannot be told from a run that was cut off: the same URN, and no state.
    const taken = all.filter((kind) =>
      texts["reused name"]?.includes(`"stay-${kind}" in ${vault.url} is of an earlier`),
    );
    expect(taken).toEqual(all);
    expect(outcomes("reused name", "stay")).toEqual(each("same"));
    expect(texts["renamed stack, seen"]).toMatch(
      /key "stay-imported" in \S+ is now owned by stack "test\/dev" by its tag/,
    );
    // The new stack purges nothing of it, and the renamed one gets it back.
    const kept = texts["reused name, destroyed"]?.match(/was deleted and not purged: it was taken over/g) ?? [];
    expect(kept.length).toBeGreaterThanOrEqual(all.length);
    expect(outcomes("reused name, destroyed", "stay")).toEqual(each("deleted"));
    expect(texts["renamed stack, lost"]).toMatch(
      /KV_DELETED_RECOVERABLE: create key "stay-imported".*stack "test\/dev" owns it.*adopt: true/,
    );
    expect(outcomes("renamed stack, back", "stay")).toEqual(each("same"));
  });

  it("stack rename, and renamed without an alias before anything was written", () => {
    const why = 'stack "test/dev" owns it.*former name, give the resource an alias';
    expect(refused("renamed stack, lost", "far", why)).toEqual(made);
    for (const step of ["renamed stack, lost", "renamed stack, back"]) {
      expect(outcomes(step, "far")).toEqual(each("same"));
    }
  });

  it("project rename", () => {
    expect(clean["renamed project"]).toBe("clean");
    expect(outcomes("renamed stack, back", "shared")).toEqual(each("same"));
  });

  it("protect, and destroy", () => {
    expect(ended("destroy")).toHaveLength(1);
    expect(outcomes("destroy", "guarded")).toEqual(each("same"));
    const gone = IDS.filter((id) => !["split", "moved", "excluded", "stay", "signed"].includes(id));
    for (const id of gone) expect([id, ...outcomes("unprotected destroy", id)]).toEqual([id, ...each("deleted")]);
    expect(outcomes("unprotected destroy", "excluded")).toEqual(each(isTold ? "purged" : "deleted"));
  });
});
