import { execFileSync, spawnSync } from "node:child_process";
import {
  chmodSync,
  closeSync,
  copyFileSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  openSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  statSync,
  writeFileSync,
  writeSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { DatabaseSync } from "node:sqlite";
import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import { startEmulator } from "../../emulator/index.js";
import { openVault, refusal } from "./open-vault.js";

let folder: string;
let store: string;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), "store-file-"));
  store = join(folder, "dev.vault");
});
afterEach(() => rmSync(folder, { recursive: true, force: true }));

const refused = (fault: string, message: RegExp, path = store, create = true) =>
  expect(startEmulator({ store: path, create })).rejects.toMatchObject({
    code: "KV_INVALID_INPUT",
    fault,
    message: expect.stringMatching(message),
  });

/** Bytes, mode and neighbours of a file. */
const stateOf = (path: string) => ({
  bytes: readFileSync(path).toString("hex"),
  mode: statSync(path).mode,
  around: readdirSync(folder).sort(),
});

describe("a file that is no store", () => {
  const marked = "PRAGMA application_id = 42";
  it.each([
    ["with a mark of its own", [marked, "CREATE TABLE theirs (x)"]],
    ["without a mark", ["CREATE TABLE theirs (x)"]],
    ["with a mark and nothing else", [marked, "VACUUM"]],
    ["with a version and nothing else", ["PRAGMA user_version = 7", "VACUUM"]],
    [
      "with as many tables as need a second page",
      Array.from({ length: 100 }, (_, index) => `CREATE TABLE t${index} (x)`),
    ],
    ["in WAL mode", ["PRAGMA journal_mode = WAL", "CREATE TABLE theirs (x)"]],
  ])("is another program's, %s, and stays as it is", async (_, statements) => {
    const other = new DatabaseSync(store);
    for (const statement of statements) other.exec(statement);
    other.close();
    chmodSync(store, 0o644);
    const before = stateOf(store);
    await refused("foreign", /dev\.vault is a database of another program, and was left as it is/);
    expect(stateOf(store)).toEqual(before);
  });

  it("is another program's while that program is at work on it", async () => {
    const other = new DatabaseSync(store);
    other.exec("PRAGMA journal_mode = WAL; CREATE TABLE theirs (x)");
    const before = { bytes: readFileSync(store).toString("hex"), mode: statSync(store).mode };
    await refused("foreign", /another program/);
    expect({ bytes: readFileSync(store).toString("hex"), mode: statSync(store).mode }).toEqual(before);
    expect(other.prepare("PRAGMA journal_mode").get()).toEqual({ journal_mode: "wal" });
    other.close();
  });

  it.each([
    ["text", Buffer.from("secrets: none\n")],
    ["a byte", Buffer.from("x")],
    ["no more than the first words of a database", Buffer.from("SQLite format 3\0")],
    ["zeros", Buffer.alloc(8192)],
  ])("is %s", async (_, content) => {
    writeFileSync(store, content, { mode: 0o644 });
    const before = stateOf(store);
    await refused("notADatabase", /dev\.vault is no database/);
    expect(stateOf(store)).toEqual(before);
  });

  it("has our mark and damage behind it", async () => {
    await (await openVault({ store })).emulator.close();
    const file = openSync(store, "r+");
    writeSync(file, Buffer.alloc(400, 0xff), 0, 400, 100);
    closeSync(file);
    await refused("notADatabase", /no database, or a damaged one/);
  });

  it("was written by a newer emulator, or by one that is too old", async () => {
    for (const [version, fault] of [
      [99, "newer"],
      [0, "older"],
    ] as const) {
      rmSync(store, { force: true });
      const other = new DatabaseSync(store);
      other.exec(`PRAGMA application_id = ${0x4b56454d}; PRAGMA user_version = ${version}; CREATE TABLE ours (x)`);
      other.close();
      const before = stateOf(store);
      await refused(fault, new RegExp(`schema ${version}, this one reads 1`));
      expect(stateOf(store)).toEqual(before);
    }
  });

  it("is a folder, or a FIFO that nobody writes to", async () => {
    await refused("notAFile", /is a folder: name a file/, folder);
    execFileSync("mkfifo", [store]);
    await refused("notAFile", /is no regular file/);
  });

  it("is in a folder that is not there, or below a file", async () => {
    await refused("missingFolder", /there is no folder .*\/none: make it first/, join(folder, "none", "dev.vault"));
    writeFileSync(store, "");
    await refused("missingFolder", /a part of its path is no folder/, join(store, "dev.vault"));
  });

  it.skipIf(process.getuid?.() === 0)("cannot be read, or not be made", async () => {
    await (await openVault({ store })).emulator.close();
    chmodSync(store, 0);
    await refused("unreadable", /cannot be read \(EACCES\): check its owner/);
    mkdirSync(join(folder, "closed"), { mode: 0o500 });
    await refused("unreadable", /cannot be written to \(EACCES\)/, join(folder, "closed", "dev.vault"));
  });
});

