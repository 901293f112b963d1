import { existsSync, globSync, readdirSync, statSync } from "node:fs";
import { dirname, join } from "node:path";
import { expect, it } from "vitest";
import { anchors, links, pages, root } from "./page.js";

const all = pages();

it("every link within the project leads to a page, and to a heading of it", () => {
  const anchorsOf = new Map(all.map(({ path, text }) => [path, anchors(text)]));
  const broken = all.flatMap(({ path, text }) =>
    links(text)
      .filter((target) => !/^(https?|mailto):/.test(target))
      .filter((target) => {
        const [file = "", anchor] = target.split("#");
        const found = file === "" ? path : join(dirname(path), file).replaceAll("\\", "/").replace(/\/$/, "");
        if (!existsSync(join(root, found))) return true;
        if (anchor === undefined || statSync(join(root, found)).isDirectory()) return false;
        return anchorsOf.get(found)?.has(anchor) === false;
      })
      .map((target) => `${path}: ${target}`),
  );
  expect(broken).toEqual([]);
});

it("every file that a page names is there", () => {
  const named = all
    .filter(({ path }) => path !== "CHANGELOG.md")
    .flatMap(({ path, text }) =>
      [...text.matchAll(/`([\w./*-]+\/[\w.-]+\.(?:m?ts|md|json|sh|yml|c?js))`/g)].map(([, file = ""]) => ({
        path,
        file,
      })),
    );
  expect(named.length).toBeGreaterThan(50);
  // Of an architecture's rooms the provider goes without saying, and so does the folder of the page.
  const isThere = (path: string, file: string): boolean =>
    [".", dirname(path), "provider"].some((folder) => globSync(join(folder, file), { cwd: root }).length > 0);
  expect(named.filter(({ path, file }) => !isThere(path, file))).toEqual([]);
});

it("docs/README.md lists every page", () => {
  const index = all.find(({ path }) => path === "docs/README.md");
  const listed = new Set(links(index?.text ?? "").map((target) => join("docs", target.split("#")[0] ?? "")));
  const missing = all.filter(({ path }) => path.startsWith("docs/") && path !== "docs/README.md");
  expect(missing.map(({ path }) => path).filter((path) => !listed.has(path))).toEqual([]);
});

it("every example has a page, and the README names it", () => {
  const readme = all.find(({ path }) => path === "README.md")?.text ?? "";
  const examples = readdirSync(join(root, "examples"));
  const written = new Set(all.flatMap(({ path }) => /^examples\/([\w-]+)\/README\.md$/.exec(path)?.[1] ?? []));
  expect(examples.filter((name) => !written.has(name) || !readme.includes(`\`${name}\``))).toEqual([]);
});
