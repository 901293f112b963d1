import { KeyClient } from "@azure/keyvault-keys";
import { SecretClient } from "@azure/keyvault-secrets";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { type Emulator, startEmulator } from "../../emulator/index.js";
import { ecKey } from "./demo-keys.js";
import { DOORS, type Door, Stack } from "./stack.js";

const imported = 'import: { file: "signing.pem" }';
const generated = 'generate: { keyType: "EC" }';

interface Composition {
  title: string;
  /** What the constructor of a component makes. Names of objects start with the component's: `objects` without it. */
  body: string;
  objects: string[];
}

/** All rows are components of one program: a resource that waits for itself would keep all of them waiting. */
const compositions: Composition[] = [
  {
    title: "two keys",
    body: `new keyvault.Key(n + "-a", { name: n + "-a", ${imported} }, mine);
      new keyvault.Key(n + "-b", { name: n + "-b", ${generated} }, mine);`,
    objects: ["-a", "-b"],
  },
  {
    title: "two keys without names",
    body: `new keyvault.Key(n + "-a", { ${imported} }, mine); new keyvault.Key(n + "-b", { ${generated} }, mine);`,
    objects: ["-a", "-b"],
  },
  {
    title: "two secrets",
    body: `new keyvault.Secret(n + "-a", { name: n + "-a", value: "x" }, mine);
      new keyvault.Secret(n + "-b", { value: "y" }, mine);`,
    objects: ["-a", "-b"],
  },
  {
    title: "a key and its backup",
    body: `const key = new keyvault.Key(n, { ${imported} }, mine); new keyvault.KeyBackup(n, { key }, mine);`,
    objects: [""],
  },
  {
    title: "a key, and a secret that takes its outputs",
    body: `const key = new keyvault.Key(n + "-key", { ${imported} }, mine);
      new keyvault.Secret(n + "-secret", { value: key.versionId, tags: { of: key.name } }, mine);`,
    objects: ["-key", "-secret"],
  },
  {
    title: "a key that takes another key's outputs in its own name, backups and inventories of both",
    body: `const a = new keyvault.Key(n + "-a", { name: n + "-a", ${imported} }, mine);
      const b = new keyvault.Key(n + "-b", { name: a.name.apply((name) => name.replace("-a", "-b")), ${generated} }, mine);
      new keyvault.VaultBackup(n, { keys: [a, b] }, mine);
      new keyvault.KeyInventory(n, { expect: [a, b], ignore: ["*"] }, mine);
      this.versions = pulumi.all([a.version, b.version]).apply((versions) => versions.join());
      new keyvault.Secret(n + "-versions", { name: n + "-versions", value: this.versions }, mine);`,
    objects: ["-a", "-b", "-versions"],
  },
  {
    title: "components three deep",
    body: `class Leaf extends pulumi.ComponentResource {
        constructor(m, opts) {
          super("test:index:Leaf", m, {}, opts);
          this.key = new keyvault.Key(m + "-key", { ${imported} }, { parent: this });
          new keyvault.KeyBackup(m, { key: this.key }, { parent: this });
        }
      }
      class Branch extends pulumi.ComponentResource {
        constructor(m, opts) {
          super("test:index:Branch", m, {}, opts);
          const left = new Leaf(m + "-left", { parent: this });
          const right = new Leaf(m + "-right", { parent: this, dependsOn: left });
          new keyvault.Secret(m + "-both", { value: pulumi.interpolate\`\${left.key.version} \${right.key.version}\` },
            { parent: this });
        }
      }
      new Branch(n, mine);`,
    objects: ["-left-key", "-right-key", "-both"],
  },
  {
    title: "the program's options passed on",
    body: `new keyvault.Key(n + "-a", { ${imported} }, pulumi.mergeOptions(opts, mine));
      new keyvault.Key(n + "-b", { ${generated} }, pulumi.mergeOptions(opts, {
        parent: this,
        aliases: [{ name: "earlier", parent: pulumi.rootStackResource }, { type: "pulumi-nodejs:dynamic/x:Y" }],
        transforms: [({ props, opts }) => ({ props: { ...props, tags: { by: "transform" } }, opts })],
      }));`,
    objects: ["-a", "-b"],
  },
  {
    title: "keys under a parent of which only the URN is known, as those of a remote component are",
    body: `const parent = new pulumi.DependencyResource(this.urn);
      const key = new keyvault.Key(n + "-a", { ${imported} }, { parent });
      new keyvault.Key(n + "-b", { ${generated} }, { parent });
      new keyvault.KeyBackup(n, { key }, { parent });`,
    objects: ["-a", "-b"],
  },
  {
    title: "keys through providers that the component is given",
    body: `class Group extends pulumi.ComponentResource {
        constructor(m, opts) {
          super("test:index:Group", m, {}, opts);
          const key = new keyvault.Key(m + "-a", { ${imported} }, { parent: this });
          new keyvault.Secret(m + "-b", { value: key.version }, { parent: this });
        }
      }
      new Group(n, { parent: this, providers: [ownProvider(n)] });`,
    objects: ["-a", "-b"],
  },
  {
    title: "a child that is the parent of another key",
    body: `const parent = new keyvault.Key(n + "-a", { ${imported} }, mine);
      new keyvault.Key(n + "-b", { ${generated} }, { parent });
      new keyvault.KeyBackup(n, { key: parent }, { parent });`,
    objects: ["-a", "-b"],
  },
];

const component = (index: number) => `c${String.fromCharCode(97 + index)}`;

