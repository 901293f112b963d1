import { generateKeyPairSync } from "node:crypto";
import { cp, mkdir, mkdtemp, rm, writeFile } from "node:fs/promises";
import { join, resolve } from "node:path";
import { afterAll, beforeAll, expect, it } from "vitest";
import { readPage } from "../docs/page.js";
import { ReadmeCommands } from "./readme-commands.js";
import { Stack } from "./stack.js";

const CHECKOUT = resolve(__dirname, "../..");
const PACK = ["--policy-pack", join(CHECKOUT, "examples/policy/run-policy-pack.sh")];

const readme = new ReadmeCommands("examples/policy/README.md", {
  edit: (command) => command.replace("path/to/pulumi-keyvault", `"${CHECKOUT}"`),
});

const GOOD = `
  new keyvault.Key("good", { name: "good", generate: { keyType: "RSA", keySize: 3072 }, expiresOn: "2090-01-01T00:00:00Z" });
  new keyvault.Key("rotated", {
    name: "rotated",
    generate: { keyType: "EC" },
    rotationPolicy: { rotateAfter: "P90D", expireAfter: "P1Y" },
    onDelete: "retain",
  });`;

let stack: Stack;
let packOfPage: string;
beforeAll(async () => {
  await mkdir(join(CHECKOUT, ".tmp"), { recursive: true });
  packOfPage = await mkdtemp(join(CHECKOUT, ".tmp/policy-"));
  await cp(join(CHECKOUT, "examples/policy"), packOfPage, { recursive: true });
  const [block] = readPage("docs/inventory.md").blocks.filter(({ text }) => text.includes("new PolicyPack("));
  await writeFile(join(packOfPage, "index.ts"), block?.text ?? "");
  stack = await Stack.create({ program: GOOD, config: { "keyvault:vaultUrl": "embedded:./policy.vault" } });
});
afterAll(async () => {
  await rm(packOfPage, { recursive: true });
  await stack?.remove();
});

it("the policy pack lets through keys that keep its rules, as a program everywhere", async () => {
  // An engine with an older language host refuses the folder in the words of the README, and makes nothing of it.
  const inFolder = await readme.run(stack, "pulumi preview").catch((error: Error) => ({ text: error.message }));
  expect(inFolder.text).toMatch(/keyvault@v0\.1\.0|not supported/);
  const run = await readme.run(stack, "pulumi preview");
  expect(run.text).toContain("keyvault@v0.1.0");
  expect(readme.left).toEqual([]);
});

it("it refuses in the preview a key without expiry, a purge and a small RSA key, and so does that of docs/inventory.md", async () => {
  await stack.program(`${GOOD}
    new keyvault.Key("bad", { name: "bad", generate: { keyType: "RSA" }, onDelete: "purge" });
    new keyvault.Secret("bad", { name: "bad", value: "some-value", onDelete: "purge" });`);
  const alsoOfPage = ["--policy-pack", join(packOfPage, "run-policy-pack.sh")];
  const { exitCode, text } = await stack.pulumi("preview", ...PACK, ...alsoOfPage);
  expect(exitCode).not.toBe(0);
  const told = [...text.matchAll(/\[mandatory\]\s+(\S+)\s+\(\S*keyvault:(\w+): (\w+)\)/g)].map((match) =>
    match.slice(1),
  );
  expect(told.sort()).toEqual([
    ["key-expires", "Key", "bad"],
    ["keys-expire", "Key", "bad"],
    ["nothing-is-purged", "Key", "bad"],
    ["nothing-is-purged", "Secret", "bad"],
    ["rsa-size", "Key", "bad"],
  ]);
  expect(text).not.toContain("some-value");
});

it("it tells an imported RSA key that is too small once it is there", async () => {
  const { privateKey } = generateKeyPairSync("rsa", { modulusLength: 2048 });
  await stack.file("small.pem", privateKey.export({ type: "pkcs8", format: "pem" }).toString());
  await stack.program(`${GOOD}
    new keyvault.Key("small", { name: "small", import: { file: "small.pem" }, expiresOn: "2090-01-01T00:00:00Z" });`);
  await stack.up();
  const { exitCode, text } = await stack.pulumi("preview", ...PACK);
  expect(exitCode).not.toBe(0);
  expect(text).toMatch(/rsa-size-of-imports[\s\S]*key "small" has 2048 bits/);
});
