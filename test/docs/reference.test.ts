import { spawnSync } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { glob } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import { afterAll, expect, it } from "vitest";

const root = resolve(__dirname, "../..");
const made = mkdtempSync(join(tmpdir(), "reference-"));
afterAll(() => rmSync(made, { recursive: true, force: true }));

async function pagesIn(folder: string): Promise<Map<string, string>> {
  const pages = new Map<string, string>();
  for await (const page of glob("**/*.md", { cwd: folder })) pages.set(page, readFileSync(join(folder, page), "utf8"));
  return pages;
}

it("the reference is what the JSDoc of the package says: `npm run reference` writes it anew", async () => {
  const run = spawnSync(join(root, "node_modules/.bin/typedoc"), ["--out", made], { cwd: root, encoding: "utf8" });
  expect({ status: run.status, told: run.status === 0 ? "" : run.stderr }).toEqual({ status: 0, told: "" });
  const [written, committed] = [await pagesIn(made), await pagesIn(join(root, "docs/reference"))];
  expect([...committed.keys()].sort()).toEqual([...written.keys()].sort());
  const stale = [...written].filter(([page, text]) => committed.get(page) !== text).map(([page]) => page);
  expect(stale).toEqual([]);
}, 120_000);
