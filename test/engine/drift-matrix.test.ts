import { readFile, rm } from "node:fs/promises";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { z } from "zod";
import { type Emulator, startEmulator } from "../../emulator/index.js";
import { runCommand } from "../cli/command-line.js";
import { ecKey } from "./demo-keys.js";
import { DOORS, Stack } from "./stack.js";
import { call } from "./vault-by-hand.js";

const report = z.object({
  complete: z.boolean(),
  drifted: z.array(
    z.object({ name: z.string(), changes: z.array(z.object({ property: z.string(), consequence: z.string() })) }),
  ),
  settled: z.array(z.object({ name: z.string(), changes: z.array(z.object({ property: z.string() })) })),
  unmanaged: z.array(z.object({ name: z.string(), changes: z.array(z.object({ property: z.string() })) })),
  pending: z.array(z.object({ name: z.string(), properties: z.array(z.string()) })),
  unread: z.array(z.object({ name: z.string(), reason: z.string() })),
  failedStacks: z.array(z.object({ reason: z.string() })),
  notes: z.array(z.string()),
});

const EXPIRES = Date.parse("2037-01-01T00:00:00Z") / 1000;
const OWN = ecKey();

/** Each resource with what somebody does to its object outside, and what the report has to say of it. */
const PATCHES = "patches the tags back";
const IMPORTS = "imports a new version from the program's material, which has to be at hand";
const ROWS: [name: string, program: string, deeds: [string, string, unknown][], told: Record<string, string>][] = [
  [
    "imported",
    'new keyvault.Key("imported", { name: "imported", import: { file: "own.pem" }, tags: { team: "orders" } });',
    [["PATCH", "/keys/imported", { tags: { team: "somebody" }, attributes: { enabled: false } }]],
    { enabled: "patches it back", "tags.team": PATCHES },
  ],
  [
    "swapped",
    'new keyvault.Key("swapped", { name: "swapped", import: { file: "own.pem" } });',
    [["POST", "/keys/swapped/create", { kty: "EC" }]],
    { thumbprint: IMPORTS },
  ],
  [
    "expiring",
    'new keyvault.Key("expiring", { name: "expiring", import: { file: "own.pem" } });',
    [["PATCH", "/keys/expiring", { attributes: { exp: EXPIRES } }]],
    {
      expiresOn: "imports a new version without it, as the service cannot clear it; the material has to be at hand",
    },
  ],
  [
    "generated",
    'new keyvault.Key("generated", { name: "generated", generate: { keyType: "EC" } });',
    [["POST", "/keys/generated/create", { kty: "EC" }]],
    { version: "generates a new version, which becomes the current one" },
  ],
  [
    "refused",
    'new keyvault.Key("refused", { name: "refused", generate: { keyType: "EC" } }, { ignoreChanges: IGNORED });',
    [["PATCH", "/keys/refused", { attributes: { exp: EXPIRES }, tags: { by: "somebody" } }]],
    {
      expiresOn:
        "fails for this key: only new key material would be without it; write it into the program, or change generate.keepers",
      "tags.by": "nothing: the update of this key fails because of expiresOn",
    },
  ],
  [
    "rotating",
    'new keyvault.Key("rotating", { name: "rotating", generate: { keyType: "EC" }, rotationPolicy: { rotateAfter: "P90D" } });',
    [["PUT", "/keys/rotating/rotationpolicy", { lifetimeActions: [] }]],
    { "rotationPolicy.rotateAfter": "sets the rotation policy back" },
  ],
  [
    "restored",
    'new keyvault.Key("restored", { name: "restored", restore: { file: "restored.backup" }, tags: { team: "orders" } });',
    [["PATCH", "/keys/restored", { tags: {} }]],
    { "tags.team": PATCHES },
  ],
  [
    "adopted",
    'new keyvault.Key("adopted", { name: "adopted", adopt: true });',
    [["PUT", "/keys/adopted", { key: OWN.jwk }]],
    {
      thumbprint: "takes it as it is: the program does not say what it is",
      version: "takes the version as it is",
    },
  ],
  [
    "value",
    'new keyvault.Secret("value", { name: "value", value: "a value" });',
    [["PUT", "/secrets/value", { value: "another value" }]],
    { value: "sets the program's value as a new version" },
  ],
  [
    "typed",
    'new keyvault.Secret("typed", { name: "typed", value: "a value", contentType: "text/plain" });',
    [["PUT", "/secrets/typed", { value: "a value", contentType: "text/html" }]],
    { contentType: "patches it back", version: "takes the version as it is" },
  ],
  [
    "key-backup",
    'new keyvault.KeyBackup("key-backup", { name: "backed-up" });',
    [["POST", "/keys/backed-up/create", { kty: "EC" }]],
    { blob: "takes the backup again" },
  ],
  [
    "secret-backup",
    'new keyvault.SecretBackup("secret-backup", { name: "backed-up" });',
    [["PUT", "/secrets/backed-up", { value: "another value" }]],
    { blob: "takes the backup again" },
  ],
  [
    "vault-backup",
    'new keyvault.VaultBackup("vault-backup", { keys: ["backed-up"] });',
    [],
    { blob: "takes the backup again" },
  ],
  [
    "inventory",
    'new keyvault.KeyInventory("inventory", { expect: ["backed-up"], ignore: ["[!b]*"] });',
    [],
    { "backed-up": "records the vault as it is now" },
  ],
  [
    "secret-inventory",
    'new keyvault.SecretInventory("secret-inventory", { expect: ["backed-up"], ignore: ["[!b]*"] });',
    [],
    { "backed-up": "records the vault as it is now" },
  ],
  [
    "set",
    `new keyvault.KeySet("set", {
      tags: { team: "orders" },
      keys: { inset: { generate: { keyType: "EC" } }, joined: { import: { file: "own.pem" } } },
    });`,
    [
      ["PATCH", "/keys/inset", { tags: { team: "somebody" } }],
      ["POST", "/keys/joined/create", { kty: "EC", tags: { team: "orders" } }],
    ],
    { "keys.joined.thumbprint": IMPORTS, "keys.inset.tags.team": PATCHES },
  ],
];

