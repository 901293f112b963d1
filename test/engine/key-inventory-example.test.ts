import { cp } from "node:fs/promises";
import { join } from "node:path";
import { afterAll, beforeAll, expect, it } from "vitest";
import { startEmulator } from "../../emulator/index.js";
import { runCommand } from "../cli/command-line.js";
import { vaultCaller } from "../cli/vault-caller.js";
import { ReadmeCommands } from "./readme-commands.js";
import { Stack } from "./stack.js";

const EXAMPLE = join(__dirname, "../../examples/inventory");

const readme = new ReadmeCommands("examples/inventory/README.md");

let stack: Stack;

/** The example as it is, on its own embedded vault. */
beforeAll(async () => {
  stack = await Stack.create({ kind: "typescript", program: "" });
  for (const file of ["index.ts", "Pulumi.yaml", "tsconfig.json"]) {
    await cp(join(EXAMPLE, file), join(stack.folder, file));
  }
});
afterAll(() => stack?.remove());

/** A key of somebody else, in the embedded vault that the stack uses. */
async function makeOutside(name: string, tags: Record<string, string>): Promise<void> {
  const vault = await startEmulator({ store: join(stack.folder, "inventory.vault") });
  await vaultCaller(vault)("POST", `/keys/${name}/create`, { kty: "EC", tags });
  await vault.close();
}

it("the README's commands end with a key that is missing, and with no failure", async () => {
  expect((await readme.run(stack, "pulumi stack output unmanaged")).stdout).toMatch(/\[\]\s*$/);
  expect((await readme.run(stack, "pulumi stack output missing")).stdout).toMatch(/\["tls"\]\s*$/);
  expect(readme.left).toEqual([]);
  expect(await stack.outputs()).toEqual({
    count: 1,
    unmanaged: [],
    missing: ["tls"],
    softDeleted: [],
    expiring: [],
    teams: { orders: 1 },
  });
});

it("it tells keys of others as drift and in a preview, and with failOnUnmanaged lets no update pass", async () => {
  await makeOutside("ledger", { team: "finance" });
  await makeOutside("rogue", {});
  const { run, properties } = await stack.drift();
  expect(run.exitCode).toBe(7);
  expect(properties).toEqual({ "KeyInventory vault": ["drift.ledger", "drift.rogue"] });

  const refused = await stack.tryUp("--refresh");
  expect(refused.exitCode).not.toBe(0);
  expect(refused.text).toMatch(/KV_UNMANAGED: .*: ledger, rogue/);
  await stack.pulumi("config", "set", "--path", "expectedKeys[0]", "ledger");
  await stack.pulumi("config", "set", "--path", "expectedKeys[1]", "rogue");
  const { text } = await stack.up();
  expect(text).toMatch(/teams\s*: \{\s*[~+ ]*finance/);
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
