import { existsSync, globSync, readFileSync } from "node:fs";
import { join, resolve } from "node:path";
import { describe, expect, it } from "vitest";

const root = resolve(__dirname, "../..");
const text = readFileSync(join(root, "CONTRIBUTING.md"), "utf8");
const quoted = [...text.matchAll(/`([^`\n]+)`/g)].map(([, words = ""]) => words);

describe("CONTRIBUTING", () => {
  it("names files and folders that there are", () => {
    const places = quoted.filter(
      (words) =>
        !words.startsWith("pulumi-keyvault/") &&
        /^[\w.@-]+(?:\/[\w.@-]+)+\/?$|^[\w.-]+\.(?:m?ts|json|md|yml)$|^[\w-]+\/$/.test(words),
    );
    const isThere = (place: string): boolean =>
      existsSync(join(root, place)) ||
      globSync(`{provider,sdk,test,plugin,tools}/**/${place}`, { cwd: root }).length > 0;
    expect(places.length).toBeGreaterThan(20);
    expect(places.filter((place) => !isThere(place))).toEqual([]);
  });

  it("names scripts that the package has", () => {
    const { scripts } = JSON.parse(readFileSync(join(root, "package.json"), "utf8"));
    const named = [...text.matchAll(/npm run\s+(?:--silent\s+)?([\w:-]+)/g)].map(([, name = ""]) => name);
    expect(named.length).toBeGreaterThan(10);
    expect(named.filter((name) => !(name in scripts))).toEqual([]);
  });
});
