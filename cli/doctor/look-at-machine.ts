import { readFile } from "node:fs/promises";
import { createRequire } from "node:module";
import { join } from "node:path";
import { isRecord } from "../../provider/engine/input-check.js";
import { CliError } from "../failure/cli-error.js";
import { runEngine } from "../stack/engine-run.js";
import type { Check } from "./diagnosis.js";

/** The oldest ones that work, as the README and the package say. */
export const OLDEST = { node: "22.13.0", pulumi: "3.259.0", sdk: "3.216.0" } as const;

/** The versions of what runs programs here. Without an engine the commands work all the same. */
export async function lookAtMachine(folder: string = process.cwd()): Promise<Check[]> {
  return [nodeCheck(process.versions.node), await engineCheck(), await sdkCheck(folder)];
}

export function nodeCheck(version: string): Check {
  return isAtLeast(version, OLDEST.node)
    ? { check: "node", result: "ok", found: `Node.js ${version}` }
    : {
        check: "node",
        result: "failed",
        found: `Node.js ${version} is older than ${OLDEST.node}`,
        remedy: `install Node.js ${OLDEST.node} or newer`,
      };
}

async function engineCheck(): Promise<Check> {
  const check = "pulumi";
  try {
    const { exitCode, stdout } = await runEngine(["version"]);
    const version = /^v?(\d+\.\d+\.\d+)/.exec(stdout.trim())?.[1];
    if (exitCode !== 0 || version === undefined) {
      return { check, result: "warning", found: `pulumi on PATH does not tell its version (exit code ${exitCode})` };
    }
    if (isAtLeast(version, OLDEST.pulumi)) return { check, result: "ok", found: `Pulumi ${version}` };
    return {
      check,
      result: "warning",
      found: `Pulumi ${version} is older than ${OLDEST.pulumi}`,
      remedy: "install a newer one: exit codes of drift and import files need it",
    };
  } catch (error) {
    if (!(error instanceof CliError)) throw error;
    return {
      check,
      result: "warning",
      found: "there is no pulumi on PATH, which stacks and `drift` need",
      remedy: "install the Pulumi CLI (https://www.pulumi.com/docs/install)",
    };
  }
}

async function sdkCheck(folder: string): Promise<Check> {
  const check = "sdk";
  const version = await installedVersion(folder, "@pulumi/pulumi");
  if (version === undefined) {
    return { check, result: "skipped", found: "no @pulumi/pulumi in this folder, so it is no project of Node.js" };
  }
  if (isAtLeast(version, OLDEST.sdk)) return { check, result: "ok", found: `@pulumi/pulumi ${version}` };
  return {
    check,
    result: "failed",
    found: `@pulumi/pulumi ${version} is older than ${OLDEST.sdk}: with it a refresh loses the drift`,
    remedy: "npm install @pulumi/pulumi@3",
  };
}

async function installedVersion(folder: string, name: string): Promise<string | undefined> {
  try {
    const path = createRequire(join(folder, "package.json")).resolve(`${name}/package.json`);
    const manifest: unknown = JSON.parse(await readFile(path, "utf8"));
    return isRecord(manifest) && typeof manifest.version === "string" ? manifest.version : undefined;
  } catch {
    return undefined;
  }
}

function isAtLeast(version: string, oldest: string): boolean {
  const have = version.split(".").map(Number.parseFloat);
  for (const [place, wanted] of oldest.split(".").map(Number).entries()) {
    const number = have[place] ?? 0;
    if (number !== wanted) return number > wanted;
  }
  return true;
}
