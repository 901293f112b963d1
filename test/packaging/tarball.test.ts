import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { afterAll, beforeAll, expect, test } from "vitest";
import { z } from "zod";
import { CHECKOUT, type PackedPackage, packPackage, removeFolder, temporaryFolder } from "./packed-package.js";

const manifestSchema = z.object({
  main: z.string(),
  types: z.string(),
  exports: z.record(z.string(), z.union([z.string(), z.record(z.string(), z.string())])),
  bin: z.record(z.string(), z.string()).optional(),
});

let folder: string;
let packed: PackedPackage;
let manifest: z.infer<typeof manifestSchema>;
beforeAll(async () => {
  folder = await temporaryFolder();
  packed = await packPackage(folder);
  manifest = manifestSchema.parse(JSON.parse(await readFile(join(CHECKOUT, "package.json"), "utf8")));
}, 60_000);
afterAll(() => removeFolder(folder));

test("the package holds what is built, what is to be read, and nothing else", () => {
  const pages = ["CHANGELOG.md", "LICENSE", "README.md", "SECURITY.md", "package.json"];
  const others = packed.files.filter((file) => !pages.includes(file));
  for (const file of others) {
    expect(file).toMatch(
      /^(dist\/(sdk|plugin|provider|emulator|cli)\/[\w./-]+\.(js|d\.ts)|docs\/[\w./-]+\.md|docs\/schemas\/\w+\.json|docs\/pictures\/\w+\.svg|docs\/performance\.(json|svg))$/,
    );
  }
});

test("the package is small: what makes it larger is looked at, and then this line is changed", () => {
  expect(packed.size).toBeLessThan(900_000);
  expect(packed.unpackedSize).toBeLessThan(3_200_000);
});

test("the package holds the pages that people look for", () => {
  expect(packed.files).toEqual(expect.arrayContaining(["CHANGELOG.md", "LICENSE", "README.md", "SECURITY.md"]));
});

test("the subpaths are those that programs and states rely on, and each leads to a file in the package", () => {
  expect(Object.keys(manifest.exports)).toEqual([".", "./dynamic-v1", "./emulator", "./package.json"]);
  const targets = [
    manifest.main,
    manifest.types,
    ...Object.values(manifest.exports).flatMap((target) =>
      typeof target === "string" ? target : Object.values(target),
    ),
    ...Object.values(manifest.bin ?? {}),
  ];
  for (const target of targets) expect(packed.files).toContain(target.replace(/^\.\//, ""));
});

test("every compiled file has its source: nothing that was removed is published", () => {
  const compiled = packed.files.filter((file) => file.startsWith("dist/") && file.endsWith(".js"));
  const declared = packed.files.filter((file) => file.startsWith("dist/") && file.endsWith(".d.ts"));
  expect(declared.map((file) => file.replace(/\.d\.ts$/, ".js")).sort()).toEqual(compiled.sort());
});
