import { existsSync, readdirSync, readFileSync } from "node:fs";
import { basename, join } from "node:path";
import { describe, expect, it } from "vitest";

const docs = join(__dirname, "../../docs");
const rows = readFileSync(join(docs, "parity.md"), "utf8")
  .split("\n")
  .filter((line) => line.startsWith("| ") && !line.startsWith("| Behaviour"));

describe("docs/parity.md", () => {
  it("names a test that exists in every row", () => {
    expect(rows.length).toBeGreaterThan(50);
    for (const row of rows) {
      const links = [...row.matchAll(/\]\((\.\.\/test\/[^)]+)\)/g)].map((link) => link[1] ?? "");
      expect(links.length, row).toBeGreaterThan(0);
      for (const link of links) expect(existsSync(join(docs, link)), link).toBe(true);
    }
  });

  it("says of each behaviour whether it is real, emulated or absent", () => {
    for (const row of rows) expect(row.split("|")[2], row).toMatch(/real|emulated|absent/);
  });

  it("leaves no operation's test out", () => {
    const text = rows.join("\n");
    for (const file of readdirSync(join(__dirname, "operations"))) expect(text).toContain(basename(file));
  });

  it("has a test of the same name for every operation", () => {
    const tests = readdirSync(join(__dirname, "operations"));
    for (const file of readdirSync(join(__dirname, "../../emulator/operations"))) {
      if (file !== "index.ts") expect(tests).toContain(file.replace(/\.ts$/, ".test.ts"));
    }
  });
});
