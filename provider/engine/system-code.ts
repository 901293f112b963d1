/** The operating system's word for a failed file operation, such as `EACCES`: fit for a message, as it holds no content. */
export function systemCode(error: unknown): string {
  return error instanceof Error && "code" in error ? String(error.code) : "unknown error";
}
