import * as pulumi from "@pulumi/pulumi";
import { LocalWorkspace } from "@pulumi/pulumi/automation/index.js";
import { afterAll, beforeAll, describe, expect, it, vi } from "vitest";
import { type Emulator, startEmulator } from "../../emulator/index.js";
import * as keyvault from "../../sdk/index.js";
import { askedRequests } from "../emulator/asked-requests.js";
import { ecKey } from "./demo-keys.js";
import { Stack, type StackResource } from "./stack.js";
import { keyClient, settingsFor } from "./vault-by-hand.js";

/** Who may change a resource that the program declares under `name`. `change` is the transform. */
const WAYS: [title: string, id: string, program: (name: string, change: string, declared: Declared) => string][] = [
  ["its own transform", "own", (_name, change, declared) => declared(`{ transforms: [${change}] }`)],
  ["its own transformation", "old", (_name, change, declared) => declared(`{ transformations: [${change}] }`)],
  [
    "a transform of the component above it",
    "child",
    (name, change, declared) => `class Group extends pulumi.ComponentResource {}
      const parent = new Group("test:index:Group", "of-${name}", {}, { transforms: [
        (args) => args.custom ? (${change})(args) : undefined ] });
      ${declared("{ parent }")}`,
  ],
  [
    "a transformation of the component above it",
    "oldchild",
    (name, change, declared) => `class Group extends pulumi.ComponentResource {}
      const parent = new Group("test:index:Group", "of-${name}", {}, { transformations: [
        (args) => args.name === "${name}" ? (${change})(args) : undefined ] });
      ${declared("{ parent }")}`,
  ],
  [
    "a transform of the stack",
    "stack",
    (name, change, declared) => `pulumi.runtime.registerResourceTransform(
        (args) => args.name === "${name}" ? (${change})(args) : undefined);
      ${declared("{}")}`,
  ],
  [
    "a transformation of the stack",
    "oldstack",
    (name, change, declared) => `pulumi.runtime.registerStackTransformation(
        (args) => args.name === "${name}" ? (${change})(args) : undefined);
      ${declared("{}")}`,
  ],
];

type Declared = (opts: string) => string;
const imported = 'import: { file: "signing.pem" }';
const withOptions = (options: string) => `({ props, opts }) => ({ props, opts: { ...opts, ${options} } })`;
const unchanged = "() => undefined";
const key =
  (name: string, args = imported, called = name): Declared =>
  (opts) =>
    `new keyvault.Key("${name}", { name: "${called}", ${args} }, ${opts});`;

/** One program: each way changes a resource of its own in the same way. */
function eachWay(prefix: string, change: string, declared: (name: string) => Declared): string {
  return WAYS.map(([, id, program]) => `{ ${program(`${prefix}-${id}`, change, declared(`${prefix}-${id}`))} }`).join(
    "\n",
  );
}

interface Row {
  title: string;
  prefix: string;
  before: string;
  after: string;
  /** What the second preview says of the resource. */
  step: string | undefined;
  /** What the vault is asked about the key in the second up. */
  requests: string[];
}