describe.each(DOORS)("drift of every kind of resource, on every route (%s)", (door) => {
  let vault: Emulator;
  let stack: Stack;

  const program = (ignored: string[] = [], last = ""): string =>
    [
      `const IGNORED = ${JSON.stringify(ignored)}, ALL = [];`,
      ...ROWS.map(([, text]) => `ALL[ALL.length] = ${text}`),
      last,
    ].join("\n");
  const sorted = (told: Record<string, unknown>) =>
    Object.fromEntries(Object.entries(told).sort(([a], [b]) => (a < b ? -1 : 1)));
  const EVERYTHING = sorted(Object.fromEntries(ROWS.map(([name, , , told]) => [name, sorted(told)])));

  const read = async (args: string[], options: { input?: string; env?: Record<string, string> } = {}) => {
    const { input } = options;
    const run = await runCommand(["drift", "--format", "json", ...args], {
      cwd: stack.folder,
      env: { ...stack.env, ...options.env },
      ...(input === undefined ? {} : { input }),
    });
    expect(run.stderr).toBe("");
    return { exitCode: run.exitCode, ...report.parse(JSON.parse(run.stdout)) };
  };
  const drifted = (told: z.infer<typeof report>) =>
    sorted(
      Object.fromEntries(
        told.drifted.map(({ name, changes }) => [
          name,
          sorted(Object.fromEntries(changes.map(({ property, consequence }) => [property, consequence]))),
        ]),
      ),
    );
  const names = (told: Record<string, unknown>) =>
    Object.fromEntries(Object.entries(told).map(([name, changes]) => [name, Object.keys(Object(changes)).sort()]));

  beforeAll(async () => {
    vault = await startEmulator({
      vaults: [
        {
          name: "emulator",
          permissions: {
            principals: {
              "emulator-owner": { keys: ["*"], secrets: ["*"] },
              reader: { keys: ["get", "list", "getRotationPolicy"], secrets: ["get", "list"] },
            },
          },
        },
      ],
    });
    for (const name of ["adopted", "backed-up", "restored"])
      await call(vault, "POST", `/keys/${name}/create`, { kty: "EC" });
    await call(vault, "PUT", "/secrets/backed-up", { value: "a value" });
    const { value: blob } = Object(await call(vault, "POST", "/keys/restored/backup")) as { value: string };
    await call(vault, "DELETE", "/keys/restored");
    await call(vault, "DELETE", "/deletedkeys/restored");
    stack = await Stack.create({
      door,
      program: program(),
      config: { "keyvault:vaultUrl": vault.url, "keyvault:credential": "token" },
      env: { KEYVAULT_TOKEN: vault.token },
    });
    await stack.file("restored.backup", blob);
    await stack.file("own.pem", OWN.pkcs8);
    await stack.up();
    vault.clock.advance(2_000);
    for (const [name, , deeds] of ROWS) {
      for (const [method, path, body] of deeds) {
        const isSecretPatch = method === "PATCH" && path.startsWith("/secrets");
        expect(isSecretPatch, name).toBe(false);
        await call(vault, method, path, body);
      }
    }
    vault.clock.advance(2_000);
  });
  afterAll(async () => {
    await stack?.remove();
    await vault?.close();
  });

  it("is told by the command, by a reader, without the material", async () => {
    await rm(join(stack.folder, "own.pem"));
    const told = await read([], { env: { KEYVAULT_TOKEN: "reader" } });
    await stack.file("own.pem", OWN.pkcs8);
    expect(drifted(told)).toEqual(EVERYTHING);
    expect(told).toMatchObject({ exitCode: 7, complete: true, pending: [], settled: [] });
  });

  it("is told from the JSON of a preview, which says which update will be refused and hides no other", async () => {
    const preview = await stack.pulumi("preview", "--refresh", "--show-sames", "--json");
    expect(preview.exitCode).toBe(0);
    expect(preview.stdout).toMatch(/expiresOn of key \\"refused\\" .* cannot be removed.*will be refused/);
    const told = await read(["--from", "-"], { input: preview.stdout });
    expect(drifted(told)).toEqual(EVERYTHING);
    expect(told).toMatchObject({ exitCode: 7, complete: true, pending: [], notes: [] });
  });

  it("is told from the JSON of a refresh alone", async () => {
    const refresh = await stack.pulumi("refresh", "--preview-only", "--json");
    expect(names(drifted(await read(["--from", "-"], { input: refresh.stdout })))).toEqual(names(EVERYTHING));
  });

  it("stays told after plain refreshes, where it is another key, value or version, or a moment of nobody's", async () => {
    const state = await stack.pulumi("stack", "export", "--show-secrets");
    for (let time = 0; time < 2; time += 1) await stack.pulumi("refresh", "--yes", "--skip-preview");
    await rm(join(stack.folder, "own.pem"));
    const told = await read([], { env: { KEYVAULT_TOKEN: "reader" } });
    await stack.file("own.pem", OWN.pkcs8);
    expect(told).toMatchObject({ exitCode: 7, complete: true });
    expect(names(drifted(told))).toMatchObject({
      swapped: ["thumbprint"],
      expiring: ["expiresOn"],
      generated: ["version"],
      refused: ["expiresOn"],
      adopted: ["thumbprint", "version"],
      value: ["value"],
      typed: ["version"],
    });
    const pending = Object.fromEntries(told.pending.map(({ name, properties }) => [name, properties]));
    expect(pending).toMatchObject({
      imported: ["enabled", "tags.team"],
      refused: ["tags.by"],
      rotating: ["rotationPolicy.rotateAfter"],
      restored: ["tags.team"],
      typed: ["contentType"],
    });
    await stack.pulumi("stack", "import", "--file", await stack.file("state.json", state.stdout));
  });

  it("is told as far as a preview came that failed on its way, with exit code 8", async () => {
    const broken = 'new keyvault.Key("broken", { name: "broken", generate: { keyType: "NONE" } }, { dependsOn: ALL });';
    await stack.program(program([], broken));
    const preview = await stack.pulumi("preview", "--refresh", "--show-sames", "--json");
    await stack.program(program());
    expect(preview.exitCode).not.toBe(0);
    const told = await read(["--from", "-"], { input: preview.stdout });
    expect(told).toMatchObject({ exitCode: 8, complete: false, unread: [] });
    expect(drifted(told)).toEqual(EVERYTHING);
    expect(told.failedStacks).toMatchObject([
      { reason: expect.stringMatching(/^KV_PREVIEW_FAILED: .*keyType must be/) },
    ]);
  });

  it("names what a preview did not come to that failed early", async () => {
    const early = "{ dependsOn: ALL.slice(0, 3) }";
    const broken = `new keyvault.Key("broken", { name: "broken", generate: { keyType: "NONE" } }, ${early});`;
    await stack.program(program([], broken));
    const preview = await stack.pulumi("preview", "--refresh", "--show-sames", "--json");
    await stack.program(program());
    const told = await read(["--from", "-"], { input: preview.stdout });
    expect(told).toMatchObject({ exitCode: 8, complete: false });
    const known = [...Object.keys(drifted(told)), ...told.unread.map(({ name }) => name)];
    expect(known.sort()).toEqual(ROWS.map(([name]) => name).sort());
  });

  it("is told by every command of docs/drift.md", async () => {
    const guide = await readFile(join(__dirname, "../../docs/drift.md"), "utf8");
    const blocks = [...guide.matchAll(/^```(?:sh)?\n([\s\S]*?)^```$/gm)].flatMap(([, block = ""]) => block.split("\n"));
    const commands = blocks
      .map((line) => /^(?:\$ )?(?:npx (pulumi-keyvault)|(pulumi)) (.+)$/.exec(line))
      .filter((line) => line !== null);
    expect(commands.length).toBeGreaterThan(5);
    for (const [line, command, , words = ""] of commands) {
      const [text = "", file] = words.split(" > ");
      // The guide's stacks are all the one that is there.
      const args = text.split(" ").map((word) => (/^(prod|staging)$/.test(word) ? "dev" : word));
      const run =
        command === undefined
          ? await stack.pulumi(...args.filter((arg) => arg !== "--non-interactive"))
          : await runCommand(args, { cwd: stack.folder, env: stack.env });
      expect({ line, exitCode: run.exitCode, stderr: run.stderr }).toEqual({
        line,
        exitCode: command ? 7 : 0,
        stderr: "",
      });
      if (file !== undefined) await stack.file(file, run.stdout);
    }
  });

  it("ends with an up that repairs all but the one that is refused, and with a program that accepts that one", async () => {
    const up = await stack.tryUp("--refresh", "--continue-on-error");
    expect(up.exitCode).not.toBe(0);
    expect(up.text.match(/cannot be removed: the service can only move it/g)?.length).toBeGreaterThan(0);
    // The refresh of that up is recorded: what is like any other attribute waits to be deployed.
    const left = await read([]);
    expect(names(drifted(left))).toEqual({ refused: ["expiresOn"] });
    expect(left).toMatchObject({ exitCode: 7, pending: [{ name: "refused", properties: ["tags.by"] }] });

    await stack.program(program(["expiresOn"]));
    const settled = await read([]);
    expect(settled).toMatchObject({
      exitCode: 0,
      drifted: [],
      pending: [{ name: "refused", properties: ["tags.by"] }],
    });
    expect(settled.settled).toMatchObject([{ name: "refused", changes: [{ property: "expiresOn" }] }]);
    await stack.up("--refresh");
    const accepted = await read([], { env: { KEYVAULT_TOKEN: "reader" } });
    expect({ exitCode: accepted.exitCode, drifted: drifted(accepted) }).toEqual({ exitCode: 0, drifted: {} });
  });
});
