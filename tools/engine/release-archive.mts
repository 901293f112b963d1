import { createHash } from "node:crypto";
import { createWriteStream } from "node:fs";
import { copyFile, mkdir, readdir, rm } from "node:fs/promises";
import { dirname, join } from "node:path";
import { Readable, Transform } from "node:stream";
import { pipeline } from "node:stream/promises";
import { EnvHttpProxyAgent, fetch } from "undici";
import { addDynamicHost, CLI, isExecutable, LANGUAGE_HOST } from "./engine-folder.mts";
import { elapsed, type Progress } from "./progress.mts";
import { run } from "./run.mts";
import type { Environment } from "./user-folders.mts";

export interface ReleaseSites {
  /** Where the official installer takes the archive from. */
  archives: string;
  /** Where each release has a folder with the checksums of its archives. */
  checksums: string;
  /** How long a site may take to begin its answer. */
  answerMs: number;
}

const OFFICIAL_SITES: ReleaseSites = {
  archives: "https://get.pulumi.com/releases/sdk",
  checksums: "https://github.com/pulumi/pulumi/releases/download",
  answerMs: 15_000,
};

/** A machine without a way out has to know soon: the build from Go modules comes next. */
const CONNECT_MS = 5_000;
const SILENCE_MS = 30_000;
const UNPACK_MS = 120_000;

/** Downloads the official release of `version` into `folder`, as the official installer does, and checks it against the release's checksums. */
export async function installRelease(
  version: string,
  folder: string,
  env: Environment,
  progress: Progress,
  sites: ReleaseSites = OFFICIAL_SITES,
): Promise<void> {
  const archive = archiveName(version);
  const dispatcher = new EnvHttpProxyAgent({
    connect: { timeout: CONNECT_MS },
    headersTimeout: sites.answerMs,
    bodyTimeout: SILENCE_MS,
  });
  const download = join(folder, archive);
  try {
    // The small file first: it tells whether the machine has a way out.
    const expected = findChecksum(
      await downloadText(`${sites.checksums}/v${version}/pulumi-${version}-checksums.txt`),
      archive,
    );
    const actual = await downloadFile(`${sites.archives}/${archive}`, download);
    if (actual !== expected) throw new Error(`${archive} does not match the checksum of its release: it was not used`);
  } finally {
    await dispatcher.destroy();
  }
  await unpack(download, folder, env);
  await addDynamicHost(folder);

  async function get(url: string) {
    const response = await fetch(url, { dispatcher }).catch((error: unknown) => {
      throw new Error(`${new URL(url).host} is out of reach (${reason(error)})`);
    });
    if (!response.ok || response.body === null) {
      throw new Error(`${url} answered ${response.status}`);
    }
    if (new URL(response.url).protocol !== new URL(url).protocol) {
      throw new Error(`${url} led to another protocol: it was not followed`);
    }
    return { body: response.body, size: Number(response.headers.get("content-length")) };
  }

  async function downloadText(url: string): Promise<string> {
    const { body } = await get(url);
    let text = "";
    for await (const chunk of Readable.fromWeb(body).setEncoding("utf8")) text += chunk;
    return text;
  }

  async function downloadFile(url: string, file: string): Promise<string> {
    const { body, size } = await get(url);
    const startedAt = Date.now();
    const hash = createHash("sha256");
    let received = 0;
    const watch = new Transform({
      transform(chunk: Buffer, _encoding, done) {
        received += chunk.length;
        hash.update(chunk);
        const of = size > 0 ? ` of ${megabytes(size)}` : "";
        progress.update(`  downloading pulumi ${version}: ${megabytes(received)}${of} MB, ${elapsed(startedAt)}`);
        done(null, chunk);
      },
    });
    await pipeline(Readable.fromWeb(body), watch, createWriteStream(file));
    return hash.digest("hex");
  }
}

/** The archive's name on the official site: `pulumi-v3.274.1-linux-x64.tar.gz`. */
export function archiveName(
  version: string,
  platform: NodeJS.Platform = process.platform,
  architecture: NodeJS.Architecture = process.arch,
): string {
  const system = { linux: "linux", darwin: "darwin", win32: "windows" }[platform as string];
  if (system === undefined || (architecture !== "x64" && architecture !== "arm64")) {
    throw new Error(`there is no official release for ${platform} on ${architecture}`);
  }
  return `pulumi-v${version}-${system}-${architecture}.${system === "windows" ? "zip" : "tar.gz"}`;
}

/** The SHA-256 of `archive` in a list of lines `<digest>  <name>`. */
function findChecksum(list: string, archive: string): string {
  for (const line of list.split("\n")) {
    const [digest, name] = line.trim().split(/\s+\*?/);
    if (name === archive && digest !== undefined && /^[0-9a-f]{64}$/i.test(digest)) return digest.toLowerCase();
  }
  throw new Error(`the release lists no checksum for ${archive}`);
}

async function unpack(archive: string, folder: string, env: Environment): Promise<void> {
  const unpacked = join(folder, "unpacked");
  await mkdir(unpacked);
  // Windows has had bsdtar, which reads zip files too, since 2018.
  const finished = await run("tar", ["-xf", archive, "-C", unpacked], { env, timeoutMs: UNPACK_MS });
  if (finished.exitCode !== 0) throw new Error(`the archive could not be unpacked: ${finished.stderr}`);
  const from = await findFolder(unpacked);
  // Beside the CLI the archive holds the language hosts of all languages.
  const hosts = (await readdir(from)).filter((name) => name.startsWith("pulumi-language-"));
  for (const part of new Set([CLI, LANGUAGE_HOST, ...hosts])) await copyFile(join(from, part), join(folder, part));
  await rm(unpacked, { recursive: true });
  await rm(archive);
}

/** `pulumi/`, and in the Windows archive `pulumi/bin/`. */
async function findFolder(unpacked: string): Promise<string> {
  for (const candidate of [join(unpacked, "pulumi", CLI), join(unpacked, "pulumi", "bin", CLI)]) {
    if (await isExecutable(candidate)) return dirname(candidate);
  }
  throw new Error("the archive holds no pulumi");
}

function megabytes(bytes: number): string {
  return (bytes / 1_000_000).toFixed(0);
}

function reason(error: unknown): string {
  const cause = error instanceof Error && error.cause instanceof Error ? error.cause : error;
  if (cause instanceof Error) return "code" in cause ? String(cause.code) : cause.message;
  return String(cause);
}
