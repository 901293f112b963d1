import { existsSync, readFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { expect, test } from "vitest";

const ROOM = join(__dirname, "../../provider/keyvault");

/** Packages that a module loads with itself: static imports that are not of types alone, and so down. */
function packagesOf(file: string, seen = new Set<string>()): Set<string> {
  const packages = new Set<string>();
  if (seen.has(file)) return packages;
  seen.add(file);
  for (const [statement, clause, from = ""] of readFileSync(file, "utf8").matchAll(
    /^(?:import|export) ([^;]*?)from "([^"]+)";/gms,
  )) {
    if (/^(import|export) type /.test(statement) || isTypesOnly(clause)) continue;
    const target = join(dirname(file), from.replace(/\.js$/, ".ts"));
    if (!from.startsWith(".")) packages.add(from);
    else if (existsSync(target)) for (const each of packagesOf(target, seen)) packages.add(each);
  }
  return packages;
}

function isTypesOnly(clause = ""): boolean {
  const names =
    /^\{([\s\S]*)\}\s*$/
      .exec(clause.trim())?.[1]
      ?.split(",")
      .map((name) => name.trim()) ?? [];
  return names.length > 0 && names.every((name) => name === "" || name.startsWith("type "));
}

test.each(["errors.ts", "identifier.ts", "../sign-in/credential.ts"])("%s loads no package", (file) => {
  expect([...packagesOf(join(ROOM, file))].filter((name) => !name.startsWith("node:"))).toEqual([]);
});

test("the client loads zod; undici and @azure/identity come with the first request", () => {
  expect([...packagesOf(join(ROOM, "client.ts"))].filter((name) => !name.startsWith("node:"))).toEqual(["zod"]);
});

test.each([
  "key/key-lifecycle.ts",
  "key/check-key.ts",
  "secret/secret-lifecycle.ts",
  "secret/check-secret.ts",
  "key-set/key-set-lifecycle.ts",
  "material/key-source.ts",
  "backup/key-backup.ts",
  "backup/secret-backup.ts",
  "vault-backup/vault-backup-lifecycle.ts",
  "inventory/inventory-lifecycle.ts",
])("%s checks and compares without zod: schemas of state come with the first call that reads it", (file) => {
  expect([...packagesOf(join(ROOM, "..", file))]).not.toContain("zod");
});
