import { execFile } from "node:child_process";
import { createHash } from "node:crypto";
import { mkdtemp, readdir, readFile, rm, writeFile } from "node:fs/promises";
import { createServer, type Server } from "node:http";
import type { AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { promisify } from "node:util";
import { afterEach, beforeEach, expect, test } from "vitest";
import { provisionEngine } from "../../tools/engine/provision.mjs";
import { archiveName } from "../../tools/engine/release-archive.mjs";
import { CLI_VERSION } from "../../tools/engine/versions.mjs";
import { type FakeMachine, fakeMachine } from "./fake-machine.js";

let machine: FakeMachine;
let server: Server;
let answers: Map<string, Buffer | "silence">;

beforeEach(async () => {
  machine = await fakeMachine();
  await machine.addSystemProgram("tar");
  await machine.addSystemProgram("gzip");
  answers = new Map();
  server = createServer((request, response) => {
    const answer = answers.get(request.url ?? "");
    if (answer === "silence") return;
    response.statusCode = answer ? 200 : 404;
    response.end(answer);
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const site = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  machine.sites = { archives: `${site}/archives`, checksums: `${site}/checksums`, answerMs: 500 };
});
afterEach(async () => {
  server.closeAllConnections();
  server.close();
  await machine.remove();
});

const CHECKSUMS = `/checksums/v${CLI_VERSION}/pulumi-${CLI_VERSION}-checksums.txt`;
const ARCHIVE = `/archives/${archiveName(CLI_VERSION)}`;
const provision = () => provisionEngine(machine);

test("the official release is installed when its checksum matches", async () => {
  await serveRelease();
  const engine = await provision();
  expect(engine).toMatchObject({ source: "official release", version: CLI_VERSION });
  expect(await readdir(engine.binDir)).toEqual(["pulumi", "pulumi-language-nodejs", "pulumi-resource-pulumi-nodejs"]);
});

test("the hosts of other languages, which the release brings, come with it", async () => {
  await serveRelease(["pulumi-language-python", "pulumi-language-python-exec", "pulumi-watch"]);
  const files = await readdir((await provision()).binDir);
  expect(files.filter((name) => !name.includes("nodejs"))).toEqual([
    "pulumi",
    "pulumi-language-python",
    "pulumi-language-python-exec",
  ]);
});

test("an archive that does not match the checksum of its release is not used", async () => {
  await serveRelease();
  answers.set(ARCHIVE, Buffer.from("something else"));
  await expect(provision()).rejects.toThrow(/does not match the checksum of its release: it was not used/);
});

test("a release without a checksum for this machine is not used", async () => {
  await serveRelease();
  answers.set(CHECKSUMS, Buffer.from("0123  another.tar.gz\n"));
  await expect(provision()).rejects.toThrow(/lists no checksum for pulumi-v/);
});

test("a site that does not have the release is passed over", async () => {
  await expect(provision()).rejects.toThrow(/from the official release: .*checksums\.txt answered 404/);
});

test("a site that accepts and never answers is given up", async () => {
  answers.set(CHECKSUMS, "silence");
  await expect(provision()).rejects.toThrow(/is out of reach \(UND_ERR_HEADERS_TIMEOUT\)/);
});

test("archives are named as the official site names them", () => {
  expect(archiveName("3.274.1", "linux", "x64")).toBe("pulumi-v3.274.1-linux-x64.tar.gz");
  expect(archiveName("3.274.1", "darwin", "arm64")).toBe("pulumi-v3.274.1-darwin-arm64.tar.gz");
  expect(archiveName("3.274.1", "win32", "x64")).toBe("pulumi-v3.274.1-windows-x64.zip");
  expect(() => archiveName("3.274.1", "linux", "ppc64")).toThrow("there is no official release for linux on ppc64");
});

async function serveRelease(others: readonly string[] = []): Promise<void> {
  const folder = await mkdtemp(join(tmpdir(), "release-"));
  await machine.addEngine(join(folder, "pulumi"), CLI_VERSION);
  for (const name of others) await writeFile(join(folder, "pulumi", name), "", { mode: 0o755 });
  await promisify(execFile)("tar", ["-czf", join(folder, "release.tar.gz"), "-C", folder, "pulumi"]);
  const archive = await readFile(join(folder, "release.tar.gz"));
  await rm(folder, { recursive: true });
  answers.set(ARCHIVE, archive);
  answers.set(
    CHECKSUMS,
    Buffer.from(`${createHash("sha256").update(archive).digest("hex")}  ${archiveName(CLI_VERSION)}\n`),
  );
}
