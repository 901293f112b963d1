import { endWithEngine } from "./engine-loss.js";
import { watchEngineTimeouts, withoutEngineTimeout } from "./engine-timeout.js";
import { loadedOnce } from "./loaded-once.js";
import { LARGEST_PARTIAL_BYTES, wireSize, withoutPartial, withoutPartialRead } from "./partial-size.js";
import { watchForCancellation } from "./run-cancellation.js";
import { withoutShown } from "./shown-outputs.js";
import { configureVaultSettings } from "./vault-settings.js";
import { fromState, inState, memberInState } from "./vault-text.js";

export type Properties = Record<string, unknown>;

export interface CheckFailure {
  /** Never a property's name: the engine prints the value of the property that a failure names, be it a secret or not. */
  property: "";
  reason: string;
}

/** What happens to one kind of resource on each call of the engine. */
export interface ResourceLifecycle {
  check(olds: Properties, news: Properties): Promise<{ inputs: Properties; failures: CheckFailure[] }>;
  diff(id: string, olds: Properties, news: Properties): Promise<ResourceDiff>;
  create(inputs: Properties): Promise<Created>;
  read(id: string, props: Properties): Promise<{ id: string; props: Properties; inputs?: Properties }>;
  update(id: string, olds: Properties, news: Properties): Promise<{ outs: Properties }>;
  delete(id: string, props: Properties): Promise<void>;
}

export interface Created {
  id: string;
  outs: Properties;
  /** Whether it was there before, active or deleted, where that is known. */
  isFound?: boolean;
}

export interface ResourceDiff {
  /**
   * Unknown: the engine compares the inputs itself, which gives details and honours `ignoreChanges`. True only for
   * what inputs cannot say: an update that was incomplete.
   */
  changes: true | undefined;
  replaces: string[];
  deleteBeforeReplace: boolean;
}

/** The object exists, but a later step failed: the engine records it with the reasons, and the next `up` goes on. Of a set that is read: some of it could not be. */
export class PartialFailure extends Error {
  constructor(
    readonly id: string,
    readonly outs: Properties,
    readonly reason: unknown,
    /** Of a read: what the inputs are by it. */
    readonly inputs?: Properties,
  ) {
    super(messageOf(reason));
  }
}

export interface DynamicProvider extends ResourceLifecycle {
  configure(request: { config: { get(key: string): string | undefined } }): Promise<void>;
}

/**
 * Wraps a lifecycle for the dynamic provider host: loads it at the first call, passes on only what the engine can
 * store, and lets no error out that has a stack, a cause or no message.
 */
export function dynamicProvider(load: () => Promise<ResourceLifecycle>): DynamicProvider {
  const loaded = loadedOnce(load);
  const call = async <T>(
    run: (lifecycle: ResourceLifecycle) => Promise<T>,
    { provider, write }: { provider?: unknown; write?: Writing } = {},
  ): Promise<T> => {
    try {
      return storable(await run(await loaded()), write) as T;
    } catch (error) {
      throw presentable(error, provider);
    }
  };
  return {
    async configure({ config }) {
      endWithEngine();
      watchForCancellation();
      watchEngineTimeouts();
      configureVaultSettings(config);
    },
    check: (olds, news) => withoutEngineTimeout(() => call((lifecycle) => lifecycle.check(olds, news))),
    diff: (id, olds, news) => call((lifecycle) => lifecycle.diff(id, withoutShown(olds), news)),
    create: (inputs) =>
      call((lifecycle) => lifecycle.create(inputs), { provider: inputs.__provider, write: AS_VAULT_TEXT }),
    read: (id, props) =>
      call((lifecycle) => lifecycle.read(id, recorded(props)), {
        provider: props.__provider,
        write: AS_VAULT_TEXT,
      }).catch(withStatus),
    update: (id, olds, news) =>
      call((lifecycle) => lifecycle.update(id, recorded(olds), news), {
        provider: news.__provider,
        write: AS_VAULT_TEXT,
      }),
    delete: (id, props) => call((lifecycle) => lifecycle.delete(id, recorded(props))),
  };
}

