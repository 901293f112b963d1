import { execFile, spawn } from "node:child_process";
import { once } from "node:events";
import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { promisify } from "node:util";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { installedProject, packPackage, removeFolder, temporaryFolder } from "../packaging/packed-package.js";

const run = promisify(execFile);

describe("the command line of an installed package", () => {
  let folder: string;
  let project: string;
  const command = () => join(project, "node_modules/.bin/pulumi-keyvault");

  beforeAll(async () => {
    folder = await temporaryFolder();
    const { tarball } = await packPackage(folder);
    project = (await installedProject(join(folder, "project"), tarball)).folder;
  }, 180_000);
  afterAll(() => removeFolder(folder));

  it("starts by its name and tells its version", async () => {
    const { version } = JSON.parse(await readFile(join(__dirname, "../../package.json"), "utf8"));
    expect((await run(command(), ["--version"])).stdout).toBe(`${version}\n`);
  });

  it("reads a preview", async () => {
    const preview = join(__dirname, "fixtures/clean-preview.json");
    expect((await run(command(), ["drift", "--from", preview])).stdout).toContain("No drift");
  });

  it("serves a vault and adopts it, without @pulumi/pulumi", async () => {
    const emulator = spawn(command(), ["emulator", "--no-tls"], { cwd: project, stdio: ["ignore", "pipe", "inherit"] });
    const ended = once(emulator, "close");
    const [text] = await once(emulator.stdout, "data");
    const variables = [...String(text).matchAll(/^export (\w+)=(.*)$/gm)].map((match) => [match[1], match[2]]);
    const env = { ...process.env, ...Object.fromEntries(variables) };
    const adopted = await run(command(), ["adopt"], { cwd: project, env });
    expect(adopted.stdout).toContain("Nothing to adopt in http://");
    emulator.kill("SIGTERM");
    expect(await ended).toEqual([0, null]);
  });
});
