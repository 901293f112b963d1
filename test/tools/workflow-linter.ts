import { spawnSync } from "node:child_process";
import { resolve } from "node:path";

const FOLDER = resolve(__dirname, "../../tools/workflow-linter");

/** Checks workflows of GitHub, and gives what is wrong with them: nothing where all is well. */
export interface WorkflowLinter {
  lint?: (files: readonly string[]) => string;
  /** Why there is none, for the name of a test. */
  why: string;
}

/** An actionlint on PATH, else one that Go builds from its module once; else the reason why there is none. */
export function findWorkflowLinter(): WorkflowLinter {
  if (spawnSync("actionlint", ["--version"]).status === 0) return { lint: linting("actionlint"), why: "" };
  const build = spawnSync("go", ["tool", "actionlint", "--version"], { cwd: FOLDER, timeout: 150_000 });
  if (build.status === 0) return { lint: linting("go", "tool", "actionlint"), why: "" };
  const reason = build.error ? "there is neither actionlint nor Go on PATH" : "Go could not build actionlint";
  return { why: ` (skipped: ${reason})` };
}

function linting(program: string, ...args: string[]): (files: readonly string[]) => string {
  return (files) => {
    const run = spawnSync(program, [...args, ...files], { cwd: FOLDER, encoding: "utf8" });
    return run.status === 0 ? "" : `${run.stdout}${run.stderr}`;
  };
}
