import { mkdtempSync, realpathSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect, onTestFinished, test } from "vitest";
import { isSameVault } from "../../provider/vault/vault-identity.js";

test.each([
  ["https://v.vault.azure.net", "https://V.vault.azure.net:443/"],
  ["http://localhost:8080", "http://127.0.0.1:8080/"],
  ["http://[::1]:8080", "http://localhost.:8080"],
  ["https://127.1:8443", "https://[0:0:0:0:0:0:0:1]:8443"],
  ["embedded:./x", "embedded:x"],
  ["embedded:./a/../x", "embedded:x"],
])("%s and %s are one vault", (a, b) => {
  expect([isSameVault(a, b), isSameVault(b, a)]).toEqual([true, true]);
});

test.each([
  ["https://v.vault.azure.net", "https://w.vault.azure.net"],
  ["https://v.vault.azure.net", "https://v.vault.azure.net:8443"],
  ["http://localhost:8080", "http://localhost:8081"],
  ["http://localhost:8080", "https://localhost:8080"],
  ["http://localhost:8080", "http://a.localhost:8080"],
  ["http://127.0.0.1:8080", "http://127.0.0.2:8080"],
  ["http://127.0.0.1:8080", "http://127.0.0.1.localhost:8080"],
  ["embedded:./x", "embedded:./y"],
  ["embedded:memory", "embedded:./memory"],
  ["no vault", "no vault either"],
])("%s and %s are two vaults", (a, b) => {
  expect(isSameVault(a, b)).toBe(false);
});

test("an embedded vault is the same one through a link to its folder, before its file is there and after", () => {
  const folder = realpathSync(mkdtempSync(join(tmpdir(), "vault-identity-")));
  onTestFinished(() => rmSync(folder, { recursive: true, force: true }));
  const link = join(folder, "link");
  symlinkSync(folder, link);
  const isOne = () => isSameVault(`embedded:${join(folder, "dev.vault")}`, `embedded:${join(link, "dev.vault")}`);
  expect(isOne()).toBe(true);
  writeFileSync(join(folder, "dev.vault"), "");
  expect(isOne()).toBe(true);
  symlinkSync(join(folder, "dev.vault"), join(folder, "other.vault"));
  expect(isSameVault(`embedded:${join(folder, "dev.vault")}`, `embedded:${join(link, "other.vault")}`)).toBe(true);
});
