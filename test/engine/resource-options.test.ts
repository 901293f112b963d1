import { readFile } from "node:fs/promises";
import { resolve } from "node:path";
import { KeyClient } from "@azure/keyvault-keys";
import * as pulumi from "@pulumi/pulumi";
import { LocalWorkspace } from "@pulumi/pulumi/automation/index.js";
import { afterAll, beforeAll, describe, expect, it, vi } from "vitest";
import { type Emulator, startEmulator } from "../../emulator/index.js";
import * as keyvault from "../../sdk/index.js";
import { askedRequests } from "../emulator/asked-requests.js";
import { ecKey } from "./demo-keys.js";
import { type Door, type PreviewStep, type ProjectKind, Stack } from "./stack.js";

interface Change {
  title: string;
  /** The resource and, where it is named, its key. */
  key: string;
  before: string;
  after: string;
  /** What the preview of the second program says of the resource. */
  step: string | undefined;
  /** What the vault is asked about the key in the up of the second program. */
  requests: string[];
  /** Name of the key in the vault after it; a pattern for an automatic one. */
  remains?: string | RegExp;
}

const imported = 'import: { file: "signing.pem" }';

/** All rows run in one program, each with a key of its own: one up before and one after serve them all. */
const changes: Change[] = [
  {
    title: "ignoreChanges on import keeps the key that is there",
    key: "pinned",
    before: `new keyvault.Key("pinned", { name: "pinned", ${imported} });`,
    after:
      'new keyvault.Key("pinned", { name: "pinned", import: { file: "other.pem" } }, { ignoreChanges: ["import"] });',
    step: undefined,
    requests: [],
  },
  {
    title: "ignoreChanges on tags leaves them",
    key: "tagged",
    before: `new keyvault.Key("tagged", { name: "tagged", ${imported}, tags: { a: "1" } });`,
    after: `new keyvault.Key("tagged", { name: "tagged", ${imported}, tags: { a: "2" } }, { ignoreChanges: ["tags"] });`,
    step: undefined,
    requests: [],
  },
  {
    title: "replaceOnChanges keeps the key, since there is only one of a name, and gives it what changed",
    key: "replaced",
    before: `new keyvault.Key("replaced", { name: "replaced", ${imported}, tags: { a: "1" } });`,
    after: `new keyvault.Key("replaced", { name: "replaced", ${imported}, tags: { a: "2" } }, { replaceOnChanges: ["tags"] });`,
    step: "replace",
    requests: ["getKey", "updateKey", "getKeyRotationPolicy"],
  },
  {
    title: "retainOnDelete leaves the key",
    key: "retained",
    before: `new keyvault.Key("retained", { name: "retained", ${imported} }, { retainOnDelete: true });`,
    after: "",
    step: "delete",
    requests: [],
  },
  {
    title: 'onDelete "retain" leaves the key',
    key: "kept",
    before: `new keyvault.Key("kept", { name: "kept", ${imported}, onDelete: "retain" });`,
    after: "",
    step: "delete",
    requests: [],
  },
  {
    title: "an alias renames the resource and touches nothing",
    key: "aliased",
    before: `new keyvault.Key("aliased", { name: "aliased", ${imported} });`,
    after: `new keyvault.Key("renamed", { name: "aliased", ${imported} }, { aliases: [{ name: "aliased" }] });`,
    step: undefined,
    requests: [],
  },
  {
    title: "an alias keeps the automatic name",
    key: "automatic",
    before: `new keyvault.Key("automatic", { ${imported} });`,
    after: `new keyvault.Key("other-name", { ${imported} }, { aliases: [{ name: "automatic" }] });`,
    step: undefined,
    requests: [],
    remains: /^automatic-[0-9a-f]{7}$/,
  },
  {
    title: "another name is made before the old one goes",
    key: "moved",
    before: `new keyvault.Key("moved", { name: "moved", ${imported} });`,
    after: `new keyvault.Key("moved", { name: "moved-on", ${imported} });`,
    step: "replace",
    requests: ["getKey", "importKey", "getKey", "deleteKey"],
    remains: "moved-on",
  },
  {
    title: "deleteBeforeReplace turns that round",
    key: "turned",
    before: `new keyvault.Key("turned", { name: "turned", ${imported} });`,
    after: `new keyvault.Key("turned", { name: "turned-on", ${imported} }, { deleteBeforeReplace: true });`,
    step: "replace",
    requests: ["getKey", "deleteKey", "getKey", "importKey"],
    remains: "turned-on",
  },
  {
    title: "replacementTrigger keeps the key, as replaceOnChanges does",
    key: "triggered",
    before: `new keyvault.Key("triggered", { name: "triggered", ${imported} }, { replacementTrigger: 1 });`,
    after: `new keyvault.Key("triggered", { name: "triggered", ${imported} }, { replacementTrigger: 2 });`,
    step: "replace",
    requests: ["getKey", "getKeyRotationPolicy"],
  },
  {
    title: "replaceWith keeps the key where another one gets another name, and gives a generated one new material",
    key: "follower",
    before: `const leader = new keyvault.Key("leader", { name: "leader", ${imported} });
      new keyvault.Key("follower", { name: "follower", generate: { keyType: "EC" } }, { replaceWith: [leader] });`,
    after: `const leader = new keyvault.Key("leader", { name: "leader-on", ${imported} });
      new keyvault.Key("follower", { name: "follower", generate: { keyType: "EC" } }, { replaceWith: [leader] });`,
    step: "replace",
    requests: ["getKey", "createKey", "getKeyRotationPolicy"],
  },
  {
    title: "deletedWith leaves the key where the other one is deleted: the engine asks nobody to delete it",
    key: "bound",
    before: `const host = new keyvault.Key("host", { name: "host", ${imported} });
      new keyvault.Key("bound", { name: "bound", ${imported} }, { deletedWith: host });`,
    after: "",
    step: "delete",
    requests: [],
  },
  {
    title: "a transform changes what is sent, and the key gets just that",
    key: "transformed",
    before: `new keyvault.Key("transformed", { name: "transformed", ${imported} });`,
    after: `new keyvault.Key("transformed", { name: "transformed", ${imported} }, {
      transforms: [({ props, opts }) => ({ props: { ...props, tags: { by: "transform" } }, opts })] });`,
    step: "update",
    requests: ["getKey", "updateKey"],
  },
  {
    title: "material that comes from another resource is unknown in the preview, then a version",
    key: "late",
    before: `new keyvault.Key("late", { name: "late", ${imported} });`,
    after: `const source = new keyvault.Key("source", { name: "source", generate: { keyType: "EC" } });
      const text = OTHER_PEM;
      new keyvault.Key("late", { name: "late", import: { pem: source.version.apply(() => text) } });`,
    step: "update",
    requests: ["getKey", "importKey"],
  },
];