describe("a file that is not there", () => {
  it("is not made by who only reads", async () => {
    await refused("missing", /There is no embedded vault .*dev\.vault: check the path/, store, false);
    expect(existsSync(store)).toBe(false);
    writeFileSync(store, "");
    await refused("missing", /is empty/, store, false);
    expect(readFileSync(store)).toHaveLength(0);
  });

  it("is made by who writes, and then open to who only reads", async () => {
    writeFileSync(store, "", { mode: 0o644 });
    const { call } = await openVault({ store });
    await call("PUT", "/secrets/a", { value: "x" });
    const reader = await openVault({ store, create: false });
    expect((await reader.call("GET", "/secrets/a")).body.value).toBe("x");
    expect(statSync(store).mode & 0o777).toBe(0o600);
  });

  it("is taken up where its maker died before the mark was in the file itself", async () => {
    const { emulator } = await openVault({ store });
    const copy = join(folder, "copy.vault");
    for (const suffix of ["", "-wal"]) copyFileSync(`${store}${suffix}`, `${copy}${suffix}`);
    expect(readFileSync(copy).readUInt32BE(68)).toBe(0);
    const { call } = await openVault({ store: copy, create: false });
    expect((await call("GET", "/secrets")).status).toBe(200);
    await emulator.close();
  });
});

describe("a file that goes away while it is in use", () => {
  it.each([
    ["removed", () => rmSync(store)],
    [
      "replaced",
      () => {
        copyFileSync(store, `${store}.copy`);
        renameSync(`${store}.copy`, store);
      },
    ],
  ])("takes no writes any more when it was %s", async (_, change) => {
    const { call } = await openVault({ store });
    expect((await call("PUT", "/secrets/a", { value: "x" })).status).toBe(200);
    change();
    expect(await call("PUT", "/secrets/a", { value: "y" })).toMatchObject(
      refusal(500, "InternalServerError", /was removed or replaced while it was in use: start it again/),
    );
    await vi.waitFor(async () => expect((await call("GET", "/secrets/a")).status).toBe(500));
  });
});

it("a Node.js without node:sqlite is told which one it takes", () => {
  const program = `
    process.getBuiltinModule = () => undefined;
    require(${JSON.stringify(join(__dirname, "../../dist/emulator/index.js"))})
      .startEmulator()
      .catch(({ code, fault, message }) => console.log(JSON.stringify({ code, fault, message })));`;
  const { stdout } = spawnSync(process.execPath, ["-e", program], { encoding: "utf8" });
  expect(JSON.parse(stdout)).toEqual({
    code: "KV_INVALID_INPUT",
    fault: "noDatabase",
    message: `The embedded vault needs Node.js 22.13 or newer, which has node:sqlite; this is ${process.version}.`,
  });
});
