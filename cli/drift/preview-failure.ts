import { parsePermissionHints } from "../../provider/keyvault/permission-hint.js";
import { CliError } from "../failure/cli-error.js";
import { isOfOneObject } from "../vault/unread-object.js";
import type { UnreadResource } from "./drift-report.js";
import type { Preview } from "./preview-json.js";
import { identify, isKeyVaultType } from "./resource-identity.js";

/** The errors that a preview reported, each once. */
export function previewErrors({ diagnostics }: Preview): string[] {
  const errors = diagnostics
    .filter(({ severity }) => severity === "error")
    .map(({ message }) => failureOf(message))
    .filter((message) => !/^(preview|refresh|update) failed$/.test(message));
  return [...new Set(errors)];
}

export function hasFailed({ diagnostics }: Preview): boolean {
  return diagnostics.some(({ severity }) => severity === "error");
}

/**
 * The objects whose reading failed, where that alone ended a preview: before the program was asked. Failures of the
 * vault, the way to it or the caller's sign-in are those of every object, and are none of these.
 */
export function unreadIn(preview: Preview): UnreadResource[] {
  if (preview.steps.some(({ op }) => op !== "refresh")) return [];
  return preview.diagnostics.flatMap(({ severity, urn, message }) => {
    if (severity !== "error" || urn === undefined || !isKeyVaultType({ urn })) return [];
    const reason = failureOf(message);
    const [code = ""] = /^KV_[A-Z_]+/.exec(reason) ?? [];
    if (!isOfOneObject(code)) return [];
    const recorded = preview.steps.find((step) => step.urn === urn)?.oldState;
    return [{ ...identify(urn, recorded?.inputs), reason: reason.replace(/\s+/g, " ") }];
  });
}

/** Without what the engine puts before it. */
export function failureOf(message: string): string {
  return message.replace(/^error: /, "").replace(/^Preview failed: /, "");
}

/** Why there is no report: the preview's own errors, and the permissions that they name. */
export function previewFailed(errors: readonly string[], exitCode: number): CliError {
  const permissions = parsePermissionHints(errors.join("\n")).map(({ plane, permission, dataAction }) =>
    plane === "vault" ? permission : `${permission} (${dataAction})`,
  );
  const missing =
    permissions.length > 0
      ? `\nMissing permission: ${permissions.join(", ")}. To detect drift, keys/get and keys/list are enough, and secrets/get and secrets/list for secrets.`
      : "";
  const told = errors.length === 0 ? "" : `\n${errors.map((error) => `  ${firstLines(error)}`).join("\n")}`;
  return new CliError(
    "KV_PREVIEW_FAILED",
    `the preview failed, so nothing is known of drift: repair what follows and run it again${told}${missing}`,
    exitCode,
  );
}

const LONGEST_NOTE = 300;

/** For a note, in which the rest of what a compiler or a stack says would bury the report. */
export function inOneLine(errors: readonly string[]): string {
  const text = errors.map((error) => firstLines(error).replace(/\s+/g, " ")).join("; ");
  return text.length > LONGEST_NOTE ? `${text.slice(0, LONGEST_NOTE).trimEnd()}…` : text;
}

/** Of a program's exception, its message: the stack that follows is of no help here. */
function firstLines(error: string): string {
  const lines = error.split("\n").map((line) => line.trimEnd());
  const stack = lines.findIndex((line) => /^\s+at /.test(line));
  return (stack === -1 ? lines : lines.slice(0, stack)).slice(0, 12).join("\n  ");
}
