import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, describe, expect, it } from "vitest";
import { armouredLines, canaryText, found, plantedKey } from "../provider/planted-secrets.js";
import { ended, startCommand } from "./command-line.js";

// A shell variable with the material itself where the name of a file, a vault or a credential belongs.

const planted = plantedKey();
const { jwk, forms } = planted;
const PEM = String(planted.key.export({ type: "pkcs8", format: "pem" }));
const BLOB = canaryText("blob", "-").repeat(40);
const PASSPHRASE = canaryText("passphrase");
const CANARIES = [BLOB, PASSPHRASE, ...Object.values(forms).flat(), ...armouredLines(PEM), jwk.d ?? ""];

const folder = mkdtempSync(join(tmpdir(), "misplaced-"));
afterAll(() => rmSync(folder, { recursive: true, force: true }));

const VAULT = ["--vault", "http://127.0.0.1:9"];
const BYOK = ["byok", "--key", "k.pem", "--kek", "kek", "--out", "o.byok", ...VAULT];

/** The option under test is added at the end: the last one counts. */
const READ: [option: string, args: string[]][] = [
  ["--fleet", ["inventory"]],
  ["--fleet", ["report"]],
  ["--fleet", ["drift"]],
  ["--drift", ["report", ...VAULT]],
  ["--from", ["drift"]],
  ["--seed-from", ["emulator"]],
  ["--key", BYOK],
  ["--passphrase-file", BYOK],
  ["--passphrase-env", BYOK],
  ["--kek-pem", BYOK],
];
/** A passphrase is a name for a file that is to be written as good as any. */
const WRITTEN: [option: string, args: string[]][] = [
  ["--output", ["report", ...VAULT]],
  ["--program", ["adopt", ...VAULT]],
  ["--store", ["emulator"]],
  ["--ca-file", ["emulator"]],
  ["--write-env", ["emulator"]],
];
const NAMES: [option: string, args: string[]][] = [
  ["--vault", ["inventory"]],
  ["--vault", ["adopt"]],
  ["--vault", ["report"]],
  ["--vault", ["emulator"]],
  ["--credential", ["inventory", ...VAULT]],
  ["--ignore", ["inventory", ...VAULT]],
  ["--only", ["adopt", ...VAULT]],
  ["--expires-within", ["inventory", ...VAULT]],
  ["--format", ["inventory", ...VAULT]],
  ["--fault", ["emulator"]],
  ["--port", ["emulator"]],
  ["--kek", BYOK],
];

/** One whose text is the name of a file as it stands: without a slash. */
function plainPem(): string {
  for (;;) {
    const text = String(plantedKey().key.export({ type: "pkcs8", format: "pem" }));
    if (!text.includes("/")) return text;
  }
}

async function told(args: readonly string[], misplaced: string): Promise<string> {
  const child = startCommand([...args, misplaced], { cwd: folder });
  child.stdin?.end();
  const { stdout, stderr, exitCode } = await ended(child);
  expect(exitCode).not.toBe(0);
  return stdout + stderr;
}

describe("a private key that could be the name of a file", () => {
  const pem = plainPem();

  it.each([
    ...WRITTEN,
    ["--import-file", ["adopt", ...VAULT]] as const,
    ["--to", ["backup", ...VAULT]] as const,
    ["--out", ["byok", "--key", "k.pem", "--kek", "kek", ...VAULT]] as const,
  ])("is none for %s of %j, and is not repeated", async (option, args) => {
    const text = await told([...args, option], pem);
    expect(text).toMatch(/KV_USAGE: a path has no control characters, and text of \d+ characters that looks like PEM/);
    expect(found(text, armouredLines(pem))).toEqual([]);
  });
});

describe.each([
  ["a private key", PEM, [...READ, ...WRITTEN, ...NAMES]],
  ["a blob", BLOB, [...READ, ...WRITTEN, ...NAMES]],
  ["a passphrase", PASSPHRASE, READ],
] as const)("%s in the place of a name", (_what, secret, rows) => {
  it.each(rows)("is not repeated for %s of %j", async (option, args) => {
    const text = await told([...args, option], secret);
    expect(text).toMatch(/KV_|error:/);
    expect(found(text, CANARIES)).toEqual([]);
  });
});
