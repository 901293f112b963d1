import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { type Emulator, startEmulator } from "../../emulator/index.js";
import { ecKey } from "./demo-keys.js";
import { DOORS, Stack } from "./stack.js";
import { settingsFor } from "./vault-by-hand.js";

const customTimeouts = (seconds: number) => `{ create: "${seconds}s", update: "${seconds}s", delete: "${seconds}s" }`;
const transform = (seconds: number) =>
  `({ props, opts }) => ({ props, opts: { ...opts, customTimeouts: ${customTimeouts(seconds)} } })`;
const key = (name: string, opts = "{}") =>
  `new keyvault.Key("${name}", { name: "${name}", import: { file: "signing.pem" }, ...changed }, ${opts});`;

const ways: [title: string, name: string, seconds: number, program: string][] = [
  ["the key's own option", "own", 2, key("own", `{ customTimeouts: ${customTimeouts(2)} }`)],
  ["a transform of the key", "transformed", 3, key("transformed", `{ transforms: [${transform(3)}] }`)],
  ["a transformation of the key", "legacy", 4, key("legacy", `{ transformations: [${transform(4)}] }`)],
  [
    "a transform of the component above it",
    "child",
    5,
    `class Group extends pulumi.ComponentResource {}
     const parent = new Group("test:index:Group", "group", {}, { transforms: [
       (args) => args.name === "child" ? (${transform(5)})(args) : undefined ] });
     ${key("child", "{ parent }")}`,
  ],
  [
    "a transformation of the whole stack",
    "stack-legacy",
    7,
    `pulumi.runtime.registerStackTransformation((args) => args.name === "stack-legacy" ? (${transform(7)})(args) : undefined);
     ${key("stack-legacy")}`,
  ],
];

describe.each(DOORS)("customTimeouts on the real engine (%s)", (door) => {
  let vault: Emulator;
  let stack: Stack;
  let created: string;
  let updated: string;
  let deleted: string;
  const program = (changed: string) =>
    `const changed = ${changed};\n${ways.map(([, , , text]) => `{ ${text} }`).join("\n")}`;
  const busy = (...operations: string[]) => {
    vault.faults.clear();
    for (const operation of operations) vault.faults.add({ kind: "conflict", operation });
  };

  beforeAll(async () => {
    vault = await startEmulator();
    stack = await Stack.create({ door, program: program("{}"), ...settingsFor(vault) });
    await stack.file("signing.pem", ecKey().pkcs8);
    busy("importKey");
    created = (await stack.tryUp("--continue-on-error")).text;
    busy();
    await stack.up();
    busy("updateKey");
    await stack.program(program('{ tags: { a: "1" } }'));
    updated = (await stack.tryUp("--continue-on-error")).text;
    busy("deleteKey");
    // A process learns of them with its first call: the one that deletes also reads.
    deleted = (await stack.pulumi("destroy", "--yes", "--skip-preview", "--refresh", "--continue-on-error")).text;
  }, 600_000);
  afterAll(async () => {
    await stack?.remove();
    await vault?.close();
  });

  it.each(ways)("from %s limit what a key waits for", (_title, name) => {
    const waited = new RegExp(`KV_TIMEOUT: waited \\d s for key \\\\?"${name}\\\\?"`);
    for (const text of [created, updated, deleted]) expect(text).toMatch(waited);
  });
});
