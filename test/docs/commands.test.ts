import { spawnSync } from "node:child_process";
import { globSync, readFileSync } from "node:fs";
import { join } from "node:path";
import type { Command } from "commander";
import { expect, it } from "vitest";
import { createProgram } from "../../cli/program.js";
import { RESOURCE_TYPES } from "../../sdk/contract.js";
import { type Page, pages, root } from "./page.js";

const all = pages().filter(({ path }) => path !== "CHANGELOG.md");

it("every script that a page runs by npm is one of the package", () => {
  const { scripts } = JSON.parse(readFileSync(join(root, "package.json"), "utf8")) as { scripts: object };
  const named = found(all, /\bnpm (?:--prefix \S+ )?run (?:--silent )?([a-z][\w:-]*)/g);
  expect(named.length).toBeGreaterThan(5);
  expect(named.filter(([, [name = ""]]) => !(name in scripts)).map(shown)).toEqual([]);
});

/** What messages, hints and helps say, as it is read. */
const sources = globSync("{provider,sdk,cli,plugin,emulator}/**/*.ts", { cwd: root }).map((path) => ({
  path,
  text: readFileSync(join(root, path), "utf8").replaceAll("\\`", "`").replaceAll("\\\\\n", "\\\n"),
}));

it.each([
  ["page", all, 40],
  ["message, hint or help", sources, 40],
])("every command of pulumi-keyvault that a %s names has the options that it is given", (_where, texts, most) => {
  const commands = new Map(createProgram().commands.map((command) => [command.name(), optionsOf(command)]));
  const calls = found(
    texts,
    /(?:^ *|`|\$ |npx |run: )pulumi-keyvault ([a-z]+)(?![a-z:])([^`\n|#&]*(?:\\\n[^`\n|#&]*)*)/gm,
  );
  expect(calls.length).toBeGreaterThan(most);
  const wrong = calls.filter(([, [name = "", rest = ""]]) => {
    const known = commands.get(name);
    if (known === undefined) return true;
    // What stands after a lone -- is for pulumi.
    const own = rest.split(/(?:^| )--(?: |$)/)[0] ?? "";
    return [...own.matchAll(/(?<![\w-])(--[a-z][\w-]*)/g)].some(([, option = ""]) => !known.has(option));
  });
  expect(wrong.map(shown)).toEqual([]);
});

/** Where each command is described. */
const PAGES: Record<string, string> = {
  adopt: "docs/adopt.md",
  backup: "docs/backup-and-restore.md",
  byok: "docs/byok.md",
  doctor: "docs/doctor.md",
  drift: "docs/drift.md",
  emulator: "docs/emulator.md",
  inventory: "docs/inventory.md",
  report: "docs/report.md",
  restore: "docs/backup-and-restore.md",
};

const described = createProgram().commands.filter((command) => command.name() !== "completion");

it.each(described.map((command): [string, Command] => [command.name(), command]))(
  "the page of %s, and the README, name it, and the page each of its options",
  (_name, command) => {
    const page = all.find(({ path }) => path === PAGES[command.name()]);
    const lacking = command.options.flatMap(({ long }) => (long && !page?.text.includes(long) ? [long] : []));
    expect(lacking).toEqual([]);
    const readme = all.find(({ path }) => path === "README.md");
    expect(readme?.text).toContain(`| \`pulumi-keyvault ${command.name()}`);
  },
);

it("the page on tests names every type of resource by which a mock tells one", () => {
  const page = all.find(({ path }) => path === "docs/testing.md")?.text;
  const classes = Object.values(RESOURCE_TYPES).map((type) => type.split(":").at(-1) ?? "");
  expect(classes.filter((name) => !page?.includes(`\`:${name}\``))).toEqual([]);
});

it("every block for a shell is what a shell reads", () => {
  const blocks = all.flatMap((page) => page.blocks.filter(({ language }) => language === "sh" || language === "bash"));
  expect(blocks.length).toBeGreaterThan(15);
  const wrong = blocks.filter(({ text }) => spawnSync("bash", ["-n"], { input: text }).status !== 0);
  expect(wrong.map(({ place }) => place)).toEqual([]);
});

it("every keyvault: setting and every variable of ours is one that the provider reads", () => {
  const settings = readFileSync(join(root, "provider/engine/vault-settings.ts"), "utf8");
  const others = ["provider/sign-in/credential.ts", "test/real-vault/real-vault.ts"];
  const sources = settings + others.map((file) => readFileSync(join(root, file), "utf8")).join("");
  const named = found(all, /(?<![\w:-])keyvault:([a-z]\w+)|\b((?:AZURE_)?KEYVAULT_[A-Z_]+)\b/g);
  expect(named.length).toBeGreaterThan(20);
  const known = (name: string) => name === "index" || new RegExp(`\\b${name}\\b`).test(sources);
  expect(named.filter(([, [setting, variable]]) => !known(setting ?? variable ?? "")).map(shown)).toEqual([]);
});

function optionsOf(command: Command): Set<string> {
  return new Set(["--help", ...command.options.flatMap(({ long }) => (long ? [long] : []))]);
}

type Found = [path: string, groups: (string | undefined)[]];

function found(where: readonly Pick<Page, "path" | "text">[], pattern: RegExp): Found[] {
  return where.flatMap(({ path, text }) => [...text.matchAll(pattern)].map((match): Found => [path, match.slice(1)]));
}

function shown([path, groups]: Found): string {
  return `${path}: ${groups.filter((group) => group !== undefined).join(" ")}`;
}
