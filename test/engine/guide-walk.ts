import { spawn } from "node:child_process";
import { chmodSync } from "node:fs";
import { mkdir, rm, symlink, writeFile } from "node:fs/promises";
import { delimiter, dirname, join } from "node:path";
import { commandLine, ended } from "../cli/command-line.js";
import { missingImports, readPage } from "../docs/page.js";
import { Stack } from "./stack.js";

/** Pulumi as somebody uses it who says yes to what it asks. */
export const SHELL = `set -e -o pipefail
pulumi() {
  case "$1" in
    up | destroy | refresh) command pulumi "$@" --non-interactive --color never --yes --skip-preview ;;
    *) command pulumi "$@" --non-interactive --color never ;;
  esac
}
`;

/** What went otherwise than a page says. */
export interface Deviation {
  place: string;
  exitCode: number | null;
  /** Lines that the page shows and the commands did not print. */
  missing: string[];
  text: string;
}

export interface WalkOptions {
  fragments?: boolean;
  /** What the page takes for granted. */
  prepare?(folder: string): Promise<void>;
}

/**
 * Does what a page says, from top to bottom, in a project of its own: files are written where they are named, blocks
 * for a shell are run, and what is shown after them has to be printed. With
 * `fragments`, the programs without a file are run together at the end. Vaults at `https://NAME.vault.azure.net` are embedded ones.
 */
export async function walk(path: string, options?: WalkOptions): Promise<Deviation[]> {
  const stack = await Stack.create({
    kind: "typescript-esm",
    program: "",
    config: { "keyvault:vaultUrl": "embedded:./dev.vault" },
  });
  try {
    await linkCommand(stack.folder);
    await rm(join(stack.folder, "index.ts"));
    await options?.prepare?.(stack.folder);
    const deviations: Deviation[] = [];
    const fragments: string[] = [];
    let printed = "";
    for (const { place, language, note, file, text } of readPage(path).blocks) {
      const local = text.replace(/https:\/\/([\w${}-]+)\.vault\.azure\.net/g, "embedded:./$1.vault");
      if (file !== undefined) {
        await mkdir(dirname(join(stack.folder, file)), { recursive: true });
        await writeFile(join(stack.folder, file), local);
      } else if (language === "sh" && note === "") {
        const run = await shell(stack, local);
        printed = run.stdout + run.stderr;
        if (run.exitCode !== 0) deviations.push({ place, exitCode: run.exitCode, missing: [], text: printed });
      } else if (language === "ts" && note === "") {
        fragments.push(local);
      } else if (language === "text" && note === "") {
        const missing = local.split("\n").filter((line) => !isPrinted(line, printed));
        if (missing.length > 0) deviations.push({ place, exitCode: 0, missing, text: printed });
      }
    }
    if (options?.fragments) {
      await stack.program(fragments.map((_, index) => `import "./fragment-${index}.ts";`).join("\n"));
      for (const [index, text] of fragments.entries()) {
        await stack.file(`fragment-${index}.ts`, missingImports(text) + text);
      }
      const { exitCode, text } = await stack.tryUp();
      if (exitCode !== 0) deviations.push({ place: `the fragments of ${path}`, exitCode, missing: [], text });
    }
    return deviations;
  } finally {
    await stack.remove();
  }
}

export async function linkCommand(folder: string): Promise<void> {
  const bin = join(folder, "node_modules/.bin/pulumi-keyvault");
  await mkdir(dirname(bin), { recursive: true });
  chmodSync(commandLine, 0o755);
  await symlink(commandLine, bin);
}

function shell(stack: Stack, script: string) {
  const { folder: cwd } = stack;
  const env = pageEnvironment(stack);
  // The project has its stack.
  const rest = script.replace(/^pulumi stack init .*$/gm, "");
  return ended(spawn("bash", ["-c", SHELL + expectingExitCodes(rest)], { cwd, env, stdio: ["pipe", "pipe", "pipe"] }));
}

/** What a page says of an exit code in a comment, as a check of it. */
export function expectingExitCodes(script: string): string {
  return script.replace(/^(.+?) +# exit code (\d+)$/gm, '{ code=0; $1 || code=$?; [ "$code" = $2 ]; }');
}

/** With the commands of the project's packages on PATH. */
export function pageEnvironment({ folder, env }: Pick<Stack, "folder" | "env">): Record<string, string> {
  return { ...env, PATH: [join(folder, "node_modules/.bin"), env.PATH].join(delimiter) };
}

/** Without regard to spaces, with an ellipsis for what is another each time. */
function isPrinted(line: string, printed: string): boolean {
  const parts = line
    .trim()
    .split("…")
    .map((part) =>
      part
        .trim()
        .split(/\s+/)
        .map((word) => word.replace(/[.*+?^${}()|[\]\\]/g, "\\$&"))
        .join("\\s+"),
    );
  return new RegExp(parts.join(".*")).test(printed);
}
