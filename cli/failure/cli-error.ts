/** What went wrong outside any vault. `docs/errors.md` has a row for each. */
export type CliErrorCode =
  | "KV_USAGE"
  | "KV_FILE"
  | "KV_FILE_EXISTS"
  | "KV_PORT"
  | "KV_ENGINE_NOT_FOUND"
  | "KV_STACK"
  | "KV_NOT_A_PREVIEW"
  | "KV_PREVIEW_FAILED";

/** A failure of a command: what failed, why, what to do. It ends the process with `exitCode`. */
export class CliError extends Error {
  override readonly name = "CliError";

  constructor(
    readonly code: CliErrorCode,
    message: string,
    readonly exitCode: number = 1,
  ) {
    super(message);
  }
}
