import { globSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { expect, it } from "vitest";
import { readPage, root } from "./page.js";

/** What others say: npm, Node and the engine. */
const OTHERS = ["Cannot find module", "npx ", "the stack is currently locked", "code must be a string"];

it("docs/troubleshooting.md quotes what is said", () => {
  const files = globSync("{provider,sdk,cli}/**/*.ts", { cwd: root });
  const said = files.map((file) => readFileSync(join(root, file), "utf8")).join("\n");
  const rows = [...readPage("docs/troubleshooting.md").text.matchAll(/^\| ([^|]+) \|/gm)];
  const quotes = rows.flatMap(([, cell = ""]) => [...cell.matchAll(/[`"]([^`"]+ [^`"]+)[`"]/g)]);
  const phrases = quotes.map(([, quote = ""]) => quote).filter((quote) => !OTHERS.some((text) => quote.includes(text)));
  expect(phrases.length).toBeGreaterThan(8);
  const parts = phrases.flatMap((phrase) => phrase.replace(/^~ |^KV_\w+: /, "").split("…"));
  expect(parts.map((part) => part.trim()).filter((part) => !said.includes(part))).toEqual([]);
});
