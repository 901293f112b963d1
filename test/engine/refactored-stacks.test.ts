import { spawn } from "node:child_process";
import { readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it, vi } from "vitest";
import { type Emulator, startEmulator } from "../../emulator/index.js";
import { problemsOfBackups } from "./backup-contents.js";
import { KINDS, type Kind, prepareVault, programOf } from "./refactored-program.js";
import { Stack, type StackResource } from "./stack.js";
import { call, ecKey, pemOf, settingsFor } from "./vault-by-hand.js";
import { type Outcome, outcomeOf, snapshot, type VaultSnapshot } from "./vault-snapshot.js";

// Several runs of the engine in each test, on a machine that may be busy.
vi.setConfig({ testTimeout: 600_000 });

/** Where a second stack may not simply adopt what is there. */
const MADE: readonly Kind[] = KINDS.filter((kind) => kind !== "adopted");
const made = `only: ${JSON.stringify(MADE)}`;
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
  "far",
  "stay",
  "signed",
];

const kinds = (id: string, options = ""): string => `kinds("${id}", { ${options} });`;
const renamed = (id: string, options = ""): string => kinds(id, `logical: "-new", ${options}`);
/** Resources that adopt what another stack has. */
const adopting = (id: string): string =>
  kinds(
    id,
    `from: ${JSON.stringify(
      Object.fromEntries(KINDS.map((kind) => [kind, isSecret(kind) ? "adoptedSecret" : "adopted"])),
    )}`,
  );
/** Resources by their place in a list. */
const listOf = (letters: string): string =>
  `[..."${letters}"].forEach((letter, index) =>
    kinds("picked", { ${made}, logical: "-" + index, object: "-" + letter, args: { onDelete: "purge" } }));`;
const isSecret = (kind: Kind): boolean => kind === "secret" || kind === "drawn";