const project = { signing: ecKey().pkcs8, other: ecKey().pkcs8 };
const clientOptions = { disableChallengeResourceVerification: true, allowInsecureConnection: true };

async function start(
  vault: Emulator,
  kind: ProjectKind = "commonjs",
  door: Door = "dynamic",
): Promise<{ stack: Stack; client: KeyClient }> {
  const stack = await Stack.create({
    kind,
    door,
    program: "",
    config: { "keyvault:vaultUrl": vault.url, "keyvault:credential": "token" },
    env: { KEYVAULT_TOKEN: vault.token },
  });
  await stack.file("signing.pem", project.signing);
  await stack.file("other.pem", project.other);
  return { stack, client: new KeyClient(vault.url, vault.credential, clientOptions) };
}

async function namesOf(client: KeyClient): Promise<string[]> {
  const names: string[] = [];
  for await (const { name } of client.listPropertiesOfKeys()) names.push(name);
  return names;
}

/** A project whose program can be replaced, whoever runs it. */
interface Driver {
  stack: Stack;
  program(text: string): Promise<void>;
  up(): Promise<unknown>;
  preview(): Promise<PreviewStep[]>;
  isClean(): Promise<boolean>;
}

async function cliDriver(kind: ProjectKind, vault: Emulator, door?: Door): Promise<Driver> {
  const { stack } = await start(vault, kind, door);
  return {
    stack,
    program: (text) => stack.program(text),
    up: () => stack.up(),
    preview: async () => (await stack.preview()).steps,
    isClean: async () => (await stack.drift()).run.exitCode === 0,
  };
}

