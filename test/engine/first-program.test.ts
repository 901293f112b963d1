import { mkdir, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { afterAll, beforeAll, expect, it } from "vitest";
import { readPage } from "../docs/page.js";
import { isWithoutRegistry } from "../packaging/package-manager.js";
import { CHECKOUT, removeFolder, temporaryFolder } from "../packaging/packed-package.js";
import { ReadmeCommands } from "./readme-commands.js";

let folder: string;
beforeAll(async () => {
  folder = await temporaryFolder();
});
afterAll(() => removeFolder(folder));

it("the README's first program: installed, written and run, word by word", { timeout: 600_000 }, async ({ skip }) => {
  const { blocks } = readPage("README.md");
  const program = blocks.find(({ file }) => file === "index.ts");
  const readme = new ReadmeCommands("README.md", { section: "A first program", edit });
  await writeFile(join(folder, "index.ts"), program?.text ?? "");
  await mkdir(join(folder, "home"));
  const env = {
    ...(process.env as Record<string, string>),
    // The checkout is built, and other tests run from what was built.
    npm_config_ignore_scripts: "true",
    npm_config_prefer_offline: "true",
    XDG_DATA_HOME: join(folder, "data"),
    PULUMI_HOME: join(folder, "home"),
  };
  const { text } = await readme.run({ folder, env }, "pulumi preview").catch((error: Error) => {
    skip(isWithoutRegistry(error.message), error.message);
    throw error;
  });
  expect(text).toMatch(/publicKey *: "-----BEGIN PUBLIC KEY-----/);
  expect(text).toContain("blob     : [secret]");
  expect(text).toMatch(/3 unchanged/);
  expect(readme.left).toEqual([]);
});

/** What would change the checkout under the other tests is tried without doing it, and its path is the one of this machine. */
function edit(command: string): string {
  if (command.endsWith("npm ci)")) return command.replace("npm ci)", "npm ci --dry-run)");
  if (command === "pulumi stack init dev") return `cp ../index.ts .\n${command}`;
  return command.replace("/path/to/pulumi-keyvault", `"${CHECKOUT}"`);
}