const rows: Row[] = [
  {
    title: "ignoreChanges on import keeps the key that is there",
    prefix: "ignored",
    before: eachWay("ignored", unchanged, (name) => key(name)),
    after: eachWay("ignored", withOptions('ignoreChanges: ["import"]'), (name) =>
      key(name, 'import: { file: "other.pem" }'),
    ),
    step: undefined,
    requests: [],
  },
  {
    title: "replaceOnChanges on import replaces",
    prefix: "replaced",
    before: eachWay("replaced", unchanged, (name) => key(name)),
    after: eachWay("replaced", withOptions('replaceOnChanges: ["import"]'), (name) =>
      key(name, 'import: { file: "other.pem" }'),
    ),
    step: "replace",
    requests: ["getKey", "importKey", "getKeyRotationPolicy"],
  },
  {
    title: "deleteBeforeReplace deletes first",
    prefix: "turned",
    before: eachWay("turned", unchanged, (name) => key(name)),
    after: eachWay("turned", withOptions("deleteBeforeReplace: true"), (name) => key(name, imported, `${name}-on`)),
    step: "replace",
    requests: ["getKey", "deleteKey", "getKey", "importKey"],
  },
  {
    title: "retainOnDelete leaves the key",
    prefix: "retained",
    before: eachWay("retained", withOptions("retainOnDelete: true"), (name) => key(name)),
    after: "",
    step: "delete",
    requests: [],
  },
  {
    title: "aliases keep what another name had",
    prefix: "aliased",
    before: eachWay("aliased", unchanged, (name) => key(name)),
    after: WAYS.map(
      ([, id, program]) =>
        `{ ${program(
          `aliased-${id}`,
          withOptions(`aliases: [{ name: "aliased-${id}" }]`),
          key(`aliased-${id}`),
        ).replaceAll(`"aliased-${id}", { name`, `"renamed-${id}", { name`)} }`,
    )
      .join("\n")
      .replaceAll('args.name === "aliased-', 'args.name === "renamed-'),
    step: undefined,
    requests: [],
  },
  {
    title: "what is written anew lacks nothing that the provider needs",
    prefix: "rewritten",
    before: eachWay("rewritten", `({ name, opts }) => ({ props: { name, ${imported} }, opts })`, (name) => key(name)),
    after: eachWay("rewritten", `({ name, opts }) => ({ props: { name, ${imported} }, opts })`, (name) => key(name)),
    step: undefined,
    requests: [],
  },
];

/**
 * A project whose programs run in this process: the language host of the tests' engine passes no transform of a stack
 * on.
 */
class InlineStack {
  #text = "";

  private constructor(
    private readonly project: Stack,
    private readonly stack: Awaited<ReturnType<typeof LocalWorkspace.createOrSelectStack>>,
  ) {}

  static async create(vault: Emulator): Promise<InlineStack> {
    const project = await Stack.create({ program: "", ...settingsFor(vault) });
    await project.file("signing.pem", ecKey().pkcs8);
    await project.file("other.pem", ecKey().pkcs8);
    vi.stubEnv("PATH", project.env.PATH ?? "");
    const stack = await LocalWorkspace.createOrSelectStack(
      {
        projectName: "test",
        stackName: "inline",
        program: async () => new Function("pulumi", "keyvault", inline.#text)(pulumi, keyvault),
      },
      { workDir: project.folder, envVars: project.env },
    );
    const { config } = settingsFor(vault);
    await stack.setAllConfig(Object.fromEntries(Object.entries(config).map(([name, value]) => [name, { value }])));
    const inline: InlineStack = new InlineStack(project, stack);
    return inline;
  }

  program(text: string): void {
    this.#text = text;
  }

  async up(): Promise<void> {
    await this.stack.up();
  }

  /** What a run that has to fail says. */
  async refused(run: "preview" | "up"): Promise<string> {
    const options = run === "up" ? { continueOnError: true } : {};
    return this.stack[run](options).then(
      () => "nothing was refused",
      (error: Error) => error.message,
    );
  }

  /** Each resource that a preview would change, by its name. */
  async preview(): Promise<Map<string, string>> {
    const steps = new Map<string, string>();
    await this.stack.preview({
      onEvent: ({ resourcePreEvent: event }) => {
        if (event && event.metadata.op !== "same" && !steps.has(nameOf(event.metadata.urn))) {
          steps.set(nameOf(event.metadata.urn), event.metadata.op.replace(/^(create|delete)-replace.*/, "replace"));
        }
      },
    });
    return steps;
  }

  /** As they are stored: secrets are encrypted. */
  async resources(): Promise<StackResource[]> {
    return (await this.stack.exportStack()).deployment.resources;
  }

  async remove(): Promise<void> {
    vi.unstubAllEnvs();
    await this.project.remove();
  }
}

function nameOf(urn: string): string {
  return urn.slice(urn.lastIndexOf("::") + 2);
}

describe("what a transform says of a key, on the real engine", () => {
  let vault: Emulator;
  let stack: InlineStack;
  let steps: Map<string, string>;
  let owners: (string | undefined)[];
  let requests: readonly { path: string; operation: string }[] = [];

  beforeAll(async () => {
    vault = await startEmulator();
    stack = await InlineStack.create(vault);
    stack.program(rows.map(({ before }) => before).join("\n"));
    await stack.up();
    owners = await Promise.all(
      WAYS.map(
        async ([, id]) => (await keyClient(vault).getKey(`rewritten-${id}`)).properties.tags?.["pulumi-keyvault"],
      ),
    );
    stack.program(rows.map(({ after }) => after).join("\n"));
    steps = await stack.preview();
    vault.requests.clear();
    await stack.up();
    requests = askedRequests(vault);
  });
  afterAll(async () => {
    await stack?.remove();
    await vault?.close();
  });

  const stepsOf = (prefix: string) => WAYS.map(([, id]) => [id, steps.get(`${prefix}-${id}`)]);
  const asked = (prefix: string) =>
    WAYS.map(([, id]) => {
      const about = new RegExp(`/${prefix}-${id}(-on)?(/|$|\\?)`);
      return [id, requests.filter(({ path }) => about.test(path)).map(({ operation }) => operation)];
    });

  it.each(rows)("$title", ({ prefix, step, requests: expected }) => {
    expect(stepsOf(prefix)).toEqual(WAYS.map(([, id]) => [id, step]));
    expect(asked(prefix)).toEqual(WAYS.map(([, id]) => [id, expected]));
  });

  it("a renamed resource is no new one", () => {
    expect(stepsOf("renamed")).toEqual(WAYS.map(([, id]) => [id, undefined]));
  });

  it("what is written anew is marked", () => {
    expect(owners).toEqual(WAYS.map(() => expect.stringMatching(/^test\/inline /)));
  });
});

describe("what a transform says of resources, on the real engine", () => {
  let vault: Emulator;
  let stack: InlineStack;
  let resources: StackResource[];
  let refused: string;

  const backup =
    (name: string): Declared =>
    (opts) =>
      `new keyvault.KeyBackup("${name}", { name: "source" }, ${opts});`;
  const whole =
    (name: string): Declared =>
    (opts) =>
      `new keyvault.VaultBackup("${name}", { keys: "*" }, ${opts});`;

  beforeAll(async () => {
    vault = await startEmulator();
    await keyClient(vault).createEcKey("source");
    stack = await InlineStack.create(vault);
    stack.program(
      [
        eachWay("timed", withOptions('customTimeouts: { create: "20m", delete: "3s" }'), (name) => key(name)),
        eachWay("protected", withOptions("protect: true"), (name) => key(name)),
        eachWay("bare", "({ props, opts }) => ({ props, opts: { parent: opts.parent } })", backup),
      ].join("\n"),
    );
    await stack.up();
    resources = await stack.resources();
    vault.faults.add({ kind: "conflict", operation: "deleteKey" });
    stack.program("");
    refused = await stack.refused("up");
  });
  afterAll(async () => {
    await stack?.remove();
    await vault?.close();
  });

  const named = (prefix: string) =>
    WAYS.map(([, id]) => resources.find(({ urn }) => urn.endsWith(`::${prefix}-${id}`)));

  it("customTimeouts are recorded as the key's timeouts", () => {
    expect(named("timed").map((resource) => resource?.inputs?.timeouts)).toEqual(
      WAYS.map(() => ({ create: "20m", delete: "3s" })),
    );
  });

  it("customTimeouts limit a deletion of a process that reads nothing before", () => {
    for (const [, id] of WAYS) expect(refused).toMatch(new RegExp(`waited [1-3] s for key \\\\?"timed-${id}\\\\?"`));
  });

  it("protect keeps a key from being deleted", () => {
    for (const [, id] of WAYS) expect(refused).toMatch(new RegExp(`protected-${id}.*protect|protect.*protected-${id}`));
  });

  it("options that are written anew leave a blob secret", () => {
    const marks = named("bare").map((resource) => Object.keys(Object(resource?.outputs?.blob))[0]);
    expect(marks).toEqual(WAYS.map(() => "4dabf18193072939515e22adb298388d"));
  });

  it.each(WAYS)("%s that sets import is refused with the remedy", async (_title, id, program) => {
    const change = withOptions(`import: "${vault.url}/keys/k"`);
    stack.program(program(id, change, key(id)));
    expect(await stack.refused("preview")).toContain(
      `KV_INVALID_INPUT: Key "${id}" is refused: the resource option \`import\` cannot be used`,
    );
  });

  it.each(WAYS)("%s that sets customTimeouts where they do nothing is refused", async (_title, id, program) => {
    stack.program(program(id, withOptions('customTimeouts: { create: "1h" }'), whole(id)));
    expect(await stack.refused("preview")).toContain(
      `KV_INVALID_INPUT: VaultBackup "${id}" is refused: customTimeouts have no effect on it`,
    );
  });
});
