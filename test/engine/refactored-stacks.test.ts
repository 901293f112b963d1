import { readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { type Emulator, startEmulator } from "../../emulator/index.js";
import { type Kind, prepareVault, programOf } from "./refactored-program.js";
import { Stack } from "./stack.js";
import { ecKey, pemOf, settingsFor } from "./vault-by-hand.js";
import { type Outcome, outcomeOf, snapshot, type VaultSnapshot } from "./vault-snapshot.js";

const MADE: readonly Kind[] = ["imported", "generated", "restored", "filed", "secret"];
const IDS = ["shared", "split", "moved", "halfway", "targeted", "excluded", "guarded", "stay", "signed"];

const only = `only: ${JSON.stringify(MADE)}`;
const kinds = (id: string, options = ""): string => `kinds("${id}", { ${only}, ${options} });`;
const renamed = (id: string, options = ""): string => kinds(id, `logical: "-new", ${options}`);

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
  const outcomes = async (id: string): Promise<Outcome[]> => {
    const now = await snapshot(vault);
    const found = MADE.map((kind) => outcomeOf(`${id}-${kind}`, [before, now]) as Outcome);
    return found.map((outcome) => (outcome === "untouched" ? "same" : outcome));
  };
  const each = (outcome: Outcome): Outcome[] => MADE.map(() => outcome);
  const urns = async (id: string, ...args: string[]): Promise<string[]> => {
    const exported = await stack.pulumi("stack", "export", ...args);
    const { resources = [] } = JSON.parse(exported.stdout).deployment as { resources?: { urn: string }[] };
    return resources.map(({ urn }) => urn).filter((urn) => urn.split("::").at(-1)?.startsWith(`${id}-`));
  };
  const isClean = async (name: string): Promise<string> => {
    const run = await stack.pulumi("preview", "--refresh", "--expect-no-changes", "--stack", name);
    return run.exitCode === 0 ? "clean" : run.text;
  };

  beforeAll(async () => {
    vault = await startEmulator();
    elsewhere = await startEmulator();
    stack = await Stack.create({ program: "", ...settingsFor(vault) });
    for (const letter of ["x", "y", "z"]) await stack.file(`material-${letter}.pem`, pemOf(ecKey("prime256v1")));
    const objects = IDS.flatMap((id) => MADE.map((kind) => ({ kind, name: `${id}-${kind}` })));
    await prepareVault(vault, elsewhere, stack, objects);
    first = Object.fromEntries(
      IDS.map((id) => [id, kinds(id, id === "guarded" ? "opts: () => ({ protect: true })" : "")]),
    );
    await write({ dev: own() });
    await stack.up();
    await stack.pulumi("stack", "init", "second");
    await addSettings("second");
    await stack.pulumi("stack", "select", "dev");
    before = await snapshot(vault);
  });

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
    await write({ dev: own(), second: kinds("shared") });
    const { text } = await stack.tryUp("--stack", "second", "--continue-on-error");
    const refusals = MADE.filter((kind) =>
      new RegExp(`KV_ALREADY_EXISTS: create \\w+ "shared-${kind}".*stack "test/dev" owns it`).test(text),
    );
    expect(refusals).toEqual(MADE);
    await stack.pulumi("destroy", "--stack", "second", "--yes", "--skip-preview");
    expect(await outcomes("shared")).toEqual(each("same"));
  });

  it("split over two stacks", async () => {
    const adopting = MADE.map(
      (kind) =>
        `new keyvault.${kind === "secret" ? "Secret" : "Key"}("split-${kind}", { name: "split-${kind}", adopt: true });`,
    ).join("\n");
    await write({ dev: own(), second: adopting });
    await stack.up("--stack", "second");
    await write({ dev: own({ split: "" }), second: adopting });
    const { text } = await stack.up();
    expect(text.match(/is left alone: stack "test\/second" owns it/g)?.length).toBeGreaterThanOrEqual(MADE.length);
    expect(await outcomes("split")).toEqual(each("same"));
    first.second = adopting;
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
        halfway: `const made = ${renamed("halfway")}
          new keyvault.Key("failing", { name: "nothing-there", restore: { blob: "AAAA" } }, { dependsOn: Object.values(made) });`,
      }),
    });
    expect((await stack.tryUp()).exitCode).not.toBe(0);
    expect(await outcomes("halfway")).toEqual(each("same"));
    await write({ dev: own({ halfway }) });
    await stack.up();
    expect(await outcomes("halfway")).toEqual(each("same"));
    expect(await isClean("dev")).toBe("clean");
  });

  it("renamed with --target", async () => {
    await write({ dev: own({ targeted: renamed("targeted") }) });
    await stack.up("--target", "**targeted-*-new");
    expect(await outcomes("targeted")).toEqual(each("same"));
    await stack.up();
    expect(await outcomes("targeted")).toEqual(each("same"));
  });

  it("renamed with --exclude", async () => {
    await write({ dev: own({ excluded: renamed("excluded") }) });
    await stack.up("--exclude", "**excluded-*-new");
    const between = await outcomes("excluded");
    await stack.up();
    // The engine shows an excluded resource to no provider, and deletes the old one.
    expect({ between, after: await outcomes("excluded") }).toEqual({ between: each("deleted"), after: each("same") });
    expect(await isClean("dev")).toBe("clean");
  });

  it("stack rename, and the old name used again", async () => {
    await stack.pulumi("stack", "rename", "prod", "--stack", "dev");
    const signed = kinds("signed", 'args: { tags: { stack: "renamed" } }');
    await write({ prod: own({ signed }), dev: `${first.stay} ${signed}` });
    await stack.up("--stack", "prod");
    const marked = await snapshot(vault);
    await stack.pulumi("stack", "init", "dev");
    await addSettings("dev");
    const { text } = await stack.tryUp("--stack", "dev", "--continue-on-error");
    // What no write has marked since cannot be told from a run that was cut off: the same URN, and no state.
    const taken = MADE.filter((kind) => text.includes(`"stay-${kind}" in ${vault.url} is of an earlier run`));
    expect(taken).toEqual(MADE);
    const refusals = MADE.filter((kind) =>
      new RegExp(`KV_ALREADY_EXISTS: create \\w+ "signed-${kind}".*stack "test/prod" owns it`).test(text),
    );
    expect(refusals).toEqual(MADE);
    expect(await outcomes("stay")).toEqual(each("same"));
    const now = await snapshot(vault);
    expect(MADE.map((kind) => outcomeOf(`signed-${kind}`, [marked, now]))).toEqual(each("untouched"));
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
    for (const id of ["guarded", "shared", "halfway", "targeted", "excluded", "signed"]) {
      expect([id, ...(await outcomes(id))]).toEqual([id, ...each("deleted")]);
    }
    for (const id of ["split", "moved"]) expect([id, ...(await outcomes(id))]).toEqual([id, ...each("same")]);
  });
});
