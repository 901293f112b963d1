import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { type Emulator, startEmulator } from "../../emulator/index.js";
import { runCommand } from "../cli/command-line.js";
import { DOORS, Stack } from "./stack.js";
import { call, requestCounts, settingsFor } from "./vault-by-hand.js";

const PROGRAM = `
new keyvault.KeySet("devices", {
  generate: { keyType: "EC" },
  keys: { a: {}, b: {}, c: {}, d: {} },
  tags: { fleet: "devices" },
});`;

interface Told {
  unread: { name: string; object: { name: string }; reason: string }[];
  drifted: { changes: { property: string }[] }[];
  pending: unknown[];
  notes: string[];
}

describe.each(DOORS)("a key of a set that the vault does not show (%s)", (door) => {
  let vault: Emulator;
  let stack: Stack;
  beforeEach(async () => {
    vault = await startEmulator({ timing: "instant" });
    const { config, env } = settingsFor(vault);
    stack = await Stack.create({ door, program: PROGRAM, config, env });
    await stack.up();
    for (const name of ["a", "b"]) await change(name, { team: "other" });
    refuse();
  });
  afterEach(async () => {
    await stack?.remove();
    await vault?.close();
  });

  const change = (name: string, tags: Record<string, string>) => call(vault, "PATCH", `/keys/${name}`, { tags });
  const refuse = () =>
    vault.faults.add({ kind: "status", status: 403, code: "Forbidden", operation: "getKey", name: "b" });
  const tagsOf = async (name: string) => ((await call(vault, "GET", `/keys/${name}`)) as { tags: object }).tags;
  const drift = (...args: string[]) => runCommand(["drift", ...args], { cwd: stack.folder, env: stack.env });

  const told = async (): Promise<Told> => {
    const run = await drift("--format", "json");
    expect(run, run.stdout + run.stderr).toMatchObject({ exitCode: 8, stderr: "" });
    return JSON.parse(run.stdout);
  };

  it("is named in a drift report, which tells of the others", async () => {
    const { unread, drifted, pending, notes } = await told();
    expect(unread).toMatchObject([
      { name: "devices", object: { name: "b" }, reason: expect.stringMatching(/^KV_FORBIDDEN: getKey "b"/) },
    ]);
    expect(drifted.flatMap(({ changes }) => changes.map(({ property }) => property).sort())).toEqual([
      "keys.a.tags.fleet",
      "keys.a.tags.team",
    ]);
    expect({ pending, notes }).toEqual({ pending: [], notes: [] });
    const shown = await drift();
    expect(shown.stdout.replace(/\s+/g, " ")).toContain("Incomplete: 1 object could not be read.");
  });

  it("stays in state as it was, is no clean stack, and is looked at again", async () => {
    expect((await stack.pulumi("refresh", "--preview-only", "--expect-no-changes")).exitCode).not.toBe(0);
    const refreshed = await stack.pulumi("refresh", "--yes", "--skip-preview");
    expect(refreshed.text).toMatch(/key "b": KV_FORBIDDEN: getKey "b"/);
    expect(refreshed.exitCode).toBe(0);
    expect((await stack.preview("--expect-no-changes")).run.exitCode).not.toBe(0);
    expect((await told()).unread).toMatchObject([{ object: { name: "b" } }]);

    const failed = await stack.tryUp();
    expect(failed.exitCode).not.toBe(0);
    expect(failed.text).toMatch(/1 key of the set in .* is not as the program says[\s\S]*key "b": KV_FORBIDDEN/);
    vault.faults.clear();
    expect(await tagsOf("a")).toMatchObject({ fleet: "devices" });
    expect(await tagsOf("b")).toMatchObject({ team: "other" });

    vault.requests.clear();
    await stack.up();
    expect(requestCounts(vault)).toMatchObject({ getKey: 1, updateKey: 1 });
    expect(await tagsOf("b")).toMatchObject({ fleet: "devices" });
    await stack.up("--expect-no-changes");
    expect((await stack.drift()).run.exitCode).toBe(0);
  });
});
