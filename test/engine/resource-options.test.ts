import { KeyClient } from "@azure/keyvault-keys";
import { SecretClient } from "@azure/keyvault-secrets";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { type Emulator, startEmulator } from "../../emulator/index.js";
import { ecKey } from "./demo-keys.js";
import { type PreviewStep, Stack } from "./stack.js";

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
    title: "replaceOnChanges deletes the key before it is made again, since there is only one of a name",
    key: "replaced",
    before: `new keyvault.Key("replaced", { name: "replaced", ${imported}, tags: { a: "1" } });`,
    after: `new keyvault.Key("replaced", { name: "replaced", ${imported}, tags: { a: "2" } }, { replaceOnChanges: ["tags"] });`,
    step: "replace",
    requests: ["deleteKey", "getKey", "importKey", "getDeletedKey", "recoverDeletedKey", "getKey", "updateKey"],
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
    requests: ["getKey", "importKey", "deleteKey"],
    remains: "moved-on",
  },
  {
    title: "deleteBeforeReplace turns that round",
    key: "turned",
    before: `new keyvault.Key("turned", { name: "turned", ${imported} });`,
    after: `new keyvault.Key("turned", { name: "turned-on", ${imported} }, { deleteBeforeReplace: true });`,
    step: "replace",
    requests: ["deleteKey", "getKey", "importKey"],
    remains: "turned-on",
  },
  {
    title: "a transform changes what is sent, and the key gets just that",
    key: "transformed",
    before: `new keyvault.Key("transformed", { name: "transformed", ${imported} });`,
    after: `new keyvault.Key("transformed", { name: "transformed", ${imported} }, {
      transforms: [({ props, opts }) => ({ props: { ...props, tags: { by: "transform" } }, opts })] });`,
    step: "update",
    requests: ["updateKey"],
  },
  {
    title: "material that comes from another resource is unknown in the preview, then a version",
    key: "late",
    before: `new keyvault.Key("late", { name: "late", ${imported} });`,
    after: `const source = new keyvault.Key("source", { name: "source", generate: { keyType: "EC" } });
      const text = require("node:fs").readFileSync("other.pem", "utf8");
      new keyvault.Key("late", { name: "late", import: { pem: source.version.apply(() => text) } });`,
    step: "update",
    requests: ["importKey"],
  },
];

const project = { signing: ecKey().pkcs8, other: ecKey().pkcs8 };
const clientOptions = { disableChallengeResourceVerification: true, allowInsecureConnection: true };

async function start(): Promise<{ vault: Emulator; stack: Stack; client: KeyClient }> {
  const vault = await startEmulator();
  const stack = await Stack.create({
    program: "",
    config: { "keyvault:vaultUrl": vault.url, "keyvault:credential": "token" },
    env: { KEYVAULT_TOKEN: vault.token },
  });
  await stack.file("signing.pem", project.signing);
  await stack.file("other.pem", project.other);
  return { vault, stack, client: new KeyClient(vault.url, vault.credential, clientOptions) };
}

async function namesOf(client: KeyClient): Promise<string[]> {
  const names: string[] = [];
  for await (const { name } of client.listPropertiesOfKeys()) names.push(name);
  return names;
}

describe("between two programs on the real engine", () => {
  let vault: Emulator;
  let stack: Stack;
  let steps: PreviewStep[];
  let names: string[];
  let driftExit: number;

  beforeAll(async () => {
    const started = await start();
    ({ vault, stack } = started);
    const together = (programs: string[]): string => programs.map((text) => `{ ${text} }`).join("\n");
    await stack.program(together(changes.map(({ before }) => before)));
    await stack.up();
    await stack.program(together(changes.map(({ after }) => after)));
    ({ steps } = await stack.preview());
    vault.requests.clear();
    await stack.up();
    names = await namesOf(started.client);
    // The log is read by the tests below: nothing more may be asked of this vault, so the drift run goes last.
    requests = vault.requests.log.filter(({ operation }) => operation !== "challenge");
    driftExit = (await stack.drift()).run.exitCode;
  });
  afterAll(async () => {
    await stack?.remove();
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
    expect(driftExit).toBe(0);
  });
});

describe("a program on the real engine", () => {
  let vault: Emulator;
  let stack: Stack;
  let client: KeyClient;

  beforeAll(async () => {
    ({ vault, stack, client } = await start());
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
    expect(run.text).toMatch(/another resource of this program already manages the key/);
    expect(await namesOf(client)).toEqual([]);
  });

  it("reads with .get what others manage, and leaves it when it goes", async () => {
    await client.createEcKey("theirs", { curve: "P-384", tags: { by: "hand" } });
    await new SecretClient(vault.url, vault.credential, clientOptions).setSecret("theirs", "their value");
    await stack.program(`
      const key = keyvault.Key.get("theirs", "${vault.url}/keys/theirs");
      const secret = keyvault.Secret.get("theirs", "${vault.url}/secrets/theirs");
      exports.key = pulumi.all([key.name, key.vaultUrl, key.curve, key.tags, key.keyOps]);
      exports.secret = secret.version;`);
    await stack.up();
    expect(await stack.outputs()).toEqual({
      key: ["theirs", vault.url, "P-384", { by: "hand" }, ["sign", "verify"]],
      secret: expect.stringMatching(/^[0-9a-f]{32}$/),
    });
    expect(JSON.stringify(await stack.resources())).not.toContain("their value");
    await stack.program("");
    await stack.up();
    expect(await namesOf(client)).toEqual(["theirs"]);
  });

  it("may not delete a key that is protected", async () => {
    await stack.program(`new keyvault.Key("k", { name: "k", ${imported} }, { protect: true });`);
    await stack.up();
    await stack.program("");
    expect((await stack.tryUp()).text).toMatch(/protect/);
    expect(await namesOf(client)).toContain("k");
  });
});