/** The same programs, run inside this process by the Automation API. */
async function automationDriver(vault: Emulator): Promise<Driver> {
  const { stack: project } = await start(vault);
  vi.stubEnv("PATH", project.env.PATH ?? "");
  let text = "";
  const stack = await LocalWorkspace.createOrSelectStack(
    {
      projectName: "inline",
      stackName: "automation",
      program: async () => new Function("pulumi", "keyvault", text)(pulumi, keyvault),
    },
    { workDir: project.folder, envVars: project.env },
  );
  await stack.setAllConfig({ "keyvault:vaultUrl": { value: vault.url }, "keyvault:credential": { value: "token" } });
  return {
    stack: project,
    program: async (next) => {
      text = next;
    },
    up: () => stack.up(),
    preview: async () => {
      const steps: PreviewStep[] = [];
      await stack.preview({
        onEvent: ({ resourcePreEvent }) => {
          const metadata = resourcePreEvent?.metadata;
          if (metadata && metadata.op !== "same") steps.push({ op: metadata.op, urn: metadata.urn });
        },
      });
      // The command line's JSON tells a replacement by its one step `replace`.
      return steps.filter(({ op }) => op !== "create-replacement" && op !== "delete-replaced");
    },
    isClean: async () => (await stack.preview({ refresh: true })).changeSummary.update === undefined,
  };
}

const runners: [string, (vault: Emulator) => Promise<Driver>][] = [
  ["JavaScript", (vault) => cliDriver("commonjs", vault)],
  ["TypeScript CommonJS", (vault) => cliDriver("typescript", vault)],
  ["TypeScript ESM", (vault) => cliDriver("typescript-esm", vault)],
  ["pnpm's layout", (vault) => cliDriver("pnpm", vault)],
  ["the Automation API", automationDriver],
  ["the plugin", (vault) => cliDriver("commonjs", vault, "plugin")],
];

describe.each(runners)("between two programs on the real engine, with %s", (_runner, drive) => {
  let vault: Emulator;
  let driver: Driver;
  let steps: PreviewStep[];
  let names: string[];
  let isClean: boolean;

  beforeAll(async () => {
    vault = await startEmulator();
    driver = await drive(vault);
    const together = (programs: string[]): string =>
      programs.map((text) => `{ ${text.replace("OTHER_PEM", JSON.stringify(project.other))} }`).join("\n");
    await driver.program(together(changes.map(({ before }) => before)));
    await driver.up();
    await driver.program(together(changes.map(({ after }) => after)));
    steps = await driver.preview();
    vault.requests.clear();
    await driver.up();
    names = await namesOf(new KeyClient(vault.url, vault.credential, clientOptions));
    // The log is read by the tests below: nothing more may be asked of this vault, so the drift run goes last.
    requests = askedRequests(vault);
    isClean = await driver.isClean();
  });
  afterAll(async () => {
    vi.unstubAllEnvs();
    await driver?.stack.remove();
    await vault?.close();
  });

  let requests: readonly { path: string; operation: string }[] = [];

  it.each(changes)("$title", ({ key, step, requests: expected, remains = key }) => {
    expect(steps.find(({ urn }) => urn.endsWith(`::${key}`))?.op).toBe(step);
    const about = new RegExp(`/${key}(-on|-[0-9a-f]{7})?(/|$|\\?)`);
    expect(requests.filter(({ path }) => about.test(path)).map(({ operation }) => operation)).toEqual(expected);
    expect(names).toContainEqual(typeof remains === "string" ? remains : expect.stringMatching(remains));
  });

  it("nothing drifts after any of them", () => {
    expect(isClean).toBe(true);
  });
});

