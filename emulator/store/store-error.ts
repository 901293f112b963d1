/** Why a file cannot be an emulator's store. */
export type StoreFault =
  | "missing"
  | "missingFolder"
  | "notAFile"
  | "notADatabase"
  | "foreign"
  | "older"
  | "newer"
  | "unreadable"
  | "noDatabase";

/** A store that cannot be opened, told before anything of the file was changed. */
export class StoreError extends Error {
  override readonly name = "StoreError";
  readonly code = "KV_INVALID_INPUT";
  readonly fault: StoreFault;

  constructor(fault: StoreFault, message: string, cause?: unknown) {
    super(message, cause === undefined ? undefined : { cause });
    this.fault = fault;
  }
}
