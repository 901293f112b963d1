import type { ApiVersion } from "./api-version.js";
import type { EmulatorClock } from "./clock/emulator-clock.js";
import { badParameter } from "./service-error.js";
import { conform, type Shape, type Shaped } from "./shape.js";
import type { Store } from "./store/store.js";
import type { StoredCollection } from "./store/stored-object.js";
import type { Vault } from "./vault.js";

/** One request, as the operations see it. */
export interface Context {
  readonly vault: Vault;
  readonly store: Store;
  readonly clock: EmulatorClock;
  /** The moment of the request: milliseconds, and whole seconds as the wire has them. */
  readonly now: number;
  readonly seconds: number;
  readonly apiVersion: ApiVersion;
  readonly apiVersionText: string;
  /** What ids begin with, and what paging links begin with: scheme and host, the latter always with its port. */
  readonly origin: string;
  readonly pageOrigin: string;
  /** As requested, without trailing slashes. */
  readonly path: string;
  readonly name: string;
  /** Absent: the current version. */
  readonly version: string | undefined;
  readonly query: URLSearchParams;
}

export interface Answer {
  readonly status: number;
  readonly body?: object;
  /** A body that is not JSON. */
  readonly text?: string;
}

export type LimitClass = "keyCreate" | "key" | "secretCreate" | "secret";

/** What the pipeline needs to know of an operation; its behaviour is behind `run`. */
export interface Operation {
  readonly name: string;
  readonly method: string;
  /** Paths with `{name}` and `{version}` places. */
  readonly routes: readonly string[];
  readonly permission: { readonly collection: StoredCollection; readonly action: string; readonly dataAction: string };
  readonly throttle: LimitClass;
  readonly planes: readonly ("vault" | "managedhsm")[];
  readonly largeBody: boolean;
  readonly run: (context: Context, body: Buffer) => Promise<Answer>;
}

type Members = Record<string, Shape<unknown>>;

interface Definition<M extends Members, P> {
  readonly name: string;
  readonly method: "GET" | "PUT" | "POST" | "PATCH" | "DELETE";
  readonly routes: readonly string[];
  readonly permission: Operation["permission"];
  readonly throttle: LimitClass;
  readonly planes?: Operation["planes"];
  readonly largeBody?: boolean;
  /** Fills in what a body may leave out, before its rules are looked at. */
  readonly complete?: (context: Context, json: unknown) => unknown;
  /** Rules of the body; without them a body is not read. */
  readonly body?: Shape<Shaped<M>> & { readonly members: M };
  readonly mode: "read" | "snapshot" | "write";
  /** Slow work outside of the transaction (key generation, signatures), after a look at what is there. */
  readonly prepare?: (context: Context, body: Shaped<M>) => Promise<P> | P;
  /** The behaviour, inside one transaction. */
  readonly handle: (context: Context, body: Shaped<M>, prepared: P) => Answer;
}

/** Closes an operation's types: its rules, its slow part and its behaviour agree with each other and with nobody else. */
export function defineOperation<M extends Members = Record<never, Shape<unknown>>, P = undefined>(
  definition: Definition<M, P>,
): Operation {
  const { name, method, routes, permission, throttle, body: rules, complete, mode, prepare, handle } = definition;
  const completed = complete ?? ((_context: Context, json: unknown) => json);
  return {
    name,
    method,
    routes,
    permission,
    throttle,
    planes: definition.planes ?? ["vault", "managedhsm"],
    largeBody: definition.largeBody ?? false,
    run: async (context, bytes) => {
      const body = (rules === undefined ? {} : conform(rules, completed(context, readJson(bytes)))) as Shaped<M>;
      const prepared = (prepare === undefined ? undefined : await prepare(context, body)) as P;
      return context.store.transaction(mode, () => handle(context, body, prepared));
    },
  };
}

function readJson(bytes: Buffer): unknown {
  if (bytes.length === 0) throw badParameter("Request body not specified");
  try {
    return JSON.parse(bytes.toString("utf8"));
  } catch {
    throw badParameter("The request body is not a valid JSON document.");
  }
}
