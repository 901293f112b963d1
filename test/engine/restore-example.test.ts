import { cp, stat } from "node:fs/promises";
import { join } from "node:path";
import { afterAll, beforeAll, expect, it } from "vitest";
import { startEmulator } from "../../emulator/index.js";
import { ReadmeCommands } from "./readme-commands.js";
import { Stack } from "./stack.js";
import { call, keyClient } from "./vault-by-hand.js";

const EXAMPLE = join(__dirname, "../../examples/backup-and-restore");
const FILES = ["index.ts", "Pulumi.yaml", "tsconfig.json", "package.json"];

const readme = new ReadmeCommands("examples/backup-and-restore/README.md");

let stack: Stack;

/** The example as it is, its two projects on an embedded vault each. */
beforeAll(async () => {
  stack = await Stack.create({ kind: "typescript", program: "" });
  for (const file of [...FILES, ...FILES.map((file) => join("standby", file))]) {
    await cp(join(EXAMPLE, file), join(stack.folder, file));
  }
});
afterAll(() => stack?.remove());

const standby = async (...args: string[]): Promise<string> => {
  const run = await stack.pulumi("-C", "standby", ...args);
  if (run.exitCode !== 0) throw new Error(run.text);
  return run.stdout;
};

it("the first project backs up what it manages and what others put into the vault", async () => {
  const vault = await startEmulator({ store: join(stack.folder, "primary.vault") });
  await call(vault, "POST", "/keys/theirs/create", { kty: "EC" });
  await vault.close();
  await readme.run(stack, "pulumi up");
  const outputs = (await stack.outputs()) as { covered: { keys: object; secrets: object }; escrowFile: string };
  expect(Object.keys(outputs.covered.keys)).toEqual(["orders-signing", "orders-wrapping", "theirs"]);
  expect(Object.keys(outputs.covered.secrets)).toEqual(["orders-database"]);
  expect((await stat(join(stack.folder, outputs.escrowFile))).mode & 0o777).toBe(0o600);
  expect((await stack.drift()).run.exitCode).toBe(0);
});

it("the second restores all of it into another vault, with the same versions and keys", async () => {
  await readme.run(stack, "pulumi up");
  await standby("preview", "--refresh", "--expect-no-changes");
  const [primary, restored] = await Promise.all(
    ["primary.vault", "standby/standby.vault"].map((store) => startEmulator({ store: join(stack.folder, store) })),
  );
  if (!primary || !restored) throw new Error("An embedded vault did not start");
  for (const name of ["orders-signing", "orders-wrapping", "theirs"]) {
    const [before, after] = await Promise.all([keyClient(primary).getKey(name), keyClient(restored).getKey(name)]);
    expect(after.properties.version).toBe(before.properties.version);
    expect({ ...after.key, kid: "" }).toEqual({ ...before.key, kid: "" });
  }
  await Promise.all([primary.close(), restored.close()]);
});

it("a later change of the first project changes nothing in the second", async () => {
  await stack.pulumi("config", "set", "--secret", "databasePassword", "another");
  await stack.up();
  await standby("preview", "--expect-no-changes");
});

it("that is all its README says", () => {
  expect(readme.left).toEqual([]);
});