/** A provider of the program's own, which has no configuration of the stack. */
const ownProvider: Record<Door, string> = {
  dynamic: `class Dynamic extends pulumi.ProviderResource { constructor(n) { super("pulumi-nodejs", n,
    { "keyvault:vaultUrl": settings.vaultUrl, "keyvault:credential": settings.credential }); } }
    const ownProvider = (n) => new Dynamic(n);`,
  plugin: "const ownProvider = (n) => new keyvault.Provider(n, settings);",
};

const program = (door: Door): string => `
  const [vaultUrl, credential] = ["vaultUrl", "credential"].map((name) => new pulumi.Config("keyvault").require(name));
  const settings = { vaultUrl, credential };
  ${ownProvider[door]}
  ${compositions
    .map(
      ({ body }, index) => `
  class Component${index} extends pulumi.ComponentResource {
    constructor(n, opts = {}) {
      super("test:index:Component${index}", n, {}, opts);
      const mine = { parent: this };
      ${body}
      this.registerOutputs({});
    }
  }
  const ${component(index)} = new Component${index}("${component(index)}", { protect: false, transforms: [
    ({ props, opts }) => ({ props, opts }) ], providers: {} });`,
    )
    .join("\n")}
  // What comes after a component waits for all that it holds.
  new keyvault.Key("after", { ${generated} }, { dependsOn: [${component(0)}, ${component(6)}] });`;

describe.each(DOORS)("resources in components, on the real engine (%s)", (door) => {
  let vault: Emulator;
  let stack: Stack;
  let names: string[];

  beforeAll(async () => {
    vault = await startEmulator();
    stack = await Stack.create({
      door,
      program: program(door),
      config: { "keyvault:vaultUrl": vault.url, "keyvault:credential": "token" },
      env: { KEYVAULT_TOKEN: vault.token },
    });
    await stack.file("signing.pem", ecKey().pkcs8);
    const { run } = await stack.preview();
    expect(run.text).not.toMatch(/waiting for/);
    await stack.up();
    names = await namesOf(vault);
  });
  afterAll(async () => {
    await stack?.remove();
    await vault?.close();
  });

  it.each(compositions.map((row, index) => ({ ...row, index })))("make $title", ({ index, objects }) => {
    const own = names
      .filter((name) => name.startsWith(component(index)))
      .map((name) => name.replace(/-[0-9a-f]{7}$/, ""));
    expect(own.sort()).toEqual(objects.map((object) => `${component(index)}${object}`).sort());
  });

  it("record nothing of how they are told apart", async () => {
    const hidden = ["autoName", "claimant", "owner"];
    const recorded = (await stack.resources()).flatMap(({ inputs = {}, outputs = {} }) =>
      Object.keys({ ...inputs, ...outputs }),
    );
    expect(recorded.filter((property) => hidden.includes(property))).toEqual([]);
  });

  it("depend on what they use, and on no component", async () => {
    const exported = await stack.pulumi("stack", "export");
    const { resources } = JSON.parse(exported.stdout).deployment as {
      resources: { urn: string; custom: boolean; dependencies?: string[] }[];
    };
    const components = resources.filter(({ custom }) => !custom).map(({ urn }) => urn);
    const wanted = resources.filter(({ dependencies = [] }) => dependencies.some((urn) => components.includes(urn)));
    expect(wanted).toEqual([]);
    const key = resources.find(({ urn }) => urn.endsWith("Key::ca-b"));
    expect(key?.dependencies ?? []).toEqual([]);
  });

  it("are unchanged in the next preview and free of drift", async () => {
    const { run, steps } = await stack.drift();
    expect(steps.filter(({ op }) => op !== "refresh").map(({ op, urn }) => [op, urn])).toEqual([]);
    expect(run.exitCode).toBe(0);
  });
});

describe.each(DOORS)("a component that fails, on the real engine (%s)", (door) => {
  let vault: Emulator;
  let stack: Stack;

  beforeAll(async () => {
    vault = await startEmulator();
    stack = await Stack.create({
      door,
      program: "",
      config: { "keyvault:vaultUrl": vault.url, "keyvault:credential": "token" },
      env: { KEYVAULT_TOKEN: vault.token },
    });
  });
  afterAll(async () => {
    await stack?.remove();
    await vault?.close();
  });

  it("tells its own fault, and makes none of its keys", async () => {
    await stack.program(`
      class Broken extends pulumi.ComponentResource {
        constructor(n) {
          super("test:index:Broken", n, { input: Promise.reject(new Error("the input of the component failed")) });
          new keyvault.Key(n + "-a", { ${generated} }, { parent: this });
          new keyvault.Secret(n + "-b", { value: "x" }, { parent: this });
        }
      }
      new Broken("broken");`);
    const run = await stack.tryUp();
    expect(run.exitCode).not.toBe(0);
    expect(await namesOf(vault)).toEqual([]);
  });

  it("does not keep a key waiting whose parent the vault refuses", async () => {
    await stack.program(`
      const parent = new keyvault.Key("parent", { name: "not a name", ${generated} });
      new keyvault.Key("child", { ${generated} }, { parent });`);
    const run = await stack.tryUp();
    expect(run.exitCode).not.toBe(0);
    expect(run.text).toMatch(/name/);
    expect(run.text).not.toMatch(/waiting for/);
    expect(await namesOf(vault)).toEqual([]);
  });
});

async function namesOf({ url, credential }: Emulator): Promise<string[]> {
  const options = { disableChallengeResourceVerification: true, allowInsecureConnection: true };
  const names: string[] = [];
  for await (const { name } of new KeyClient(url, credential, options).listPropertiesOfKeys()) names.push(name);
  for await (const { name } of new SecretClient(url, credential, options).listPropertiesOfSecrets()) names.push(name);
  return names;
}
