import type { LookupAddress } from "node:dns";
import type { Server } from "node:http";
import type { Socket } from "node:net";
import { AccessTokens, type EmulatorCredential } from "./access/access-tokens.js";
import { EmulatorClock } from "./clock/emulator-clock.js";
import type { Timing, TimingMode } from "./clock/timing.js";
import { giveToCertificate } from "./object/certificate-object.js";
import { SeededRandom } from "./seeded-random.js";
import { createServerIdentity } from "./server/certificate-authority.js";
import { Faults } from "./server/faults.js";
import { createEmulatorServer } from "./server/http-server.js";
import { LateCommits } from "./server/late-commits.js";
import { RequestLog } from "./server/request-log.js";
import { ServedHosts } from "./server/served-hosts.js";
import { Throttle, type ThrottlingOptions } from "./server/throttling.js";
import { VaultDirectory } from "./server/vault-directory.js";
import { Store } from "./store/store.js";
import type { StoredCollection } from "./store/stored-object.js";
import { createVault, type Vault, type VaultChanges, type VaultOptions } from "./vault.js";

export interface EmulatorOptions {
  /** Names or settings. Default: one vault, `emulator`. */
  vaults?: readonly (string | VaultOptions)[];
  /** A SQLite file, shared with other emulators on the same file. Default: memory. Private keys are in it in the clear. */
  store?: string;
  /** False: a `store` that is not there is an error, for programs that only read. Default true. */
  create?: boolean;
  /** How long deletions, recoveries and purges take: by name, or window by window. Default `instant`. */
  timing?: TimingMode | Timing;
  /** Of recorded latencies and faults. Default 1. */
  seed?: number | string;
  /** Default: the machine's clock. */
  clock?: EmulatorClock;
  /** Default: any free port. */
  port?: number;
  /** An address of this machine. Default `127.0.0.1`. */
  host?: string;
  /**
   * Further names that it is reached by over plain HTTP: in a container, behind a hosts file. Addresses, `localhost`,
   * names below it and the vaults' names in Azure need not be told; any other is refused, against DNS rebinding.
   */
  hostNames?: readonly string[];
  /** HTTPS with a certificate authority of its own (see `Emulator.caCertificate`). Default false: plain HTTP. */
  tls?: boolean;
  /** The service's limits on requests. Default: none. */
  throttling?: boolean | ThrottlingOptions;
  /** Told of every fault of the emulator itself (a 500 answer). Its text may hold key material. Default: nobody. */
  onFailure?: (error: unknown) => void;
}

/** One vault of an emulator, from the outside. */
export interface VaultHandle {
  readonly name: string;
  readonly url: string;
  /** Makes an object part of a certificate: `managed`, and not to be deleted on its own. False: takes it back. */
  giveToCertificate(collection: StoredCollection, name: string, given?: boolean): void;
  /** Changes what an owner changes in a vault's life: who may do what, from where, and whether it is being restored. */
  configure(changes: VaultChanges): void;
}

/** A running emulator. */
export interface Emulator {
  /** Of the first vault, without a trailing slash. */
  readonly url: string;
  readonly port: number;
  /** A vault by its name. @throws RangeError when there is none. */
  vault(name: string): VaultHandle;
  /** For the official clients: speaks for a principal that may do everything unless permissions say otherwise. */
  readonly credential: EmulatorCredential;
  /** A credential of another principal, as `VaultOptions.permissions` names it. */
  credentialFor(principal: string): EmulatorCredential;
  /** A bearer token that it accepts and that does not expire. */
  readonly token: string;
  /** PEM, with `tls`. */
  readonly caCertificate: string | undefined;
  readonly clock: EmulatorClock;
  readonly faults: Faults;
  readonly requests: RequestLog;
  /** For HTTP agents: every host name leads here, so that several vaults need no DNS. */
  readonly lookup: (
    hostname: string,
    options: object,
    callback: (error: Error | null, address: string | LookupAddress[], family?: number) => void,
  ) => void;
  /** Lets the process end while the emulator runs. */
  unref(): void;
  close(): Promise<void>;
}

/** The principal of `Emulator.credential` and `Emulator.token`. */
const owner = "emulator-owner";

/**
 * Starts an embedded Key Vault on loopback.
 *
 * @throws RangeError for settings that the service does not have, `StoreError` when the store cannot be opened, Error
 * when the port cannot be.
 */
