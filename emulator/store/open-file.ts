import { type Stats, statSync } from "node:fs";
import { ServiceError } from "../service-error.js";

const trustedMilliseconds = 50;

/**
 * The file that was opened, as long as it is the one under its name. SQLite goes on with a file that was removed or
 * replaced: what is written to it then is acknowledged, and nobody will ever find it.
 */
export class OpenFile {
  readonly #path: string;
  readonly #opened: Stats | undefined;
  #trustedUntil = 0;

  constructor(path: string) {
    this.#path = path;
    this.#opened = statSync(path, { throwIfNoEntry: false });
  }

  /** Reads look now and then, writes always. @throws ServiceError 500. */
  requireInPlace(isWrite: boolean): void {
    const now = performance.now();
    if (!isWrite && now < this.#trustedUntil) return;
    const found = statSync(this.#path, { throwIfNoEntry: false });
    if (found === undefined || found.ino !== this.#opened?.ino || found.dev !== this.#opened.dev) {
      throw new ServiceError(
        500,
        "InternalServerError",
        "The file of the embedded vault was removed or replaced while it was in use: start it again.",
      );
    }
    this.#trustedUntil = now + trustedMilliseconds;
  }
}
