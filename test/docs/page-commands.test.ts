import { spawn } from "node:child_process";
import { existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { delimiter, dirname, join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { readFleet } from "../../cli/fleet/fleet-file.js";
import { type Emulator, startEmulator } from "../../emulator/index.js";
import { commandLine, compiled, ended } from "../cli/command-line.js";
import { encryptedPem } from "../engine/key-pem.js";
import { call, secretClient } from "../engine/vault-by-hand.js";
import { type Block, pages, root } from "./page.js";

/** Pages whose commands are run here: on embedded vaults, with a stand-in for the engine and for `az`. */
const HERE: ReadonlySet<string> = new Set([
  "docs/byok.md",
  "docs/doctor.md",
  "docs/drift.md",
  "docs/inventory.md",
  "docs/key-sets.md",
  "docs/ownership.md",
  "docs/report.md",
]);

/** What does the same as the commands of the other pages. The guides are read by `test/engine/guides.test.ts` itself. */
const ELSEWHERE: Record<string, string> = {
  "CONTRIBUTING.md": "test/tools/contributing.test.ts",
  // What follows its first program is run by the demo, or takes a vault of Azure.
  "README.md": "test/engine/first-program.test.ts",
  "docs/reliability.md": "test/simulation/simulation.test.ts",
  "examples/adopt/README.md": "test/engine/adopt-example.test.ts",
  "examples/backup-and-restore/README.md": "test/engine/restore-example.test.ts",
  "examples/drift-pipeline/README.md": "test/engine/drift-example.test.ts",
  "examples/fleet/README.md": "test/engine/fleet-example.test.ts",
  "examples/go/README.md": "test/engine/go-examples.test.ts",
  "examples/import-key/README.md": "test/tools/demo.test.ts",
  "examples/inventory/README.md": "test/engine/key-inventory-example.test.ts",
  "examples/key-set/README.md": "test/engine/key-set-example.test.ts",
  "examples/policy/README.md": "test/engine/policy-pack.test.ts",
  "examples/python/README.md": "test/engine/python-examples.test.ts",
  "examples/yaml/README.md": "test/engine/yaml-examples.test.ts",
};

/** Those of the languages have one test. */
const LANGUAGE_EXAMPLES = /^examples\/(?:go|python|yaml)\//;

const blocks = pages().flatMap(({ path, blocks }) =>
  blocks
    .filter(({ language, note }) => (language === "sh" || language === "bash") && note === "")
    .map((block): [page: string, block: Block] => [path, block]),
);

it("every command of every page is run by a test, or stands as one for elsewhere", () => {
  const guides = readFileSync(join(root, "test/engine/guides.test.ts"), "utf8");
  const unrun = blocks.filter(([page]) => {
    const other = ELSEWHERE[page];
    return !HERE.has(page) && !guides.includes(`"${page}"`) && !(other && existsSync(join(root, other)));
  });
  expect(unrun.map(([, { place }]) => place)).toEqual([]);
});

it("the commands of each example are taken from its README by its test, which runs all of them", () => {
  const examples = Object.entries(ELSEWHERE).filter(([page]) => page.startsWith("examples/"));
  expect(examples.length).toBeGreaterThan(8);
  const repeated = examples.filter(([page, test]) => {
    const text = readFileSync(
      join(root, LANGUAGE_EXAMPLES.test(page) ? "test/engine/language-examples.ts" : test),
      "utf8",
    );
    const name = page.replace(LANGUAGE_EXAMPLES, `examples/\${language}/`);
    const isTaken = ['"', "`"].some((quote) => text.includes(`new ReadmeCommands(${quote}${name}${quote}`));
    return !isTaken || !text.includes("expect(readme.left).toEqual([])");
  });
  expect(repeated).toEqual([]);
});

it("the fleet file that a page shows is one", async () => {
  const shown = pages()
    .find(({ path }) => path === "docs/report.md")
    ?.blocks.find(({ language }) => language === "json");
  const file = join(mkdtempSync(join(tmpdir(), "keyvault-fleet-")), "fleet.json");
  writeFileSync(file, shown?.text ?? "");
  expect(await readFleet(file)).toMatchObject({ vaults: { length: 2 }, stacks: ["prod", "staging"] });
  rmSync(dirname(file), { recursive: true });
});

// What stands in for the engine is a script for a shell.
describe.skipIf(process.platform === "win32")("a command of a page does what the page has it do", () => {
  const folder = mkdtempSync(join(tmpdir(), "keyvault-pages-"));
  let vault: Emulator;

  beforeAll(async () => {
    vault = await startEmulator({ vaults: ["contoso"] });
    await call(vault, "POST", "/keys/exchange/create", { kty: "RSA-HSM", key_size: 4096, key_ops: ["import"] });
    await call(vault, "POST", "/keys/orders-signing/create", { kty: "EC" });
    await secretClient(vault).setSecret("db", "a value");
    writeFileSync(join(folder, "signing.pem"), encryptedPem("of a page"));
    const fixture = join(__dirname, "../cli/fixtures/clean-preview.json");
    writeFileSync(join(folder, "state.json"), JSON.stringify({ deployment: { resources: [] } }));
    script("pulumi", `case "$1" in preview) cat "${fixture}" ;; stack) cat "${join(folder, "state.json")}" ;; esac`);
    script("pulumi-keyvault", `exec "${process.execPath}" "${commandLine}" "$@"`);
    script("npx", 'exec "$@"');
    script("az", "exit 0");
  });
  afterAll(async () => {
    await vault.close();
    rmSync(folder, { recursive: true });
  });

  function script(name: string, text: string): void {
    mkdirSync(join(folder, "bin"), { recursive: true });
    writeFileSync(join(folder, "bin", name), `#!/bin/sh\n${text}\n`, { mode: 0o755 });
  }

  it.each(blocks.filter(([page]) => HERE.has(page)).map(([, block]): [string, Block] => [block.place, block]))(
    "%s",
    async (_place, { text }) => {
      const local = text.replaceAll("https://contoso.vault.azure.net", vault.url);
      const env = {
        PATH: [join(folder, "bin"), process.env.PATH].join(delimiter),
        NODE_COMPILE_CACHE: compiled,
        AZURE_KEYVAULT_URL: vault.url,
        KEYVAULT_CREDENTIAL: "token",
        KEYVAULT_TOKEN: vault.token,
        SIGNING_PASS: "of a page",
      };
      const { exitCode, stderr } = await ended(
        spawn("bash", ["-e", "-o", "pipefail", "-c", local], { cwd: folder, env, stdio: ["ignore", "pipe", "pipe"] }),
      );
      expect({ exitCode, stderr }).toEqual({ exitCode: 0, stderr: expect.not.stringContaining("KV_") });
    },
  );
});
