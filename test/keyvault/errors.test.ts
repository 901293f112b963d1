import { readFileSync } from "node:fs";
import { join } from "node:path";
import { expect, test } from "vitest";
import { isKeyVaultError, KeyVaultError } from "../../provider/keyvault/errors.js";

const SOURCES = ["provider/keyvault/errors.ts", "cli/failure/cli-error.ts"].map((file) =>
  join(__dirname, "../..", file),
);
const PAGE = join(__dirname, "../../docs/errors.md");

test("the page of errors has a row for every code, and no others", () => {
  const text = SOURCES.map((source) => readFileSync(source, "utf8")).join("\n");
  const codes = [...text.matchAll(/^ {2}\| "(KV_[A-Z_]+)"/gm)].map(([, code]) => code);
  const rows = [...readFileSync(PAGE, "utf8").matchAll(/^\| `(KV_[A-Z_]+)` +\|/gm)].map(([, code]) => code);
  expect(codes.length).toBeGreaterThan(10);
  expect(rows).toEqual(codes);
});

test("what was not told is absent, and whether to retry follows from the code", () => {
  const error = new KeyVaultError("KV_BUSY", "It is being deleted");
  expect(Object.keys(error).sort()).toEqual(["code", "hint", "mayHaveHappened", "name", "retryable"]);
  expect([error.retryable, error.cause, error.message]).toEqual([true, undefined, "It is being deleted"]);
  expect(new KeyVaultError("KV_FORBIDDEN", "No").retryable).toBe(false);
});

test("the hint ends the message", () => {
  expect(new KeyVaultError("KV_CONFLICT", "It failed", { hint: "wait." }).message).toBe("It failed: wait.");
  expect(new KeyVaultError("KV_CONFLICT", "It failed.", { hint: "wait." }).message).toBe("It failed. Wait.");
});

test("an error and its causes cannot speak to a terminal; line feeds and tabs stay", () => {
  const text = "a\u001b]0;x\u0007b\r\u202ec\n\td";
  const error = new KeyVaultError("KV_CONFLICT", text, { hint: text, version: text, cause: new Error(text) });
  const shown = "a\\u001b]0;x\\u0007b\\u000d\\u202ec\n\td";
  expect([error.message, error.hint, error.version]).toEqual([shown, shown, shown]);
  expect(error.cause).toMatchObject({ message: shown });
});

test("an error is narrowed by its code", () => {
  const error: unknown = new KeyVaultError("KV_NOT_FOUND", "gone");
  expect([isKeyVaultError(error), isKeyVaultError(error, "KV_NOT_FOUND"), isKeyVaultError(error, "KV_BUSY")]).toEqual([
    true,
    true,
    false,
  ]);
  expect(isKeyVaultError(new Error("gone"))).toBe(false);
});
