import { cp } from "node:fs/promises";
import { join } from "node:path";
import { afterAll, beforeAll, expect, it } from "vitest";
import { startEmulator } from "../../emulator/index.js";
import { runCommand } from "../cli/command-line.js";
import { vaultCaller } from "../cli/vault-caller.js";
import { Stack } from "./stack.js";

const EXAMPLE = join(__dirname, "../../examples/inventory");

let stack: Stack;

/** The example as it is, on its own embedded vault. */
beforeAll(async () => {
  stack = await Stack.create({ kind: "typescript", program: "" });
  for (const file of ["index.ts", "Pulumi.yaml", "tsconfig.json"]) {
    await cp(join(EXAMPLE, file), join(stack.folder, file));
  }
  await stack.pulumi("stack", "init", "dev");
});
afterAll(() => stack?.remove());

/** A key of somebody else, in the embedded vault that the stack uses. */
async function makeOutside(name: string, tags: Record<string, string>): Promise<void> {
  const vault = await startEmulator({ store: join(stack.folder, "inventory.vault") });
  await vaultCaller(vault)("POST", `/keys/${name}/create`, { kty: "EC", tags });
  await vault.close();
}

it("the example lists its vault in a preview and in an update", async () => {
  await makeOutside("ledger", { team: "finance" });
  const preview = await stack.pulumi("preview");
  expect(preview.exitCode).toBe(0);
  expect(preview.text).toMatch(/teams\s*: \{\s*finance: 1/);
  await stack.up();
  expect(await stack.outputs()).toEqual({
    count: 2,
    unmanaged: ["ledger"],
    missing: [],
    softDeleted: [],
    expiring: [],
    teams: { finance: 1 },
  });
  expect((await stack.drift()).run.exitCode).toBe(0);
});

it("it tells a key of somebody else as drift, and with failOnUnmanaged lets no update pass", async () => {
  await makeOutside("rogue", {});
  const { run, properties } = await stack.drift();
  expect(run.exitCode).toBe(7);
  expect(properties).toEqual({ "KeyInventory vault": ["drift.rogue"] });

  await stack.pulumi("config", "set", "failOnUnmanaged", "true");
  expect((await stack.tryUp()).text).toMatch(/KV_UNMANAGED: .*: ledger, rogue/);
  await stack.pulumi("config", "set", "--path", "expectedKeys[0]", "ledger");
  await stack.pulumi("config", "set", "--path", "expectedKeys[1]", "rogue");
  await stack.up();
  expect(await stack.outputs()).toMatchObject({ unmanaged: [], teams: { finance: 1, nobody: 1, orders: 1 } });
});

it("the inventory command tells which keys the stack does not manage", async () => {
  const { exitCode, stdout } = await runCommand(
    ["inventory", "--vault", "embedded:./inventory.vault", "--stack", "dev", "--format", "json"],
    { cwd: stack.folder, env: stack.env },
  );
  expect(exitCode).toBe(0);
  const keys: { name: string; inStack: boolean }[] = JSON.parse(stdout).keys;
  expect(keys.map(({ name, inStack }) => [name, inStack])).toEqual([
    ["ledger", false],
    ["orders-signing", true],
    ["rogue", false],
  ]);
});