/** The message is all that the engine passes on of an error, so it carries the code to look up. */
export function messageOf(error: unknown): string {
  if (!(error instanceof Error) || !error.message) return "failed for an unknown reason";
  const { code } = error as { code?: unknown };
  const isCoded = typeof code === "string" && code.startsWith("KV_") && !error.message.startsWith(`${code}: `);
  return isCoded ? `${code}: ${error.message}` : error.message;
}

/** What the engine is to record although the call failed. */
export interface RecordedError extends Error {
  id: string;
  reasons: string[];
  properties: Properties;
  inputs: Properties | undefined;
}

export function isRecordedError(error: unknown): error is RecordedError {
  return error instanceof Error && "id" in error && "properties" in error && "reasons" in error;
}

/** The host of dynamic providers has the engine record what a creation or an update tells, and of a read nothing. */
async function withStatus(error: unknown): Promise<never> {
  if (!isRecordedError(error)) throw error;
  const { packedStatus, plainStruct, statusMetadata } = await import("./partial-status.js");
  const { message, id, reasons } = error;
  const metadata = () => {
    const [properties, inputs] = [plainStruct(error.properties), error.inputs && plainStruct(error.inputs)];
    return statusMetadata(packedStatus({ message, id, reasons, properties, inputs }));
  };
  // The host prints what follows beside the engine's warning, which has all of it.
  const printed = {
    stack: { value: "the warning tells what could not be read" },
    toString: { value: () => READ_IN_PART },
  };
  throw Object.defineProperties(error, { metadata: { get: metadata }, ...printed });
}

/** How the line begins that the host of dynamic providers prints of a read that failed in part. */
export const READ_IN_PART = "read in part";

function presentable(error: unknown, provider: unknown): Error {
  if (!(error instanceof PartialFailure)) return stackless(messageOf(error));
  const message = messageOf(error);
  const [properties, inputs] = [error.outs, error.inputs].map(
    (members) => members && { ...asState(members), __provider: provider },
  );
  const size = wireSize([properties, inputs]);
  if (size > LARGEST_PARTIAL_BYTES) {
    return stackless(inputs === undefined ? withoutPartial(message, size) : withoutPartialRead(message, size));
  }
  const plain = Object.assign(stackless(message), { id: error.id, reasons: [message] });
  // There for the engine, and not for whoever prints the error: state may hold blobs.
  Object.defineProperty(plain, "properties", { get: () => properties });
  return Object.defineProperty(plain, "inputs", { get: () => inputs });
}

function stackless(message: string): Error {
  const error = new Error(message);
  error.stack = message;
  return error;
}

/** How texts and the names of members are written; as they are where none is given, in a check: what it answers may be unknown. */
interface Writing {
  text(text: string): string;
  member(name: string, owner: object): string;
}

const AS_VAULT_TEXT: Writing = { text: inState, member: memberInState };
const AS_IT_IS: Writing = { text: (text) => text, member: (name) => name };

/** Properties as state can hold them. */
export function asState(properties: Properties): Properties {
  return storable(properties, AS_VAULT_TEXT) as Properties;
}

function recorded(props: Properties): Properties {
  return fromState(withoutShown(props)) as Properties;
}

/** Only what the engine can write to state: a value it cannot fails after the vault was changed, and orphans the object. */
function storable(value: unknown, write: Writing = AS_IT_IS): unknown {
  if (value === undefined || value === null || typeof value === "boolean") return value;
  if (typeof value === "string") return write.text(value);
  if (typeof value === "number") return Number.isFinite(value) ? value : null;
  if (value instanceof Date) return value.toISOString();
  if (Array.isArray(value)) return value.map((item) => storable(item, write) ?? null);
  if (typeof value !== "object") return undefined;
  return Object.fromEntries(
    Object.entries(value)
      .map(([key, item]) => [write.member(key, value), storable(item, write)])
      .filter(([, item]) => item !== undefined),
  );
}
