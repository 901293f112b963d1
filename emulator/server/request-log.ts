/** One answered request. */
export interface LoggedRequest {
  readonly method: string;
  readonly path: string;
  /** `challenge` for the 401 that asks for a token, `refused` for what matched no operation. */
  readonly operation: string;
  readonly status: number;
  readonly vault: string;
}

const mostEntries = 10_000;

/** What an emulator was asked: paths and outcomes, never bodies. The oldest entries fall out after 10,000. */
export class RequestLog {
  readonly #log: LoggedRequest[] = [];
  #count = 0;

  /** All requests, challenges included. */
  get count(): number {
    return this.#count;
  }

  get log(): readonly LoggedRequest[] {
    return this.#log;
  }

  add(request: LoggedRequest): void {
    this.#count += 1;
    this.#log.push(request);
    if (this.#log.length > mostEntries * 2) this.#log.splice(0, mostEntries);
  }

  clear(): void {
    this.#log.length = 0;
    this.#count = 0;
  }
}