describe("refactorings of stacks, on the real engine", () => {
  let vault: Emulator;
  let elsewhere: Emulator;
  let stack: Stack;
  let before: VaultSnapshot;
  let first: Record<string, string>;

  /** The program of each stack, by name. */
  const write = (programs: Record<string, string>): Promise<void> =>
    stack.program(
      programOf(Object.entries(programs).map(([name, part]) => `if (pulumi.getStack() === "${name}") { ${part} }`)),
    );
  const own = (parts: Record<string, string> = {}): string => {
    Object.assign(first, parts);
    return Object.values(first).join("\n");
  };
  const outcomes = async (id: string): Promise<string[]> => {
    const now = await snapshot(vault);
    return KINDS.map((kind) => {
      const outcome = outcomeOf(`${id}-${kind}`, [before, now]);
      return `${kind} ${outcome === "untouched" ? "same" : outcome}`;
    });
  };
  const each = (outcome: Outcome): string[] => KINDS.map((kind) => `${kind} ${outcome}`);
  /** The kinds of a row whose creation is refused, because somebody owns the object, or nobody does. */
  const refused = (text: string, id: string, why: string): Kind[] =>
    KINDS.filter((kind) => new RegExp(`KV_ALREADY_EXISTS: create \\w+ "${id}-${kind}".*${why}`).test(text));
  const urns = async (id: string, ...args: string[]): Promise<string[]> => {
    const exported = await stack.pulumi("stack", "export", ...args);
    const { resources = [] } = JSON.parse(exported.stdout).deployment as { resources?: { urn: string }[] };
    return resources.map(({ urn }) => urn).filter((urn) => urn.split("::").at(-1)?.startsWith(`${id}-`));
  };
  /** Whether a stack has nothing to do, and each of its backups restores to what the vault holds. */
  const isClean = async (name: string): Promise<string> => {
    const run = await stack.pulumi("preview", "--refresh", "--expect-no-changes", "--stack", name);
    if (run.exitCode !== 0) return run.text;
    const exported = await stack.pulumi("stack", "export", "--show-secrets", "--stack", name);
    const { resources } = JSON.parse(exported.stdout).deployment as { resources: StackResource[] };
    return (await problemsOfBackups(resources, await snapshot(vault))).join("\n") || "clean";
  };
  /** Changes the outputs in the state of a row's resources by hand. */
  const editState = async (id: string, edit: (outputs: Record<string, unknown>) => void): Promise<void> => {
    const exported = JSON.parse((await stack.pulumi("stack", "export")).stdout);
    const { resources } = exported.deployment as { resources: StackResource[] };
    for (const { urn, outputs } of resources) {
      if (outputs && urn.split("::").at(-1)?.startsWith(`${id}-`)) edit(outputs);
    }
    const file = await stack.file("state.json", JSON.stringify(exported));
    expect((await stack.pulumi("stack", "import", "--file", file)).text).toMatch(/Import complete/);
  };

  beforeAll(async () => {
    vault = await startEmulator();
    elsewhere = await startEmulator();
    const { config, env } = settingsFor(vault);
    // The state is written once a run, not once a step, but where a run is cut off.
    stack = await Stack.create({ program: "", config, env: { ...env, PULUMI_SKIP_CHECKPOINTS: "true" } });
    for (const letter of ["x", "y", "z"]) await stack.file(`material-${letter}.pem`, pemOf(ecKey("prime256v1")));
    const objects = IDS.flatMap((id) => KINDS.map((kind) => ({ kind, name: `${id}-${kind}` })));
    for (const letter of "xyz") objects.push(...MADE.map((kind) => ({ kind, name: `picked-${kind}-${letter}` })));
    await prepareVault(vault, elsewhere, stack, objects);
    const options: Record<string, string> = {
      guarded: "opts: () => ({ protect: true })",
      stay: 'args: { onDelete: "purge" }',
      excluded: 'args: { onDelete: "purge" }',
      picked: 'args: { onDelete: "purge" }',
    };
    first = Object.fromEntries(IDS.map((id) => [id, kinds(id, options[id])]));
    first.picked = listOf("xyz");
    await write({ dev: own() });
    await stack.up();
    await stack.pulumi("stack", "init", "second");
    await addSettings("second");
    await stack.pulumi("stack", "select", "dev");
    before = await snapshot(vault);
  }, 900_000);

  afterAll(async () => {
    await stack?.remove();
    await Promise.all([vault?.close(), elsewhere?.close()]);
  });

  async function addSettings(name: string): Promise<void> {
    const file = join(stack.folder, `Pulumi.${name}.yaml`);
    const text = await readFile(file, "utf8");
    await writeFile(
      file,
      `${text}config:\n  keyvault:vaultUrl: ${JSON.stringify(vault.url)}\n  keyvault:credential: token\n`,
    );
  }

  it("two stacks with one name and one file", async () => {
    await write({ dev: own(), second: kinds("shared", made) });
    const { text } = await stack.tryUp("--stack", "second", "--continue-on-error");
    expect(refused(text, "shared", 'stack "test/dev" owns it')).toEqual(MADE);
    await stack.pulumi("destroy", "--stack", "second", "--yes", "--skip-preview");
    expect(await outcomes("shared")).toEqual(each("same"));
  });

  it("two projects with one name and one file", async () => {
    const other = await Stack.create({ program: "", ...settingsFor(vault) });
    try {
      for (const file of ["blobs.json", "material-x.pem", "Pulumi.yaml"]) {
        const text = await readFile(join(stack.folder, file), "utf8");
        await other.file(file, text.replace("name: test", "name: other"));
      }
      await other.pulumi("stack", "init", "dev");
      await other.program(programOf([kinds("shared", made)]));
      const { text } = await other.tryUp("--continue-on-error");
      expect(refused(text, "shared", 'stack "test/dev" owns it')).toEqual(MADE);
      await other.pulumi("destroy", "--yes", "--skip-preview");
    } finally {
      await other.remove();
    }
    expect(await outcomes("shared")).toEqual(each("same"));
  });

  it("split over two stacks", async () => {
    await write({ dev: own(), second: adopting("split") });
    await stack.up("--stack", "second");
    await write({ dev: own({ split: "" }), second: adopting("split") });
    const { text } = await stack.up();
    expect(text.match(/is left alone: stack "test\/second" owns it/g)?.length).toBeGreaterThanOrEqual(KINDS.length);
    expect(await outcomes("split")).toEqual(each("same"));
    expect(await isClean("second")).toBe("clean");
    first.second = adopting("split");
  });

  it("state move", async () => {
    const { second = "" } = first;
    delete first.second;
    const moved = await urns("moved");
    const run = await stack.pulumi("state", "move", "--yes", "--source", "dev", "--dest", "second", ...moved);
    expect(run.text).toMatch(/Successfully moved/);
    await write({ dev: own({ moved: "" }), second: second + kinds("moved") });
    await stack.up("--stack", "second");
    await stack.up();
    expect(await outcomes("moved")).toEqual(each("same"));
    expect(await isClean("second")).toBe("clean");
  });

  it("renamed, failed and reverted halfway", async () => {
    const { halfway = "" } = first;
    await write({
      dev: own({
        halfway: `const made = kinds("halfway", { logical: "-new" });
          new keyvault.Key("failing", { name: "nothing-there", restore: { blob: "AAAA" } }, { dependsOn: Object.values(made) });`,
      }),
    });
    expect((await stack.tryUp()).exitCode).not.toBe(0);
    expect(await outcomes("halfway")).toEqual(each("same"));
    await write({ dev: own({ halfway }) });
    await stack.up();
    // What is given back at the end of a run is younger than the backups that it took.
    await stack.up("--refresh");
    expect(await outcomes("halfway")).toEqual(each("same"));
    expect(await isClean("dev")).toBe("clean");
  });

  it("renamed, killed between create and delete, and run again", async () => {
    await write({
      dev: own({
        killed: `const made = kinds("killed", { logical: "-new" });
          new keyvault.Key("waiting", { name: "waiting", ...source.imported("x") }, { dependsOn: Object.values(made) });`,
      }),
    });
    vault.faults.add({ kind: "latency", operation: "importKey", milliseconds: 600_000, times: 1 });
    const child = spawn("pulumi", ["up", "--yes", "--skip-preview", "--non-interactive"], {
      cwd: stack.folder,
      env: { ...stack.env, PULUMI_SKIP_CHECKPOINTS: "false" },
      detached: true,
      stdio: "ignore",
    });
    const ended = new Promise((done) => child.on("close", done));
    await vi.waitFor(async () => expect((await snapshot(vault)).held.has("waiting")).toBe(true), {
      timeout: 200_000,
      interval: 500,
    });
    process.kill(-(child.pid ?? 0), "SIGKILL");
    await ended;
    vault.faults.clear();
    await stack.pulumi("cancel", "--yes");
    expect(await outcomes("killed")).toEqual(each("same"));
    await stack.up();
    expect(await outcomes("killed")).toEqual(each("same"));
    expect((await snapshot(vault)).held.get("waiting")?.versions).toHaveLength(1);
    expect(await urns("killed")).toHaveLength((await urns("halfway")).length);
    expect(await isClean("dev")).toBe("clean");
  });

  it("renamed with --target", async () => {
    await write({ dev: own({ targeted: renamed("targeted") }) });
    await stack.up("--target", "**targeted-*-new");
    expect(await outcomes("targeted")).toEqual(each("same"));
    await stack.up();
    expect(await outcomes("targeted")).toEqual(each("same"));
  });

  it("one name in two resources, where --target shows only one of them", async () => {
    const { doubled = "" } = first;
    await write({ dev: own({ doubled: `${doubled} ${kinds("doubled", 'logical: "-twin"')}` }) });
    await stack.tryUp("--target", "**doubled-*-twin");
    expect(await outcomes("doubled")).toEqual(each("same"));
    expect((await stack.tryUp()).text).toMatch(/already manages the (key|secret) "doubled-/);
    await write({ dev: own({ doubled }) });
    await stack.up();
    await stack.up("--refresh");
    expect(await outcomes("doubled")).toEqual(each("same"));
    expect(await isClean("dev")).toBe("clean");
  });

  it("a state without tokens, as an older version writes it", async () => {
    await editState("tokenless", (outputs) => delete outputs.ownerToken);
    expect(await isClean("dev")).toBe("clean");
    await write({ dev: own({ tokenless: renamed("tokenless") }) });
    await stack.up();
    expect(await outcomes("tokenless")).toEqual(each("same"));
    expect(await isClean("dev")).toBe("clean");
  });

  it("a state without tokens, and a vault without marks", async () => {
    const { older = "" } = first;
    await editState("older", (outputs) => delete outputs.ownerToken);
    for (const kind of KINDS) {
      const path = `/${isSecret(kind) ? "secrets" : "keys"}/older-${kind}`;
      const { versions = [] } = (await snapshot(vault)).held.get(`older-${kind}`) ?? {};
      await call(vault, "PATCH", `${path}/${versions.at(-1)}`, { tags: kind === "adopted" ? { team: "theirs" } : {} });
    }
    await write({ dev: own({ older: renamed("older") }) });
    const { text } = await stack.tryUp("--continue-on-error");
    expect(refused(text, "older", "no owner tag says that it is this stack's: .*give it an alias")).toEqual(MADE);
    expect(await outcomes("older")).toEqual(each("same"));
    await write({ dev: own({ older: renamed("older", "opts: (name) => ({ aliases: [{ name }] })") }) });
    await stack.up();
    expect(await outcomes("older")).toEqual(each("same"));
    await write({ dev: own({ older }) });
    await stack.tryUp("--continue-on-error");
    await write({ dev: own({ older: kinds("older", 'opts: (name) => ({ aliases: [{ name: name + "-new" }] })') }) });
    await stack.up("--refresh");
    expect(await outcomes("older")).toEqual(each("same"));
    expect(await isClean("dev")).toBe("clean");
  });

  it("renamed with --exclude, with onDelete purge", async () => {
    await write({ dev: own({ excluded: renamed("excluded", 'args: { onDelete: "purge" }') }) });
    const { text } = await stack.up("--exclude", "**excluded-*-new");
    expect(text).toMatch(/stays: the program declares it \(Key "excluded-imported-new", which this run leaves out\)/);
    const between = await outcomes("excluded");
    await stack.up();
    expect({ between, after: await outcomes("excluded") }).toEqual({ between: each("same"), after: each("same") });
    expect(await isClean("dev")).toBe("clean");
  });

  it("the middle of a list removed, and put back with --target, with onDelete purge", async () => {
    const ofList = async (letter: string): Promise<string[]> => {
      const now = await snapshot(vault);
      return MADE.map((kind) => outcomeOf(`picked-${kind}-${letter}`, [before, now]).replace("untouched", "same"));
    };
    const all = (outcome: Outcome): string[] => MADE.map(() => outcome);
    await write({ dev: own({ picked: listOf("xz") }) });
    await stack.up("--target", "**picked-*-1");
    expect(await ofList("z")).toEqual(all("same"));
    expect(await ofList("y")).toEqual(all("purged"));
    await stack.up();
    expect([await ofList("x"), await ofList("z")]).toEqual([all("same"), all("same")]);
    await write({ dev: own({ picked: listOf("xyz") }) });
    // What goes on with "z" is new, and left out: the engine shows no provider anything of it.
    await stack.up("--target", "**picked-*-1");
    expect([await ofList("x"), await ofList("z")]).toEqual([all("same"), all("same")]);
    await stack.up();
    expect([await ofList("x"), await ofList("z")]).toEqual([all("same"), all("same")]);
    expect(await isClean("dev")).toBe("clean");
  });

  it("stack rename, and the old name used again", async () => {
    await stack.pulumi("stack", "rename", "prod", "--stack", "dev");
    const signed = kinds("signed", `${made}, args: { tags: { stack: "renamed" } }`);
    await write({ prod: own({ signed }), dev: `${first.stay} ${signed}` });
    await stack.up("--stack", "prod");
    const marked = await snapshot(vault);
    await stack.pulumi("stack", "init", "dev");
    await addSettings("dev");
    const { text } = await stack.tryUp("--stack", "dev", "--continue-on-error");
    // What no write has marked since cannot be told from a run that was cut off: the same URN, and no state.
    const taken = KINDS.filter((kind) => text.includes(`"stay-${kind}" in ${vault.url} is of an earlier run`));
    expect(taken).toEqual(KINDS);
    expect(refused(text, "signed", 'stack "test/prod" owns it')).toEqual(MADE);
    expect(await outcomes("stay")).toEqual(each("same"));
    const now = await snapshot(vault);
    expect(MADE.map((kind) => outcomeOf(`signed-${kind}`, [marked, now]))).toEqual(MADE.map(() => "untouched"));
    const seen = await stack.pulumi("preview", "--refresh", "--stack", "prod");
    expect(seen.text).toMatch(/key "stay-imported" in \S+ is now owned by stack "test\/dev" by its tag/);

    // The new stack purges nothing of it, and the renamed one gets it back.
    const destroyed = await stack.pulumi("destroy", "--stack", "dev", "--yes", "--skip-preview");
    expect(destroyed.text.match(/was deleted and not purged: it was taken over/g)?.length).toBeGreaterThanOrEqual(7);
    expect(await outcomes("stay")).toEqual(each("deleted"));
    const lost = await stack.tryUp("--refresh", "--stack", "prod", "--continue-on-error");
    expect(lost.text).toMatch(
      /KV_DELETED_RECOVERABLE: create key "stay-imported".*stack "test\/dev" owns it.*adopt: true/,
    );
    await write({ prod: own({ stay: adopting("stay") }) });
    await stack.up("--refresh", "--stack", "prod");
    expect(await outcomes("stay")).toEqual(each("same"));
    expect(await isClean("prod")).toBe("clean");
  });

  it("stack rename, and renamed without an alias before anything was written", async () => {
    const { far = "" } = first;
    await write({ prod: own({ far: renamed("far") }) });
    const { text } = await stack.tryUp("--stack", "prod", "--continue-on-error");
    expect(refused(text, "far", 'stack "test/dev" owns it.*former name, give the resource an alias')).toEqual(MADE);
    expect(await outcomes("far")).toEqual(each("same"));
    await write({ prod: own({ far }) });
    await stack.up("--stack", "prod");
    await stack.up("--refresh", "--stack", "prod");
    expect(await outcomes("far")).toEqual(each("same"));
    expect(await isClean("prod")).toBe("clean");
  });

  it("project rename", async () => {
    await stack.pulumi("stack", "rename", "organization/renamed/prod", "--stack", "prod");
    const file = join(stack.folder, "Pulumi.yaml");
    await writeFile(file, (await readFile(file, "utf8")).replace("name: test", "name: renamed"));
    expect(await isClean("prod")).toBe("clean");
    expect(await outcomes("shared")).toEqual(each("same"));
  });

  it("protect, and destroy", async () => {
    const refused = await stack.pulumi("destroy", "--stack", "prod", "--yes", "--skip-preview");
    expect(refused.exitCode).not.toBe(0);
    expect(await outcomes("guarded")).toEqual(each("same"));
    await stack.pulumi("state", "unprotect", "--all", "--yes", "--stack", "prod");
    const { text, exitCode } = await stack.pulumi("destroy", "--stack", "prod", "--yes", "--skip-preview");
    expect(exitCode, text).toBe(0);
    for (const id of ["guarded", "shared", "halfway", "killed", "targeted", "doubled", "tokenless", "older", "far"]) {
      expect([id, ...(await outcomes(id))]).toEqual([id, ...each("deleted")]);
    }
    expect(await outcomes("excluded")).toEqual(each("purged"));
    for (const id of ["split", "moved"]) expect([id, ...(await outcomes(id))]).toEqual([id, ...each("same")]);
  });
});
