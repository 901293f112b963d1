import { AsyncLocalStorage } from "node:async_hooks";
import { tellThrough } from "../provider/engine/progress.js";
import { engineMessages, engineService, grpc } from "../provider/engine/sdk-protocol.js";

/** The resource that a call is about: what is told meanwhile is told of it. */
const resourceOfCall = new AsyncLocalStorage<{ urn: string; isQuiet: boolean }>();

export function aboutResource<T>(urn: string, serve: () => T): T {
  return resourceOfCall.run({ urn, isQuiet: false }, serve);
}

/** Serves a call in which nothing is told. */
export function quietly<T>(urn: string, serve: () => T): T {
  return resourceOfCall.run({ urn, isQuiet: true }, serve);
}

let address: string | undefined;

/**
 * Sends what the provider tells to the engine's log, beside the resource that it is about; and ends this process once
 * the engine is gone: nothing can be recorded any more, and what was under way is found by the next run.
 */
export function connectEngine(engineAddress: string | undefined): void {
  if (!engineAddress || engineAddress === address) return;
  address = engineAddress;
  const engine = new engineService.EngineClient(engineAddress, grpc.credentials.createInsecure());
  const log = (line: string, urn: string): void => {
    const message = new engineMessages.LogRequest();
    message.setSeverity(engineMessages.LogSeverity.INFO);
    message.setMessage(line);
    message.setUrn(urn);
    // A line that does not arrive is no reason to end what it tells of.
    engine.log(message, () => undefined);
  };
  tellThrough(
    (line) => {
      const { urn = "", isQuiet = false } = resourceOfCall.getStore() ?? {};
      if (!isQuiet) log(line, urn);
    },
    // It is given once, and about the run: whichever call happens to be under way.
    (line) => log(line, ""),
  );
  endWith(engine.getChannel());
}

function endWith(channel: ReturnType<InstanceType<typeof engineService.EngineClient>["getChannel"]>): void {
  let wasReady = false;
  const watch = (): void => {
    const state = channel.getConnectivityState(true);
    if (state === grpc.connectivityState.READY) wasReady = true;
    // The engine of a run never closes the connection before its providers: it is gone.
    else if (wasReady && state === grpc.connectivityState.TRANSIENT_FAILURE) process.exit(1);
    channel.watchConnectivityState(state, Number.POSITIVE_INFINITY, (error) => {
      if (!error) watch();
    });
  };
  watch();
}
