import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { inspect } from "node:util";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { key } from "../../provider/dynamic-v1.js";
import { readKeySource } from "../../provider/material/key-source.js";
import { MaterialError } from "../../provider/material/material-error.js";
import { shownPath, shownVariable } from "../../provider/material/shown-place.js";
import { ecKey, pemOf, rsaKey } from "./sample-keys.js";

let cwd = "";
beforeAll(() => {
  cwd = mkdtempSync(join(tmpdir(), "shown-place-"));
  mkdirSync(join(cwd, "secrets"));
  writeFileSync(join(cwd, "id_rsa"), "");
});
afterAll(() => rmSync(cwd, { recursive: true, force: true }));

const der = (kind: "pkcs8" | "sec1") => ecKey().export({ type: kind, format: "der" });
const secrets: [string, string][] = [
  ["PEM", pemOf(rsaKey())],
  ["PEM with escaped line breaks", pemOf(ecKey()).replaceAll("\n", "\\n")],
  ["PEM without its lines", pemOf(ecKey()).split("\n")[1] ?? ""],
  ["base64", der("pkcs8").toString("base64")],
  ["base64 with slashes in all places", `${"ab/".repeat(50)}==`],
  ["base64 that begins with a slash", `/${"aB9x".repeat(8)}`],
  ["short base64 that begins with a slash", "/9j4AAQSkZJRg"],
  ["base64url", der("sec1").toString("base64url")],
  ["hexadecimal digits", der("sec1").toString("hex")],
  ["a JWK", JSON.stringify(ecKey().export({ format: "jwk" }))],
  ["a passphrase", "hunter2"],
  ["a passphrase in upper case", "JBSWY3DPEHPK3PXP"],
  ["a passphrase of words", "correct horse battery staple"],
  ["a passphrase with dots and dashes", "correct-horse.battery"],
  ["a passphrase with a slash", "correct/horse"],
  ["a passphrase of signs", "p@ss=w0rd;<>"],
  ["a token", "eyJhbGciOiJkaXIifQ.eyJzdWIiOiJ4In0.c2lnbmF0dXJl"],
  ["a connection string", "AccountName=a;AccountKey=b3JkZXJz=="],
];

describe("a secret in the place of a path or a name is shown nowhere", () => {
  const places: [string, (text: string) => unknown][] = [
    ["import.file", (text) => ({ file: text })],
    ["import.env", (text) => ({ env: text })],
    ["passphrase.file", (text) => ({ pem: pemOf(ecKey()), passphrase: { file: text } })],
    ["passphrase.env", (text) => ({ pem: pemOf(ecKey()), passphrase: { env: text } })],
  ];
  const rows = places.flatMap(([place, source]) => secrets.map(([what, text]) => ({ place, what, text, source })));

  test.each(rows)("$what as $place", async ({ text, source }) => {
    const pieces = [text, text.slice(0, 24), text.slice(-12), JSON.stringify(text).slice(1, -1)];
    const printed: string[] = [];
    try {
      printed.push(JSON.stringify(readKeySource(source(text), { cwd, env: {} })));
    } catch (error) {
      expect(error).toBeInstanceOf(MaterialError);
      printed.push(inspect(error, { depth: 9, showHidden: true }));
    }
    const { failures } = await key.check(
      {},
      { vaultUrl: "https://v.vault.azure.net", name: "a", import: source(text) },
    );
    printed.push(inspect(failures));
    expect(failures).toHaveLength(1);
    for (const piece of pieces) expect(printed.join().includes(piece), "a secret is shown").toBe(false);
  });

  test.each(secrets)("%s as restore.file", async (_what, text) => {
    const { failures } = await key.check(
      {},
      { vaultUrl: "https://v.vault.azure.net", name: "a", restore: { file: text } },
    );
    expect(failures).toHaveLength(1);
    for (const piece of [text, text.slice(0, 24), text.slice(-12)]) {
      expect(inspect(failures).includes(piece), "a secret is shown").toBe(false);
    }
  });
});

describe("a path is shown", () => {
  test.each(["secrets", "id_rsa", "secrets/orders", "./orders", "orders.pem", "secrets/orders key.P12", "./a-b_c.1"])(
    "where it exists, or its folder does and it is written like one: %s",
    (path) => {
      expect(shownPath(path, cwd)).toBe(JSON.stringify(join(cwd, path)));
    },
  );

  test("never where not even its folder exists, and then says what it is", () => {
    expect(shownPath("nowhere/orders.pem", cwd)).toMatch(/^"…" \(not shown: text of 18 characters, which may be/);
    expect(shownPath(pemOf(rsaKey()), cwd)).toMatch(/: text of 1,7\d\d characters that looks like PEM, which/);
  });
});

describe("a variable's name is shown", () => {
  test.each(["KEY", "SIGNING_KEY", "AZURE_KEY_2", "CI_JOB_SECRET"])("where it is written like one: %s", (name) => {
    expect(shownVariable(name, {})).toBe(`environment variable ${name}`);
  });

  test("of any form where it is set", () => {
    expect(shownVariable("signingKey", { signingKey: "" })).toBe("environment variable signingKey");
    expect(shownVariable("signingKey", {})).toMatch(/^an environment variable whose name is not shown \(text of 10/);
  });
});
