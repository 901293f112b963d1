import { parseTimeout } from "../engine/duration.js";
import { engineTimeout } from "../engine/engine-timeout.js";
import type { Properties } from "../engine/lifecycle.js";
import { runClock } from "../engine/run-clock.js";
import type { Timeouts } from "../object/object-inputs.js";

type Operation = keyof Timeouts;
const OPERATIONS: readonly Operation[] = ["create", "read", "update", "delete"];

/** The time that an operation of a set has for all of its keys together. Without one, each key has that of a Key. */
export class SetDeadline {
  readonly #end: number | undefined;

  constructor(timeouts: { [O in Operation]?: string | undefined } | undefined, operation: Operation) {
    const given = timeouts?.[operation];
    const limit = given === undefined ? engineTimeout() : parseTimeout(given);
    this.#end = limit === undefined ? undefined : runClock.now() + limit;
  }

  /** A key's properties with what is left of the time, which any of its operations may take. */
  limited(properties: Properties): Properties {
    const { timeouts: _all, ...rest } = properties;
    if (this.#end === undefined) return rest;
    const left = `${Math.max(1, Math.ceil((this.#end - runClock.now()) / 1000))}s`;
    return { ...rest, timeouts: Object.fromEntries(OPERATIONS.map((operation) => [operation, left])) };
  }
}
