import { spawn } from "node:child_process";
import { join } from "node:path";
import { expect, it } from "vitest";

const provider = JSON.stringify(join(__dirname, "../../dist/provider/dynamic-v1.js"));

/** As the dynamic provider host does: it writes each uncaught error to a stream that may be the broken one. */
const host = `
  process.on("uncaughtException", (error) => console.error(error.stack));
  require(${provider}).key.configure({ config: { get: () => undefined } }).then(() => {
    process.stdout.write("ready\\n");
    setInterval(() => { process.stdout.write("a line\\n"); process.stderr.write("a line\\n"); }, 5);
  });`;

it("a provider ends where the engine that reads its lines is gone, and does not go round for ever", async () => {
  const child = spawn(process.execPath, ["-e", host], { stdio: ["ignore", "pipe", "pipe"] });
  const ended = new Promise<number | null>((resolve) => child.on("exit", (code) => resolve(code)));
  await new Promise((resolve) => child.stdout.once("data", resolve));
  child.stdout.destroy();
  child.stderr.destroy();
  expect(await ended).toBe(1);
});
