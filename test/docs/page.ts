import { globSync, readFileSync } from "node:fs";
import { join, relative, resolve } from "node:path";

export const root = resolve(__dirname, "../..");

/** A block of code of a page. */
export interface Block {
  /** `docs/keys.md:12`, the line on which its code begins. */
  place: string;
  language: string;
  /** What follows the language, such as `ignore`. */
  note: string;
  /** The file that the line before it names in backquotes, with a colon at its end. */
  file: string | undefined;
  text: string;
}

export interface Page {
  /** From the root, with slashes. */
  path: string;
  text: string;
  blocks: Block[];
}

/** Every page that a user or a maintainer reads. The API reference is made by a tool, and has a test of its own. */
export function pages(): Page[] {
  const found = globSync(["*.md", "docs/*.md", "docs/guides/*.md", "examples/*/README.md"], { cwd: root });
  return found.map((path) => readPage(relative(root, join(root, path)).replaceAll("\\", "/"))).sort(byPath);
}

export function readPage(path: string): Page {
  const text = readFileSync(join(root, path), "utf8").replaceAll("\r\n", "\n");
  return { path, text, blocks: blocksOf(path, text) };
}

function blocksOf(path: string, text: string): Block[] {
  const blocks: Block[] = [];
  for (const match of text.matchAll(/^( *)```(\w+)(?: ([^\n]*))?\n(.*?)^\1```$/gms)) {
    const [, indent = "", language = "", note = "", code = ""] = match;
    const before = text.slice(0, match.index).trimEnd().split("\n").at(-1) ?? "";
    const line = text.slice(0, match.index).split("\n").length + 1;
    const dedented = code.replace(new RegExp(`^${indent}`, "gm"), "");
    const file = /^\s*`([\w./-]+\.(?:ts|mts|cjs|js|json|yaml|yml))`[^\n]*:$/.exec(before)?.[1];
    blocks.push({ place: `${path}:${line}`, language, note, file, text: dedented });
  }
  return blocks;
}

/** As GitHub and npm name the anchors of headings. */
export function anchors(text: string): Set<string> {
  const prose = text.replace(/^( *)```.*?^\1```$/gms, "");
  const found = new Set<string>();
  for (const [, heading = ""] of prose.matchAll(/^#{1,6} +(.+?) *$/gm)) {
    const words = heading.replace(/\[([^\]]*)\]\([^)]*\)/g, "$1").toLowerCase();
    const anchor = words.replace(/[^\p{L}\p{N}\p{Pc} -]/gu, "").replaceAll(" ", "-");
    let free = anchor;
    for (let n = 1; found.has(free); n++) free = `${anchor}-${n}`;
    found.add(free);
  }
  return found;
}

/** Targets of the links of a page, with the places in code left out. */
export function links(text: string): string[] {
  const prose = text.replace(/^( *)```.*?^\1```$/gms, "").replace(/`[^`\n]*`/g, "");
  return [...prose.matchAll(/\]\(([^)\s]+)\)/g)].map(([, target = ""]) => target);
}

/** What a fragment takes for granted that its page has imported. */
export function missingImports(text: string): string {
  const needed = { pulumi: "@pulumi/pulumi", keyvault: "pulumi-keyvault" };
  return Object.entries(needed)
    .filter(([name]) => new RegExp(`\\b${name}\\.`).test(text) && !text.includes(`* as ${name} `))
    .map(([name, from]) => `import * as ${name} from "${from}";\n`)
    .join("");
}

function byPath(a: Page, b: Page): number {
  return a.path < b.path ? -1 : 1;
}
