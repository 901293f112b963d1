import { AsyncLocalStorage } from "node:async_hooks";
import { sep } from "node:path";

const MESSAGES = `${sep}@pulumi${sep}pulumi${sep}proto${sep}provider_pb.js`;

/** The requests that carry a resource's `customTimeouts`, and the first thing that the host asks each of them for. */
const READERS = {
  CreateRequest: "getProperties",
  ReadRequest: "getProperties",
  UpdateRequest: "getNews",
  DeleteRequest: "getProperties",
};

const ofCall = new AsyncLocalStorage<number | undefined>();
let isWatching = false;

/** Milliseconds of the `customTimeouts` for the call that is being served; undefined where there are none. */
export function engineTimeout(): number | undefined {
  return ofCall.getStore();
}

/** Serves a call for which the engine has no timeout. */
export function withoutEngineTimeout<T>(serve: () => T): T {
  return ofCall.run(undefined, serve);
}

/** Serves a call with the milliseconds that the engine gives it: for a server that reads them itself. */
export function withEngineTimeout<T>(ms: number | undefined, serve: () => T): T {
  return ofCall.run(ms, serve);
}

/**
 * Has the calls of this process know their `customTimeouts`. The engine sends them with each call, whoever has set
 * them, a transform of the whole stack too; the dynamic provider host drops them. So they are noted where the host reads
 * a request's properties. In a host that reads them otherwise, nothing is noted: the timeouts in the inputs stand.
 */
export function watchEngineTimeouts(modules: NodeJS.Dict<NodeModule> = require.cache): void {
  if (isWatching) return;
  isWatching = true;
  for (const [path, loaded] of Object.entries(modules)) {
    if (path.endsWith(MESSAGES)) noteTimeouts(loaded?.exports);
  }
}

function noteTimeouts(messages: unknown): void {
  for (const [message, reader] of Object.entries(READERS)) {
    const type: unknown = Object(messages)[message];
    const prototype: unknown = typeof type === "function" ? type.prototype : undefined;
    const read: unknown = Object(prototype)[reader];
    if (typeof read !== "function") continue;
    Object.defineProperty(prototype, reader, {
      configurable: true,
      writable: true,
      value(this: { getTimeout?(): unknown }, ...args: unknown[]) {
        const seconds = this.getTimeout?.();
        ofCall.enterWith(typeof seconds === "number" && seconds > 0 ? seconds * 1000 : undefined);
        return read.apply(this, args);
      },
    });
  }
}
