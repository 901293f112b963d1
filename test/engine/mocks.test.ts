import { spawn } from "node:child_process";
import { readFile } from "node:fs/promises";
import { resolve } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { Stack } from "./stack.js";

/** The files of docs/testing.md: a name in backquotes, and the next block of code. */
async function filesOfTheGuide(): Promise<[name: string, text: string][]> {
  const guide = await readFile(resolve(__dirname, "../../docs/testing.md"), "utf8");
  const blocks = guide.matchAll(/^`([\w.-]+\.(?:ts|cjs))`[^\n]*:\n\n```(?:ts|js)\n(.*?)^```$/gms);
  return [...blocks].map(([, name = "", text = ""]) => [name, text]);
}

function nodeTest(stack: Stack, file: string): Promise<{ exitCode: number | null; text: string }> {
  return new Promise((done, fail) => {
    const env = { ...process.env, PATH: stack.env.PATH, PULUMI_HOME: stack.env.PULUMI_HOME };
    const child = spawn(process.execPath, ["--test", file], { cwd: stack.folder, env });
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
    const { exitCode, text } = await nodeTest(stack, file);
    expect(text).toMatch(/^ℹ pass 1$|^# pass 1$/m);
    expect(exitCode, text).toBe(0);
  });
});
