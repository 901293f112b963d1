import { subscribe } from "node:diagnostics_channel";
import { setMaxListeners } from "node:events";

const CANCEL = "/pulumirpc.ResourceProvider/Cancel";

let controller = sharedController();
let isWatching = false;

/** Aborted once the engine has cancelled its run: whoever waits stops waiting, and what is under way is finished. */
export function runCancellation(): AbortSignal {
  return controller.signal;
}

export function cancelRun(): void {
  controller.abort();
}

/**
 * Hears of a cancelled run. The engine tells its providers (Ctrl-C, or a backend that has cancelled the update), but the
 * dynamic provider host answers and tells nobody, and waits for each operation to end by itself. Node tells of each
 * request that its HTTP/2 server gets (24.21 does; where it does not, nothing changes).
 */
export function watchForCancellation(): void {
  if (isWatching) return;
  isWatching = true;
  subscribe("http2.server.stream.created", (message) => {
    if (pathOf(message) === CANCEL) cancelRun();
  });
}

/** For tests that take several runs through one process. @internal */
export function forgetCancellation(): void {
  controller = sharedController();
}

/** Every call listens to it, and older versions of Node take many listeners for a leak. */
function sharedController(): AbortController {
  const shared = new AbortController();
  setMaxListeners(0, shared.signal);
  return shared;
}

function pathOf(message: unknown): unknown {
  if (message === null || typeof message !== "object" || !("headers" in message)) return undefined;
  const { headers } = message;
  return headers !== null && typeof headers === "object" && ":path" in headers ? headers[":path"] : undefined;
}
