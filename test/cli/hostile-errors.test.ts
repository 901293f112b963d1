import { describe, expect, it } from "vitest";
import { runCommand } from "./command-line.js";
import { hostileVault } from "./hostile-vault.js";

const WORDS =
  "\u001b[2J\u009b31m\u202ex\n##vso[task.complete result=Failed]\n::error::x\r\n##[error]y\n  ::stop-commands::z";

/** What a terminal or a build agent would obey on standard error. */
function expectInert(stderr: string): void {
  expect(stderr.replaceAll("\n", "")).not.toMatch(/[\p{Cc}\p{Cf}\p{Zl}\p{Zp}]/u);
  expect(stderr).not.toMatch(/##\w*\[/);
  expect(stderr.split("\n").filter((line) => line.trimStart().startsWith("::"))).toEqual([]);
}

describe("an error that quotes a vault, a server or a program", () => {
  it.each(["inventory", "adopt"])("is inert: %s", async (command) => {
    const body = { error: { code: "Forbidden", message: WORDS, innererror: { code: WORDS } } };
    const vault = await hostileVault({ "/keys": { status: 403, body }, "/secrets": { status: 403, body } });
    try {
      const run = await runCommand([command, "--vault", vault.url, "--credential", "token"], {
        env: { KEYVAULT_TOKEN: "x" },
      });
      expect(run).toMatchObject({ exitCode: 1, stdout: "" });
      expect(run.stderr).toMatch(new RegExp(`^pulumi-keyvault ${command}: KV_FORBIDDEN: `));
      expectInert(run.stderr);
    } finally {
      await vault.close();
    }
  });

  it("is inert: drift of a preview that failed", async () => {
    const preview = { steps: [], diagnostics: [{ severity: "error", message: `error: Preview failed: ${WORDS}` }] };
    const run = await runCommand(["drift", "--from", "-"], { input: JSON.stringify(preview) });
    expect(run).toMatchObject({ exitCode: 1, stdout: "" });
    expect(run.stderr).toContain("KV_PREVIEW_FAILED");
    expectInert(run.stderr);
  });

  it("is inert: what was typed", async () => {
    for (const args of [
      ["inventory", `--${WORDS}`],
      ["drift", "--from", WORDS],
      ["adopt", "--vault", WORDS],
      [WORDS],
    ]) {
      const run = await runCommand(args);
      expect(run.exitCode).toBe(1);
      expectInert(run.stderr);
    }
  });
});
