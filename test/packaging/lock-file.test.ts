import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { expect, test } from "vitest";
import { z } from "zod";
import { CHECKOUT } from "./packed-package.js";

const lockSchema = z.object({
  packages: z.record(
    z.string(),
    z.looseObject({
      version: z.string().optional(),
      resolved: z.string().optional(),
      link: z.boolean().optional(),
      optionalDependencies: z.record(z.string(), z.string()).optional(),
    }),
  ),
});

const readLock = async () =>
  lockSchema.parse(JSON.parse(await readFile(join(CHECKOUT, "package-lock.json"), "utf8"))).packages;

test("the lock file names the optional packages of every platform: npm ci refuses it otherwise", async () => {
  const packages = await readLock();
  const missing = Object.entries(packages).flatMap(([path, { optionalDependencies = {} }]) =>
    Object.keys(optionalDependencies).filter((name) => !candidates(path, name).some((place) => place in packages)),
  );
  expect(missing).toEqual([]);
});

test("the lock file names no registry: npm takes the one that its user has chosen", async () => {
  const packages = await readLock();
  const hosts = Object.values(packages).filter(({ resolved, link }) => resolved?.includes("://") && !link);
  expect(hosts).toEqual([]);
});

/** The places where Node would look for a dependency of the package at `path`. */
function candidates(path: string, name: string): string[] {
  const places: string[] = [];
  for (let folder = path; ; folder = folder.slice(0, Math.max(folder.lastIndexOf("node_modules/") - 1, 0))) {
    places.push(`${folder ? `${folder}/` : ""}node_modules/${name}`);
    if (folder === "") return places;
  }
}
