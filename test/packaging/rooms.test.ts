import { spawnSync } from "node:child_process";
import { cpSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";

const root = join(__dirname, "../..");

/** An import, planted in a room, and whether the house allows it. */
const planted: [string, string, boolean][] = [
  ["provider/key/planted.ts", "../secret/secret-kind.js", false],
  ["provider/secret/planted.ts", "../key/key-kind.js", false],
  ["provider/object/planted.ts", "../key/key-kind.js", false],
  ["provider/object/planted.ts", "../backup/backup-file.js", false],
  ["provider/vault/planted.ts", "../object/owner-tag.js", false],
  ["provider/engine/planted.ts", "../vault/object-address.js", false],
  ["provider/backup/planted.ts", "../vault-backup/blob-store.js", false],
  ["provider/key-set/planted.ts", "../vault-backup/blob-store.js", false],
  ["provider/key/planted.ts", "../key-set/key-set-inputs.js", false],
  ["provider/key-set/planted.ts", "../key/key-lifecycle.js", true],
  ["provider/sign-in/planted.ts", "../vault/vault-access.js", false],
  ["provider/keyvault/planted.ts", "../sign-in/credential.js", false],
  ["provider/keyvault/planted.ts", "../engine/progress.js", false],
  ["provider/key/planted.ts", "../../sdk/key.js", false],
  ["provider/key/planted.ts", "../../plugin/wire-properties.js", false],
  ["sdk/planted.ts", "../plugin/wire-properties.js", false],
  ["plugin/planted.ts", "../sdk/key.js", false],
  ["plugin/planted.ts", "@pulumi/pulumi", false],
  ["plugin/planted.ts", "../provider/dynamic-v1.js", true],
  ["emulator/planted.ts", "../provider/engine/progress.js", false],
  ["provider/key/planted.ts", "../object/owner-tag.js", true],
  ["provider/object/planted.ts", "../vault/object-address.js", true],
  ["provider/vault/planted.ts", "../sign-in/credential.js", true],
];

describe("the linter", () => {
  let house: string;
  beforeAll(() => {
    house = mkdtempSync(join(tmpdir(), "rooms-"));
    cpSync(join(root, "biome.json"), join(house, "biome.json"));
  });
  afterAll(() => rmSync(house, { recursive: true, force: true }));

  it.each(planted)("in %s, an import of %s: allowed is %s", (file, imported, isAllowed) => {
    mkdirSync(dirname(join(house, file)), { recursive: true });
    writeFileSync(join(house, file), `import * as other from "${imported}";\n\nexport const planted = other;\n`);
    const run = spawnSync(join(root, "node_modules/.bin/biome"), ["lint", file], { cwd: house, encoding: "utf8" });
    rmSync(join(house, file));
    expect(run.status, run.stdout + run.stderr).toBe(isAllowed ? 0 : 1);
    if (!isAllowed) expect(run.stdout + run.stderr).toContain("noRestrictedImports");
  });
});