describe("a program on the real engine", () => {
  let vault: Emulator;
  let stack: Stack;
  let client: KeyClient;

  beforeAll(async () => {
    vault = await startEmulator();
    ({ stack, client } = await start(vault));
  });
  afterAll(async () => {
    await stack?.remove();
    await vault?.close();
  });

  it("is refused in the preview where two resources claim one key", async () => {
    await stack.program(`
      new keyvault.Key("one", { name: "k", ${imported} });
      new keyvault.Key("two", { name: "K", ${imported} });`);
    const { run } = await stack.preview();
    expect(run.exitCode).not.toBe(0);
    expect(run.text).toMatch(/Key \\?"(one|two)\\?" already manages the key/);
    expect(await namesOf(client)).toEqual([]);
  });

  it("is refused for the option import, with the remedies and without a stack", async () => {
    await stack.program(`new keyvault.Key("k", { ${imported} }, { import: "${vault.url}/keys/k" });`);
    const run = await stack.tryUp();
    expect(run.exitCode).not.toBe(0);
    expect(run.text).toMatch(
      /KV_INVALID_INPUT: Key "k" is refused: the resource option `import` cannot be used: set adopt: true/,
    );
    expect(run.text).not.toMatch(/\n +at /);
  });

  it("is told by the engine alone of `pulumi import`, in the words of docs/troubleshooting.md", async () => {
    const type = "pulumi-nodejs:dynamic/keyvault:Key";
    const run = await stack.pulumi("import", type, "k", `${vault.url}/keys/k`, "--yes");
    expect(run.text).toContain("code must be a string, not undefined");
    const guide = await readFile(resolve(__dirname, "../../docs/troubleshooting.md"), "utf8");
    expect(guide).toContain("| `code must be a string, not undefined` |");
  });

  it("is told what a resource without arguments lacks", async () => {
    await stack.program('new keyvault.VaultBackup("x");');
    const { run } = await stack.preview();
    expect(run.exitCode).not.toBe(0);
    expect(run.text).toMatch(/nothing to back up: set keys, secrets or both/);
  });

  it("has its customTimeouts recorded as the key's timeouts, and is unchanged then", async () => {
    const program = `new keyvault.Key("timed", { name: "timed", ${imported} }, { customTimeouts: { create: "1h30m" } });`;
    await stack.program(program);
    await stack.up();
    expect((await stack.resource("timed", "Key")).inputs).toMatchObject({ timeouts: { create: "1h30m" } });
    expect((await stack.drift()).run.exitCode).toBe(0);
  });

  it("takes nested paths of its own arguments, and keeps the outputs secret that it names", async () => {
    const program = (file: string, tag: string) => `
      const key = new keyvault.Key("pathed", { name: "pathed", import: { file: "${file}" }, tags: { a: "${tag}" } },
        { replaceOnChanges: ["import.file"], ignoreChanges: ["tags.a"], additionalSecretOutputs: ["tags"] });
      exports.tags = key.tags;`;
    await stack.program(program("signing.pem", "1"));
    await stack.up();
    expect((await stack.pulumi("stack", "output", "tags")).stdout).toContain("[secret]");
    await stack.program(program("signing.pem", "2"));
    expect((await stack.preview()).steps).toEqual([]);
    await stack.program(program("other.pem", "1"));
    expect((await stack.preview()).steps.map(({ op }) => op)).toContain("replace");
  });

  it("may not delete a key that is protected", async () => {
    await stack.program(`new keyvault.Key("k", { name: "k", ${imported} }, { protect: true });`);
    await stack.up();
    await stack.program("");
    expect((await stack.tryUp()).text).toMatch(/protect/);
    expect(await namesOf(client)).toContain("k");
  });

  it("is refreshed and destroyed by a run of its program, whose keys are not taken for declared ones then", async () => {
    await stack.program(`
      new keyvault.Key("run", { name: "run", ${imported} });
      new keyvault.KeySet("run", { keys: { "run-of-set": { ${imported} } }, onDelete: "delete" });`);
    await stack.pulumi("state", "unprotect", "--all", "--yes");
    await stack.up();
    const run = ["--run-program", "--yes", "--skip-preview"];
    expect(await stack.pulumi("refresh", "--expect-no-changes", ...run)).toMatchObject({ exitCode: 0 });
    expect(await namesOf(client)).toEqual(expect.arrayContaining(["run", "run-of-set"]));
    expect(await stack.pulumi("destroy", ...run)).toMatchObject({ exitCode: 0 });
    expect(await namesOf(client)).toEqual([]);
  });
});
