import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { type Emulator, startEmulator } from "../../emulator/index.js";
import { unpackRecords } from "../../provider/key-set/packed-records.js";
import { decryptedState, stateFiles } from "./decrypted-state.js";
import { Stack } from "./stack.js";
import { call, settingsFor } from "./vault-by-hand.js";

const CANARY = "hunter2-very-secret";

const program = (settings: string, tagsOfA: string): string => `
  const secret = pulumi.secret("${CANARY}");
  const other = new keyvault.Key("other", { name: "other", generate: { keyType: "EC" } });
  new keyvault.KeySet("fleet", {
    ${settings}
    keys: { a: { generate: { keyType: "EC" }, ${tagsOfA} }, b: { generate: { keyType: "EC" } } },
  });`;

/** What lies open in the files of state, and in each text of a set's keys in them. */
function inTheClear(stack: Stack): string {
  return stateFiles(stack)
    .flatMap((text) => [
      text,
      ...[...text.matchAll(/"(keys:[\w-]+)"/g)].map(([, records]) => JSON.stringify([...unpackRecords(records)])),
    ])
    .join("\n");
}

describe("a secret among the settings of a set of keys, on the real engine", () => {
  let vault: Emulator;
  let stack: Stack | undefined;
  beforeAll(async () => {
    vault = await startEmulator({ timing: "instant" });
  });
  afterAll(() => vault.close());

  it("is refused in the preview of a TypeScript program, with what to do, and without the secret", async () => {
    stack = await Stack.create({ ...settingsFor(vault), program: program("tags: { t: secret },", "") });
    const ofSet = await stack.pulumi("preview");
    expect(ofSet.exitCode).not.toBe(0);
    expect(ofSet.text).toContain('KeySet "fleet" is refused: `tags` holds a secret');
    await stack.program(program("", "tags: { t: pulumi.secret(other.version) }"));
    const ofKey = await stack.pulumi("preview");
    expect(ofKey.exitCode).not.toBe(0);
    expect(ofKey.text).toContain('KeySet "fleet" is refused: `tags` of key "a" holds a secret');
    expect(ofSet.text + ofKey.text).not.toContain(CANARY);
    await stack.remove();
  });

  it("is encrypted by the plugin: after a create, a refresh that found drift, and the update that ends it", async () => {
    stack = await Stack.create({
      ...settingsFor(vault),
      door: "plugin",
      program: program("tags: { t: secret },", "tags: { u: secret }"),
    });
    await stack.up();
    await stack.up("--expect-no-changes");
    const { tags } = (await call(vault, "GET", "/keys/b")) as { tags: Record<string, string> };
    await call(vault, "PATCH", "/keys/b", { tags: { ...tags, found: "outside" } });
    const { run, properties } = await stack.drift();
    expect(run.exitCode).toBe(7);
    expect(properties["KeySet fleet"]?.join()).toMatch(/b.*tags/);
    expect(run.text).not.toContain(CANARY);
    await stack.pulumi("refresh", "--yes", "--skip-preview");
    await stack.up();
    expect(decryptedState(stack)).toContain(CANARY);
    expect(inTheClear(stack)).not.toContain(CANARY);
    await stack.destroy();
    await stack.remove();
  });
});
