import { spawnSync } from "node:child_process";
import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { parseArgs } from "node:util";
import { z } from "zod";
import { disagreements, obstacles, releasedChangelog, sectionOf } from "./release/changelog.mts";
import { repositoryObstacles } from "./release/repository.mts";

// npm run release -- 0.2.0           makes the release ready: version, changelog, commit, tag. Pushes nothing.
// npm run release -- --check v0.2.0  whether tag, package, lock file, changelog and repository agree
// npm run release -- --notes v0.2.0  what the changelog says of it

const root = join(import.meta.dirname, "..");
const CHANGELOG = join(root, "CHANGELOG.md");
const manifestSchema = z.looseObject({
  version: z.string(),
  repository: z.unknown().optional(),
  bugs: z.unknown().optional(),
});

const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: { check: { type: "string" }, notes: { type: "string" } },
});
const changelog = readFileSync(CHANGELOG, "utf8");
const manifest = manifestSchema.parse(readJson("package.json"));

if (values.notes !== undefined) {
  console.log(sectionOf(changelog, values.notes.replace(/^v/, "")) ?? "");
} else if (values.check !== undefined) {
  const lock = manifestSchema.parse(readJson("package-lock.json"));
  const versions = { manifest: manifest.version, lock: lock.version };
  refuseIfAny([...disagreements(changelog, versions, values.check), ...repositoryObstacles(manifest, origin())]);
} else {
  const [version = ""] = positionals;
  refuseIfAny([
    ...obstacles(changelog, manifest, version),
    ...repositoryObstacles(manifest, origin()),
    ...uncommitted(),
  ]);
  writeFileSync(CHANGELOG, releasedChangelog(changelog, version, new Date().toISOString().slice(0, 10)));
  run("npm", "version", version, "--no-git-tag-version", "--ignore-scripts");
  run("git", "commit", "--quiet", "-m", `Release ${version}`, "CHANGELOG.md", "package.json", "package-lock.json");
  run("git", "tag", "--annotate", `v${version}`, "-m", version);
  console.log(`\nReady. It is published by the tag:\n\n  git push origin HEAD v${version}`);
}

function uncommitted(): string[] {
  const { stdout } = spawnSync("git", ["status", "--porcelain"], { cwd: root, encoding: "utf8" });
  return stdout.trim() === "" ? [] : ["there are changes that are not committed"];
}

/** Where this checkout comes from; undefined where it comes from nowhere. */
function origin(): string | undefined {
  const { status, stdout } = spawnSync("git", ["remote", "get-url", "origin"], { cwd: root, encoding: "utf8" });
  return status === 0 ? stdout.trim() : undefined;
}

function refuseIfAny(found: readonly string[]): void {
  if (found.length === 0) return;
  for (const line of found) console.error(`release: ${line}`);
  process.exit(1);
}

function run(program: string, ...args: string[]): void {
  const { status } = spawnSync(program, args, { cwd: root, stdio: "inherit", shell: process.platform === "win32" });
  if (status !== 0) process.exit(status ?? 1);
}

function readJson(name: string): unknown {
  return JSON.parse(readFileSync(join(root, name), "utf8"));
}
