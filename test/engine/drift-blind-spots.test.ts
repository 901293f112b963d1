import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { type Emulator, startEmulator } from "../../emulator/index.js";
import { runCommand } from "../cli/command-line.js";
import { DOORS, Stack } from "./stack.js";
import { call, settingsFor } from "./vault-by-hand.js";

const SECRET = "hunter2-very-secret";

/** Programs in which the engine's preview tells of a resource in another way than of most. */
describe.each(DOORS)("a drift report (%s)", (door) => {
  let vault: Emulator;
  let stack: Stack;
  beforeEach(async () => {
    vault = await startEmulator({ timing: "instant" });
    const { config, env } = settingsFor(vault);
    stack = await Stack.create({ door, program: "", config, env });
  });
  afterEach(async () => {
    await stack?.remove();
    await vault?.close();
  });

  const deployed = async (program: string) => {
    await stack.program(program);
    await stack.up();
  };
  const touch = (name: string) => call(vault, "PATCH", `/keys/${name}`, { tags: { team: "other" } });
  const drift = async (...args: string[]) => {
    const run = await runCommand(["drift", "--format", "json", ...args], { cwd: stack.folder, env: stack.env });
    expect(run.stdout + run.stderr).not.toContain(SECRET);
    const { drifted, pending, unread } = JSON.parse(run.stdout);
    const properties = drifted.flatMap(({ changes }: { changes: { property: string }[] }) =>
      changes.map(({ property }) => property),
    );
    return { exitCode: run.exitCode, properties, pending, unread };
  };

  it("tells of a key that the program renames by an alias", async () => {
    await deployed('new keyvault.Key("one", { name: "a", generate: { keyType: "EC" } });');
    await touch("a");
    await stack.program(
      'new keyvault.Key("two", { name: "a", generate: { keyType: "EC" } }, { aliases: [{ name: "one" }] });',
    );
    expect(await drift()).toMatchObject({ exitCode: 7, properties: ["tags.team"], pending: [] });
  });

  it("tells of a set that the program renames by an alias, and of its key that could not be read", async () => {
    const set = (name: string, options = "{}") =>
      `new keyvault.KeySet("${name}", { generate: { keyType: "EC" }, keys: { a: {}, b: {} } }, ${options});`;
    await deployed(set("one"));
    await touch("a");
    await touch("b");
    vault.faults.add({ kind: "status", status: 403, code: "Forbidden", operation: "getKey", name: "b" });
    await stack.program(set("two", '{ aliases: [{ name: "one" }] }'));
    expect(await drift()).toMatchObject({
      exitCode: 8,
      properties: ["keys.a.tags.team"],
      unread: [{ object: { name: "b" }, reason: expect.stringMatching(/^KV_FORBIDDEN: getKey "b"/) }],
    });
  });

  it("tells once of a key of a set that somebody has replaced, after a plain refresh too", async () => {
    await deployed('new keyvault.KeySet("all", { generate: { keyType: "EC" }, keys: { a: {}, b: {} } });');
    await call(vault, "POST", "/keys/b/create", { kty: "EC", crv: "P-256" });
    await stack.pulumi("refresh", "--yes", "--skip-preview");
    const { exitCode, properties, pending } = await drift();
    expect({ exitCode, pending }).toEqual({ exitCode: 7, pending: [] });
    expect(properties).toContain("keys.b.version");
  });

  it("tells of a key that leaves a set, and of which the set says nothing of its own", async () => {
    const set = (keys: string) => `new keyvault.KeySet("all", { generate: { keyType: "EC" }, keys: ${keys} });`;
    await deployed(set("{ a: {}, b: {} }"));
    await stack.program(set("{ a: {}, c: {} }"));
    expect(await drift("--fail-on-pending")).toMatchObject({
      exitCode: 7,
      properties: [],
      pending: [{ operation: "update", properties: ["keys.b", "keys.c"] }],
    });
  });

  // The dynamic provider refuses such a set.
  if (door === "dynamic") return;
  it("tells of a set whose keys the engine hides for a secret among its settings", async () => {
    await deployed(
      `new keyvault.KeySet("all", { generate: { keyType: "EC" }, tags: { t: pulumi.secret("${SECRET}") }, keys: { a: {}, b: {} } });`,
    );
    expect(await drift()).toMatchObject({ exitCode: 0, properties: [], pending: [], unread: [] });
    await touch("a");
    await touch("b");
    expect(await drift()).toMatchObject({ exitCode: 7, properties: ["keys.a.tags", "keys.b.tags"], pending: [] });
    vault.faults.add({ kind: "status", status: 403, code: "Forbidden", operation: "getKey", name: "b" });
    expect(await drift()).toMatchObject({
      exitCode: 8,
      properties: ["keys.a.tags"],
      unread: [{ object: { name: "b" }, reason: expect.stringMatching(/key "b": KV_FORBIDDEN/) }],
    });
    vault.faults.clear();
    await stack.program('throw new Error("the program lacks what it needs");');
    expect(await drift()).toMatchObject({ exitCode: 7, properties: ["keys.a.tags", "keys.b.tags"] });
  });
});
