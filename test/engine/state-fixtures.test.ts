import { readdirSync } from "node:fs";
import { copyFile, readFile } from "node:fs/promises";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { Stack } from "./stack.js";

const fixtures = join(__dirname, "../state-fixtures");
const releases = readdirSync(fixtures, { withFileTypes: true })
  .filter((entry) => entry.isDirectory())
  .map(({ name }) => name);

/** What an upgrade of the package finds: nothing of it is changed by hand. */
describe.each(releases)("the state of %s", (release) => {
  let stack: Stack;
  let program: string;

  beforeAll(async () => {
    const from = join(fixtures, release);
    program = await readFile(join(from, "program.js"), "utf8");
    stack = await Stack.create({ program });
    await copyFile(join(from, "dev.db"), join(stack.folder, "dev.vault"));
    await copyFile(join(from, "copy.db"), join(stack.folder, "copy.vault"));
    await copyFile(join(from, "signing.pem"), join(stack.folder, "signing.pem"));
    const state = (await readFile(join(from, "state.json"), "utf8"))
      .replaceAll("urn:pulumi:dev::fixtures::", "urn:pulumi:dev::test::")
      .replaceAll("fixtures-dev", "test-dev");
    await stack.file("state.json", state);
    const imported = await stack.pulumi("stack", "import", "--file", "state.json");
    expect(imported.exitCode, imported.text).toBe(0);
  });
  afterAll(() => stack?.remove());

  it("is clean in a preview and after a refresh: an upgrade alone changes nothing", async () => {
    expect((await stack.preview()).steps).toEqual([]);
    const { run, properties } = await stack.drift();
    expect(properties).toEqual({});
    expect(run.exitCode, run.text).toBe(0);
  });

  it("is refreshed for good without a change", async () => {
    const refreshed = await stack.pulumi("refresh", "--yes", "--skip-preview", "--expect-no-changes");
    expect(refreshed.exitCode, refreshed.text).toBe(0);
  });

  it("is updated in place, with the mark of its owner, and without a new version", async () => {
    const { version } = await stack.outputs();
    await stack.program(program.replace('tags: { team: "orders" }', 'tags: { team: "payments" }'));
    const { steps } = await stack.preview();
    expect(steps.find(({ urn }) => urn.endsWith("Key::signing"))?.op).toBe("update");
    await stack.up();
    expect((await stack.outputs()).version).toBe(version);
    const { outputs } = await stack.resource("signing", "Key");
    expect(outputs?.ownerToken).toMatch(/^[\w-]{16}$/);
    // A backup of "*" does not know of the change before it looks at the vault.
    await stack.up("--refresh");
    expect((await stack.drift()).properties).toEqual({});
  });

  it("is destroyed, and each key goes as its onDelete says", async () => {
    await stack.destroy();
    expect((await stack.resources()) ?? []).toEqual([]);
  });
});
