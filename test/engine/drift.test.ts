import { createHash } from "node:crypto";
import { mkdir, readdir, readFile, rm, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { z } from "zod";
import { type Emulator, startEmulator } from "../../emulator/index.js";
import { type CommandRun, runCommand } from "../cli/command-line.js";
import { vaultCaller } from "../cli/vault-caller.js";
import { keyPem } from "./key-pem.js";
import { Stack } from "./stack.js";

const reported = z.object({
  drift: z.boolean(),
  drifted: z.array(
    z.object({
      type: z.string(),
      name: z.string(),
      changes: z.array(
        z.object({
          property: z.string(),
          recorded: z.string().optional(),
          observed: z.string().optional(),
          consequence: z.string(),
        }),
      ),
    }),
  ),
  pending: z.array(z.object({ operation: z.string(), name: z.string(), properties: z.array(z.string()) })),
  notes: z.array(z.string()),
});

const SECRET = "hunter2-very-secret";

/** A vault where a pipeline may only read, as a drift pipeline should. */
describe("pulumi-keyvault drift on the real engine", () => {
  let vault: Emulator;
  let stack: Stack;

  const program = (extra = "", tags = '{ team: "orders" }'): string => `
    const signing = new keyvault.Key("signing", { name: "orders", import: { file: "signing.pem" }, tags: ${tags}, ${extra} });
    new keyvault.Key("tls", { name: "tls", generate: { keyType: "EC" } });
    new keyvault.Secret("db", { name: "db", value: "${SECRET}" });`;

  const drift = (args: string[] = [], env: Record<string, string> = {}): Promise<CommandRun> =>
    runCommand(["drift", ...args], { cwd: stack.folder, env: { ...stack.env, KEYVAULT_TOKEN: "reader", ...env } });

  const report = async (run: Promise<CommandRun>) => {
    const { stdout, stderr, exitCode } = await run;
    expect(stderr).toBe("");
    return { exitCode, ...reported.parse(JSON.parse(stdout)) };
  };

  const change = (method: string, path: string, body?: unknown) => vaultCaller(vault)(method, path, body);

  beforeAll(async () => {
    vault = await startEmulator({
      vaults: [
        {
          name: "emulator",
          permissions: {
            principals: {
              "emulator-owner": { keys: ["*"], secrets: ["*"] },
              reader: { keys: ["get", "list"], secrets: ["get", "list"] },
              lister: { keys: ["list"], secrets: [] },
            },
          },
        },
      ],
    });
    stack = await Stack.create({
      program: program(),
      config: { "keyvault:vaultUrl": vault.url, "keyvault:credential": "token" },
      env: { KEYVAULT_TOKEN: vault.token },
    });
    await stack.file("signing.pem", keyPem());
    await stack.up();
    // From here on, nobody has the private key.
    await rm(join(stack.folder, "signing.pem"));
  });

  afterAll(async () => {
    await stack?.remove();
    await vault?.close();
  });

  it("is clean with exit code 0, without the private key and with permission to read alone", async () => {
    const before = await stateDigest();
    const run = await drift([], { PULUMI_SKIP_CONFIRMATIONS: "true" });
    expect(run).toEqual({ exitCode: 0, stderr: "", stdout: "No drift: 3 resources compared with the cloud.\n" });
    expect(await stateDigest()).toBe(before);
  });

  it("takes no lock: it works while another run holds one", async () => {
    const locks = join(stack.folder, "state/.pulumi/locks/organization/test/dev");
    await mkdir(locks, { recursive: true });
    await writeFile(join(locks, "held.json"), '{ "pid": 1, "username": "other", "hostname": "elsewhere" }');
    expect((await stack.tryUp()).text).toContain("locked");
    expect((await drift()).exitCode).toBe(0);
    expect(await readdir(locks)).toEqual(["held.json"]);
    await rm(locks, { recursive: true });
  });

  it("reports changes of the program as pending, which are no drift", async () => {
    await stack.program(program('onDelete: "retain",', '{ team: "payments" }'));
    const { exitCode, drifted, pending } = await report(drift(["--format", "json"]));
    expect(exitCode).toBe(0);
    expect(drifted).toEqual([]);
    expect(pending).toEqual([{ operation: "update", name: "signing", properties: ["onDelete", "tags.team"] }]);
    expect((await drift(["--fail-on-pending"])).exitCode).toBe(7);
    await stack.program(program());
  });

  it("names what left the state with exit code 7: recorded and observed value, and what comes of it", async () => {
    const before = await stateDigest();
    await change("PATCH", "/keys/orders", {
      tags: { team: "orders", added: "outside" },
      attributes: { enabled: false },
    });
    await change("POST", "/keys/tls/create", { kty: "EC" });
    await change("PUT", "/secrets/db", { value: "another-secret" });
    vault.requests.clear();
    const { exitCode, drifted, pending } = await report(drift(["--format", "json"]));
    expect(exitCode).toBe(7);
    expect(pending).toEqual([]);
    expect(drifted.map(({ type, name, changes }) => [type, name, changes.map(({ property }) => property)])).toEqual([
      ["Key", "signing", ["enabled", "tags.added"]],
      ["Key", "tls", ["version"]],
      ["Secret", "db", ["value"]],
    ]);
    expect(drifted[0]?.changes).toEqual([
      { property: "enabled", observed: "false", consequence: "patches it back" },
      { property: "tags.added", observed: "outside", consequence: "patches the tags back" },
    ]);
    expect(drifted[2]?.changes).toMatchObject([{ recorded: "(secret)", observed: "(secret, changed)" }]);
    expect(JSON.stringify(drifted)).not.toMatch(/hunter2|another-secret|scrypt|__/);
    expect(vault.requests.log.filter(({ method }) => method !== "GET")).toEqual([]);
    expect(await stateDigest()).toBe(before);
  });

  it("tells drift and pending changes of one resource apart", async () => {
    await stack.program(program('onDelete: "retain",'));
    const { drifted, pending } = await report(drift(["--format", "json"]));
    expect(drifted[0]?.changes.map(({ property }) => property)).toEqual(["enabled", "tags.added"]);
    expect(pending).toEqual([{ operation: "update", name: "signing", properties: ["onDelete"] }]);
    await stack.program(program());
  });

  it("sets apart what the program ignores or agrees with, as the next up does nothing about it", async () => {
    const ignoring = program().replace(/ \}\);/, ' }, { ignoreChanges: ["tags", "enabled"] });');
    await stack.program(ignoring);
    const run = await drift(["--", "--target", "urn:pulumi:dev::test::pulumi-nodejs:dynamic/keyvault:Key::signing"]);
    await stack.program(program());
    expect(run.exitCode, run.stdout).toBe(0);
    expect(run.stdout).toContain("with nothing to do: the program agrees or ignores it");
    expect(run.stdout).toMatch(/tags\.added +\(none\) +outside/);
  });

  it("passes on what stands after --", async () => {
    const urn = "urn:pulumi:dev::test::pulumi-nodejs:dynamic/keyvault:Key::tls";
    const { drifted } = await report(drift(["--format", "json", "--", "--stack", "dev", "--target", urn]));
    expect(drifted.map(({ name }) => name)).toEqual(["tls"]);
  });

  it("reads the same from the engine's JSON, from a file or from standard input", async () => {
    const preview = await stack.pulumi("preview", "--refresh", "--show-sames", "--json");
    const file = await stack.file("preview.json", preview.stdout);
    const direct = await drift();
    expect(await runCommand(["drift", "--from", file])).toEqual(direct);
    expect(await runCommand(["drift", "--from", "-"], { input: preview.stdout })).toEqual(direct);
  });

  it("writes the job summary of GitHub Actions beside its annotations", async () => {
    const summary = join(stack.folder, "summary.md");
    const run = await drift(["--format", "github"], { GITHUB_STEP_SUMMARY: summary });
    expect(run.exitCode).toBe(7);
    expect(run.stdout.match(/^::warning title=Drift of /gm)).toHaveLength(4);
    expect(await readFile(summary, "utf8")).toContain("| `tags.added` | *none* | `outside` |");
  });

  it("tells a swapped key by its thumbprints", async () => {
    await stack.program(program());
    await stack.file("signing.pem", keyPem());
    const swapped = await stack.pulumi("preview", "--json");
    expect(swapped.exitCode).toBe(0);
    await rm(join(stack.folder, "signing.pem"));
    await change("POST", "/keys/orders/create", { kty: "RSA" });
    const { drifted } = await report(drift(["--format", "json"]));
    const thumbprint = drifted[0]?.changes.find(({ property }) => property === "thumbprint");
    expect(thumbprint).toMatchObject({
      recorded: expect.stringMatching(/^[\w-]{43}$/),
      observed: expect.stringMatching(/^[\w-]{43}$/),
      consequence: "imports a new version from the program's material, which has to be at hand",
    });
  });

  it("tells a deleted key even where the program cannot be previewed without its material", async () => {
    await change("DELETE", "/keys/orders");
    const { exitCode, drifted, notes } = await report(drift(["--format", "json"]));
    expect(exitCode).toBe(7);
    expect(drifted.find(({ name }) => name === "signing")?.changes).toMatchObject([
      { property: "", observed: expect.stringMatching(/^soft-deleted on \S+Z, recoverable until \S+Z$/) },
    ]);
    expect(notes.join()).toContain("KV_INVALID_KEY_MATERIAL");
  });

  it("reports several stacks in one, and names one that cannot be previewed", async () => {
    await stack.pulumi("stack", "init", "other");
    await stack.pulumi("stack", "select", "dev");
    for (const [name, value] of [
      ["keyvault:vaultUrl", vault.url],
      ["keyvault:credential", "token"],
    ] as const) {
      await stack.pulumi("config", "set", "--stack", "other", name, value);
    }
    await stack.program(`new keyvault.Key("tls", { name: "tls", generate: { keyType: "EC" } });`);
    try {
      const run = await drift(["--stack", "dev", "other", "none", "--format", "json"]);
      const told = JSON.parse(run.stdout);
      expect(run).toMatchObject({ exitCode: 8, stderr: "" });
      expect(told.drifted.map(({ stack: of, name }: { stack: string; name: string }) => `${of} ${name}`)).toContain(
        "dev signing",
      );
      expect(told.pending).toContainEqual(
        expect.objectContaining({ stack: "other", operation: "create", name: "tls" }),
      );
      expect(told.failedStacks).toMatchObject([
        { stack: "none", reason: expect.stringMatching(/^KV_PREVIEW_FAILED: .*no stack named 'none' found/) },
      ]);
      const shown = await drift(["--stack", "dev", "other"]);
      expect(shown).toMatchObject({ exitCode: 7, stdout: expect.stringContaining("dev: Key signing") });
      expect((await drift(["--stack", "none", "nowhere"])).exitCode).toBe(6);
    } finally {
      await stack.program(program());
    }
  });

  it("names what cannot be read, reports the rest, and ends with 8", async () => {
    vault.faults.add({ kind: "html", operation: "getKey", name: "tls" });
    try {
      const run = await drift(["--format", "json"]);
      expect(run.exitCode, run.stdout).toBe(8);
      const { complete, counts, unread } = JSON.parse(run.stdout);
      expect([complete, counts.compared]).toEqual([false, 2]);
      expect(unread).toMatchObject([{ name: "tls", reason: expect.stringMatching(/^KV_PROTOCOL: getKey "tls"/) }]);
      const shown = await drift();
      expect(shown).toMatchObject({ exitCode: 8, stderr: "" });
      expect(shown.stdout.replace(/\s+/g, " ")).toContain("Incomplete: 1 object could not be read.");
    } finally {
      vault.faults.clear();
    }
  });

  it("names the permission that is missing, and is no drift", async () => {
    const run = await drift([], { KEYVAULT_TOKEN: "lister" });
    expect(run.exitCode).toBe(1);
    expect(run.stdout).toBe("");
    expect(run.stderr).toMatch(/^pulumi-keyvault drift: KV_PREVIEW_FAILED: /);
    expect(run.stderr).toMatch(/Missing permission: .*keys\/get/);
    expect(run.stderr).not.toMatch(/\n\s+at /);
  });

  it("tells a failed authentication, and is no drift", async () => {
    const run = await drift([], { KEYVAULT_TOKEN: "" });
    expect(run).toMatchObject({ exitCode: 1, stdout: "" });
    expect(run.stderr).toMatch(/KV_UNAUTHENTICATED: .*KEYVAULT_TOKEN.* is not set/);
  });

  it("ends with the engine's own code where there is no such stack", async () => {
    const run = await drift(["--", "--stack", "no-such-stack"]);
    expect(run.exitCode).toBe(6);
    expect(run.stderr).toContain("no stack named 'no-such-stack' found");
  });

  it("tells a program that fails by its message, without its stack", async () => {
    const other = await Stack.create({ program: 'throw new Error("the program is broken");' });
    const run = await runCommand(["drift"], { cwd: other.folder, env: other.env });
    await other.remove();
    expect(run.exitCode).toBe(1);
    expect(run.stderr).toContain("the program is broken");
    expect(run.stderr).not.toMatch(/\n\s+at /);
  });

  it.each([
    [
      "a preview that failed",
      async () => (await stack.pulumi("preview", "--refresh", "--json", "--stack", "x")).stderr,
      "KV_NOT_A_PREVIEW",
    ],
    [
      "half a preview",
      async () => (await stack.pulumi("preview", "--refresh", "--json")).stdout.slice(0, 900),
      "KV_NOT_A_PREVIEW",
    ],
    ["a preview without refresh", async () => (await stack.pulumi("preview", "--json")).stdout, "KV_NOT_A_PREVIEW"],
  ])("refuses %s on standard input, with another code than 7", async (_what, text, code) => {
    const run = await runCommand(["drift", "--from", "-"], { input: await text() });
    expect(run.exitCode).toBe(1);
    expect(run.stderr).toContain(`pulumi-keyvault drift: ${code}`);
  });

  it("says what to do where there is no engine", async () => {
    const run = await drift([], { PATH: "/nonexistent" });
    expect(run).toMatchObject({
      exitCode: 1,
      stderr: expect.stringContaining("KV_ENGINE_NOT_FOUND: pulumi cannot be run (ENOENT)"),
    });
  });

  async function stateDigest(): Promise<string> {
    const file = join(stack.folder, "state/.pulumi/stacks/test/dev.json");
    return createHash("sha256")
      .update(await readFile(file))
      .digest("hex");
  }
});
