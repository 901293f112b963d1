import { spawn } from "node:child_process";
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, expect, it } from "vitest";

const folder = mkdtempSync(join(tmpdir(), "engine-loss-"));
afterAll(() => rmSync(folder, { recursive: true, force: true }));

const provider = JSON.stringify(join(__dirname, "../../dist/provider/dynamic-v1.js"));

/** As the dynamic provider host does: it writes each uncaught error to a stream that may be the broken one. */
const host = `
  process.on("uncaughtException", (error) => console.error(error.stack));
  require(${provider}).key.configure({ config: { get: () => undefined } }).then(() => {
    process.stdout.write("ready\\n");
    setInterval(() => { process.stdout.write("a line\\n"); process.stderr.write("a line\\n"); }, 5);
  });`;

/** As Pulumi's host of a program does, by its name too. */
const program = `
  process.on("uncaughtException", (error) => console.error(error.stack));
  require(${JSON.stringify(join(__dirname, "../../dist/sdk/index.js"))});
  process.stdout.write("ready\\n");
  setInterval(() => { process.stdout.write("a line\\n"); process.stderr.write("a line\\n"); }, 5);`;

async function endOf(script: string): Promise<number | null> {
  const child = spawn(process.execPath, [script], { stdio: ["ignore", "pipe", "pipe"] });
  const ended = new Promise<number | null>((resolve) => child.on("exit", (code) => resolve(code)));
  await new Promise((resolve) => child.stdout.once("data", resolve));
  child.stdout.destroy();
  child.stderr.destroy();
  return ended;
}

function written(path: string, script: string): string {
  mkdirSync(join(folder, path), { recursive: true });
  const file = join(folder, path, "index.js");
  writeFileSync(file, script);
  return file;
}

it("a provider ends where the engine that reads its lines is gone, and does not go round for ever", async () => {
  expect(await endOf(written("host", host))).toBe(1);
});

it("a program that the engine has started ends with it, too", async () => {
  expect(await endOf(written("node_modules/@pulumi/pulumi/cmd/run", program))).toBe(1);
});
