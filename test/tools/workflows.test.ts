import { globSync, readFileSync } from "node:fs";
import { join, resolve } from "node:path";
import { describe, expect, it } from "vitest";
import { parse } from "yaml";
import { z } from "zod";
import { findWorkflowLinter } from "./workflow-linter.js";

const root = resolve(__dirname, "../..");
const files = globSync(".github/workflows/*.yml", { cwd: root }).sort();
const { lint, why } = findWorkflowLinter();

const permissions = z.record(z.string(), z.string());
const job = z.looseObject({
  permissions: permissions.optional(),
  "timeout-minutes": z.number(),
  strategy: z.looseObject({ matrix: z.record(z.string(), z.unknown()) }).optional(),
  steps: z.array(z.looseObject({ uses: z.string().optional(), run: z.string().optional() })),
});
const workflow = z.looseObject({ permissions, jobs: z.record(z.string(), job) });
const read = (file: string) => workflow.parse(parse(readFileSync(join(root, file), "utf8")));

describe("the workflows", () => {
  it.skipIf(lint === undefined)(`pass actionlint${why}`, { timeout: 180_000 }, () => {
    expect(files.length).toBeGreaterThan(2);
    expect(lint?.(files.map((file) => join(root, file)))).toBe("");
  });

  it("may read the repository, and write where they publish", () => {
    for (const file of files) expect({ file, ...read(file).permissions }).toEqual({ file, contents: "read" });
    const writers = files.flatMap((file) =>
      Object.entries(read(file).jobs).flatMap(([name, { permissions }]) => (permissions ? [`${file}: ${name}`] : [])),
    );
    expect(writers).toEqual([".github/workflows/release.yml: publish"]);
  });

  it("run scripts that the package has", () => {
    const { scripts } = JSON.parse(readFileSync(join(root, "package.json"), "utf8")) as { scripts: object };
    const texts = files.map((file) => readFileSync(join(root, file), "utf8")).join("\n");
    const named = [...texts.matchAll(/npm run (?:--silent )?([\w:-]+)/g)].map(([, name = ""]) => name);
    expect(named.filter((name) => !(name in scripts))).toEqual([]);
  });

  it("test each system with each supported line of Node, and not with that of the lock file", () => {
    const { test } = read(".github/workflows/test.yml").jobs;
    expect(test?.strategy?.matrix).toEqual({
      os: ["ubuntu-latest", "macos-latest", "windows-latest"],
      node: [22, 24],
    });
    expect(test?.steps.map(({ run }) => run)).toContain("node tools/test.mts");
  });

  it("put nothing that a push can choose into a command", () => {
    const runs = files.flatMap((file) => Object.values(read(file).jobs).flatMap(({ steps }) => steps));
    expect(runs.filter(({ run }) => run?.includes("${{"))).toEqual([]);
  });
});
