import { execFile } from "node:child_process";
import { mkdir, mkdtemp, realpath, rm, symlink, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { promisify } from "node:util";
import { z } from "zod";

export const CHECKOUT = dirname(dirname(__dirname));

const packing = z
  .array(
    z.object({
      filename: z.string(),
      size: z.number(),
      unpackedSize: z.number(),
      files: z.array(z.object({ path: z.string() })),
    }),
  )
  .length(1);

/** The package as npm would publish it. */
export interface PackedPackage {
  tarball: string;
  /** The paths in it. */
  files: string[];
  /** Bytes of the tarball. */
  size: number;
  /** Bytes of all files in it. */
  unpackedSize: number;
}

/** A project of a user's, in a folder of its own. */
export interface UserProject {
  folder: string;
  /** Runs Node in the project's folder; gives what it prints, as JSON. */
  runJson(...args: string[]): Promise<unknown>;
}

const run = promisify(execFile);

export async function temporaryFolder(): Promise<string> {
  return realpath(await mkdtemp(join(tmpdir(), "keyvault packaging-")));
}

/** Packs what was built before: the tests must not change `dist/` under those who run from it. */
export async function packPackage(folder: string): Promise<PackedPackage> {
  const { stdout } = await run("npm", ["pack", "--ignore-scripts", "--json", "--pack-destination", folder], {
    cwd: CHECKOUT,
  });
  const [packed] = packing.parse(JSON.parse(stdout));
  if (!packed) throw new Error("npm packed nothing");
  const { filename, files, size, unpackedSize } = packed;
  return { tarball: join(folder, filename), files: files.map(({ path }) => path), size, unpackedSize };
}

/** A project that has installed the tarball with npm, and not the peer `@pulumi/pulumi`. */
export async function installedProject(folder: string, tarball: string): Promise<UserProject> {
  await writePackage(folder, { "pulumi-keyvault": `file:${tarball}` });
  const quiet = ["--no-audit", "--no-fund", "--ignore-scripts", "--omit=peer", "--legacy-peer-deps"];
  await run("npm", ["install", "--prefer-offline", ...quiet], { cwd: folder });
  return userProject(folder);
}

/** A project to which the checkout is linked, as `npm link` does it. */
export async function linkedProject(folder: string): Promise<UserProject> {
  await writePackage(folder, {});
  await mkdir(join(folder, "node_modules"));
  await symlink(CHECKOUT, join(folder, "node_modules", "pulumi-keyvault"), "dir");
  return userProject(folder);
}

/** Puts a package of the checkout's into the project's `node_modules`. */
export async function addFromCheckout(project: UserProject, name: string): Promise<void> {
  const target = join(project.folder, "node_modules", name);
  await mkdir(dirname(target), { recursive: true });
  await symlink(join(CHECKOUT, "node_modules", name), target, "dir");
}

export async function removeFolder(folder: string): Promise<void> {
  await rm(folder, { recursive: true, force: true });
}

function userProject(folder: string): UserProject {
  return {
    folder,
    async runJson(...args) {
      const { stdout } = await run(process.execPath, args, { cwd: folder });
      return JSON.parse(stdout);
    },
  };
}

async function writePackage(folder: string, dependencies: Record<string, string>): Promise<void> {
  await mkdir(folder, { recursive: true });
  await writeFile(join(folder, "package.json"), JSON.stringify({ name: "program", private: true, dependencies }));
}
