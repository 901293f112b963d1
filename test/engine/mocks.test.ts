import { execFile, spawn } from "node:child_process";
import { existsSync } from "node:fs";
import { copyFile, mkdir, readFile, writeFile } from "node:fs/promises";
import { join, resolve } from "node:path";
import { promisify } from "node:util";
import { afterAll, beforeAll, beforeEach, describe, expect, it } from "vitest";
import { Stack } from "./stack.js";

/** The files of docs/testing.md: a name in backquotes, and the next block of code. */
async function filesOfTheGuide(): Promise<[name: string, text: string][]> {
  const guide = await readFile(resolve(__dirname, "../../docs/testing.md"), "utf8");
  const blocks = guide.matchAll(/^`([\w.-]+\.(?:ts|cjs))`[^\n]*:\n\n```(?:ts|js)\n(.*?)^```$/gms);
  return [...blocks].map(([, name = "", text = ""]) => [name, text]);
}

function nodeTest(stack: Stack, ...args: string[]): Promise<{ exitCode: number | null; text: string }> {
  return new Promise((done, fail) => {
    const env = { ...process.env, PATH: stack.env.PATH, PULUMI_HOME: stack.env.PULUMI_HOME };
    const child = spawn(process.execPath, args, { cwd: stack.folder, env });
    let text = "";
    for (const stream of [child.stdout, child.stderr])
      stream.setEncoding("utf8").on("data", (chunk) => (text += chunk));
    child.on("error", fail).on("close", (exitCode) => done({ exitCode, text }));
  });
}

describe("the tests of the guide, in Node's own runner", () => {
  let stack: Stack;

  beforeAll(async () => {
    stack = await Stack.create({ kind: "typescript-esm", program: "" });
    for (const [name, text] of await filesOfTheGuide()) {
      // Mocha and jest have their functions as globals.
      const globals = name.endsWith(".cjs") ? 'const { before, it } = require("node:test");\n' : "";
      await stack.file(name, `${globals}${text}`);
    }
  });
  afterAll(() => stack?.remove());

  it.each(["signing-key.test.ts", "signing-key.test.cjs", "signing-key.vault.test.ts"])("%s passes", async (file) => {
    const { exitCode, text } = await nodeTest(stack, "--test", file);
    expect(text).toMatch(/^ℹ pass 1$|^# pass 1$/m);
    expect(exitCode, text).toBe(0);
  });
});

const RUNNERS = { mocha: "11.8.0", jest: "30.5.2" };
const runners = resolve(__dirname, "../../node_modules/.cache/pulumi-keyvault/runners");

/** Too large for dependencies that each contributor installs: installed once, by whoever runs this. */
async function installRunners(): Promise<void> {
  if (Object.keys(RUNNERS).every((name) => existsSync(join(runners, "node_modules", name)))) return;
  await mkdir(runners, { recursive: true });
  await writeFile(join(runners, "package.json"), JSON.stringify({ private: true, dependencies: RUNNERS }));
  const args = ["install", "--no-audit", "--no-fund", "--ignore-scripts", "--loglevel=error"];
  await promisify(execFile)("npm", args, { cwd: runners, timeout: 180_000 });
}

/** Every resource, under the usual mocks. */
const EVERY_RESOURCE = "mocked-resources.cjs";

describe("the CommonJS test of the guide, and one of every resource,", () => {
  let stack: Stack;
  let unavailable = "";
  let tests: number;

  beforeAll(async () => {
    stack = await Stack.create({ kind: "commonjs", program: "" });
    const [, text = ""] = (await filesOfTheGuide()).find(([name]) => name.endsWith(".cjs")) ?? [];
    await stack.file("signing-key.test.cjs", text);
    await stack.file("signing-key.jest.cjs", text.replace("before(", "beforeAll("));
    await copyFile(join(__dirname, EVERY_RESOURCE), join(stack.folder, EVERY_RESOURCE));
    const resources = (await readFile(join(__dirname, EVERY_RESOURCE), "utf8")).match(/^ {2}"an? /gm) ?? [];
    expect(resources.length).toBeGreaterThan(15);
    tests = 1 + resources.length;
    unavailable = await installRunners().then(
      () => "",
      (error: Error) => `mocha and jest could not be had: ${error.message}`,
    );
  });
  afterAll(() => stack?.remove());
  beforeEach(({ skip }) => skip(unavailable !== "", unavailable));

  it("pass in mocha as they stand", async () => {
    const mocha = join(runners, "node_modules/mocha/bin/mocha.js");
    const { exitCode, text } = await nodeTest(stack, mocha, "signing-key.test.cjs", EVERY_RESOURCE);
    expect(text).toContain(`${tests} passing`);
    expect(exitCode, text).toBe(0);
  });

  it("pass in jest with beforeAll", async () => {
    const jest = join(runners, "node_modules/jest/bin/jest.js");
    const args = [
      "--rootDir",
      ".",
      "--testMatch",
      "**/signing-key.jest.cjs",
      "--testMatch",
      `**/${EVERY_RESOURCE}`,
      "--watchman=false",
    ];
    const { exitCode, text } = await nodeTest(stack, jest, ...args);
    expect(text).toMatch(new RegExp(`Tests: +${tests} passed`));
    expect(exitCode, text).toBe(0);
  });
});
