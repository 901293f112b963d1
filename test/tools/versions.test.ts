import { join } from "node:path";
import { expect, test } from "vitest";
import { cacheFolder, dataFolder } from "../../tools/engine/user-folders.mjs";
import { findVersion, isAtLeast } from "../../tools/engine/versions.mjs";

test.each([
  ["v3.259.0\n", "3.259.0"],
  ["go1.26", "1.26"],
  ["3.260.0-alpha.1+dirty", "3.260.0"],
  ["none", undefined],
])("the version in %j is %s", (text, version) => expect(findVersion(text)).toBe(version));

test.each([
  ["3.254.0", "3.254.0", true],
  ["3.1000.0", "3.254.0", true],
  ["4.0.0", "3.254.0", true],
  ["3.253.99", "3.254.0", false],
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
