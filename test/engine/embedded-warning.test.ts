import { afterAll, expect, it } from "vitest";
import { type Door, Stack } from "./stack.js";

/** Two vaults, a program that asks one of them itself, and a provider: four processes of an `up` with its preview. */
const PROGRAM = `
new keyvault.Key("one", { generate: { keyType: "EC" } });
new keyvault.Key("two", { generate: { keyType: "EC" }, vaultUrl: "embedded:./other.vault" });
exports.found = pulumi.output(keyvault.getKey({ name: "two", vaultUrl: "embedded:./other.vault" }).then(() => true, () => false));
`;

const stacks: Stack[] = [];
afterAll(async () => {
  for (const stack of stacks) await stack.remove();
});

it.each<[Door, string[][]]>([
  [
    "dynamic",
    [
      ["up", "--yes"],
      ["up", "--yes", "--refresh"],
    ],
  ],
  ["plugin", [["up", "--yes"]]],
])("what an embedded vault is told of stands once in a run: %s", async (door, runs) => {
  const stack = await Stack.create({ program: PROGRAM, door, config: { "keyvault:vaultUrl": "embedded:./dev.vault" } });
  stacks.push(stack);
  for (const args of runs) {
    const { exitCode, text } = await stack.pulumi(...args);
    expect(exitCode, text).toBe(0);
    // Of the engine's lists of messages; its lines of progress repeat the last one.
    expect(text.match(/^ {4}embedded:\S+ is an embedded vault, for development/gm)).toHaveLength(1);
    expect((text.match(/^ {4}embedded:\S+: there is no embedded vault/gm) ?? []).length).toBeLessThanOrEqual(1);
  }
});