export async function startEmulator(options: EmulatorOptions = {}): Promise<Emulator> {
  const clock = options.clock ?? new EmulatorClock();
  const random = new SeededRandom(options.seed ?? 1);
  const given = options.vaults === undefined || options.vaults.length === 0 ? ["emulator"] : options.vaults;
  const vaults = given.map((vault) => createVault(vault, options.timing ?? "instant", random));
  const first = vaults[0];
  if (first === undefined) throw new RangeError("An emulator needs a vault.");
  const names = new Set(vaults.map((vault) => vault.name.toLowerCase()));
  if (names.size < vaults.length) throw new RangeError("Two vaults of an emulator have the same name.");
  const store = new Store(options.store, options.create ?? true);
  const requests = new RequestLog();
  const tokens = new AccessTokens(() => Date.now());
  const identity = options.tls === true ? await createServerIdentity(hostNamesOf(vaults)) : undefined;
  const scheme = identity === undefined ? "http" : "https";
  const faults = new Faults(options.seed ?? 1);
  const onFailure = options.onFailure ?? (() => undefined);
  const late = new LateCommits(clock, onFailure);
  const host = options.host ?? "127.0.0.1";
  const server = createEmulatorServer({
    store,
    clock,
    tokens,
    faults,
    late,
    requests,
    throttle: createThrottle(options.throttling),
    hosts: new ServedHosts(vaults, [host, ...(options.hostNames ?? [])], identity !== undefined),
    directory: new VaultDirectory(vaults, scheme),
    onFailure,
    tls: identity,
  });
  const sockets = new Set<Socket>();
  server.on("connection", (socket: Socket) => {
    sockets.add(socket);
    socket.once("close", () => sockets.delete(socket));
  });
  try {
    await listen(server, options.port ?? 0, host);
  } catch (error) {
    store.close();
    throw error;
  }
  const bound = server.address();
  const port = typeof bound === "object" && bound !== null ? bound.port : 0;
  let closed: Promise<void> | undefined;
  const urlOf = (name: string) => `${scheme}://${name.includes(":") ? `[${name}]` : name}:${port}`;
  return {
    url: urlOf(identity === undefined ? host : "localhost"),
    port,
    vault: (name) => {
      const found = vaults.find((vault) => vault.name === name);
      if (found === undefined) throw new RangeError(`This emulator has no vault "${name}".`);
      const alone = vaults.length === 1 && identity === undefined;
      const handle = { name: found.name, url: urlOf(alone ? host : `${found.name.toLowerCase()}.localhost`) };
      return {
        ...handle,
        giveToCertificate: (collection, object, given = true) =>
          giveToCertificate(store, handle, collection, object, given),
        configure: (changes) => void Object.assign(found, changes),
      };
    },
    credential: tokens.credential(owner),
    credentialFor: (principal) => tokens.credential(principal),
    token: owner,
    caCertificate: identity?.caCertificate,
    faults,
    clock,
    requests,
    lookup: (_hostname, lookupOptions, callback) => {
      const all = "all" in lookupOptions && lookupOptions.all === true;
      if (all) callback(null, [{ address: host, family: 4 }]);
      else callback(null, host, 4);
    },
    unref: () => {
      server.unref();
      for (const socket of sockets) socket.unref();
      server.on("connection", (socket: Socket) => socket.unref());
    },
    close: () => {
      late.forget();
      closed ??= close(server, store);
      return closed;
    },
  };
}

/** Under which names its certificate is good: no wildcard stands directly under a top-level name. */
function hostNamesOf(vaults: readonly Vault[]): string[] {
  const clouds = { vault: "vault.azure.net", managedhsm: "managedhsm.azure.net" };
  const named = vaults.flatMap(({ name, plane }) => [`${name}.localhost`, `${name}.${clouds[plane]}`]);
  return ["localhost", "127.0.0.1", "::1", ...named];
}

function createThrottle(given: boolean | ThrottlingOptions | undefined): Throttle | undefined {
  if (given === undefined || given === false) return undefined;
  return new Throttle(given === true ? {} : given);
}

function listen(server: Server, port: number, host: string): Promise<void> {
  return new Promise((resolve, reject) => {
    server.once("error", reject);
    server.listen(port, host, () => {
      server.removeListener("error", reject);
      resolve();
    });
  });
}

function close(server: Server, store: Store): Promise<void> {
  return new Promise((resolve) => {
    server.close(() => {
      store.close();
      resolve();
    });
    server.closeAllConnections();
  });
}
