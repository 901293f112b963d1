import { execFileSync } from "node:child_process";
import { join } from "node:path";
import { expect, test } from "vitest";
import { shellLines } from "../../tools/engine/shell-lines.mjs";

const SETTINGS = {
  folders: ["/my cache/it's here"],
  stateFolder: "/my data/state",
  passphraseFile: "/my data/it's a passphrase",
};

/** What a shell knows after it has read the lines. */
function evaluate(env: Record<string, string>): Record<string, string> {
  const lines = shellLines(SETTINGS, env);
  const script = `${lines.join("\n")}\nfor name in PATH PULUMI_BACKEND_URL PULUMI_CONFIG_PASSPHRASE PULUMI_CONFIG_PASSPHRASE_FILE PULUMI_SKIP_UPDATE_CHECK; do eval "printf '%s=%s\\n' $name \\"\\$$name\\""; done`;
  const text = execFileSync("/bin/sh", ["-c", script], { env: { PATH: "/own path", ...env }, encoding: "utf8" });
  return Object.fromEntries(
    text
      .trim()
      .split("\n")
      .map((line) => line.split(/=(.*)/s)),
  );
}

test("the lines survive spaces and quotes in folders", () => {
  expect(evaluate({})).toEqual({
    PATH: `/my cache/it's here:${join(process.execPath, "..")}:/own path`,
    PULUMI_BACKEND_URL: "file:///my%20data/state",
    PULUMI_CONFIG_PASSPHRASE: "",
    PULUMI_CONFIG_PASSPHRASE_FILE: "/my data/it's a passphrase",
    PULUMI_SKIP_UPDATE_CHECK: "true",
  });
});

test("what the shell says about its backend and passphrase stands", () => {
  const own = { PULUMI_BACKEND_URL: "s3://own", PULUMI_CONFIG_PASSPHRASE: "" };
  expect(evaluate(own)).toMatchObject({ ...own, PULUMI_CONFIG_PASSPHRASE_FILE: "" });
});

test("a user who is logged in keeps that backend", () => {
  expect(shellLines({ ...SETTINGS, stateFolder: undefined }, {}).join("\n")).not.toContain("PULUMI_BACKEND_URL");
});

test("every line is an export", () => {
  for (const line of shellLines(SETTINGS, {})) expect(line).toMatch(/^export [A-Z_]+=/);
});
