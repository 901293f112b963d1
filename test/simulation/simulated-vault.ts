import { AccessTokens } from "../../emulator/access/access-tokens.js";
import { EmulatorClock } from "../../emulator/clock/emulator-clock.js";
import type { Timing } from "../../emulator/clock/timing.js";
import { type Standing, standingOf } from "../../emulator/object/lifecycle.js";
import { SeededRandom } from "../../emulator/seeded-random.js";
import { Faults } from "../../emulator/server/faults.js";
import { LateCommits } from "../../emulator/server/late-commits.js";
import { answer } from "../../emulator/server/request-pipeline.js";
import { type Address, VaultDirectory } from "../../emulator/server/vault-directory.js";
import { Store } from "../../emulator/store/store.js";
import { createVault } from "../../emulator/vault.js";
import type { VaultResponse } from "../../provider/keyvault/dispatch.js";
import type { VirtualClock } from "./virtual-clock.js";

export type Collection = "keys" | "secrets";
/** `here` holds what the program makes, `there` what it restores from the backups of it. */
export type VaultName = "here" | "there";

const DOMAIN = "vault.azure.net";

export function urlOf(vault: VaultName): string {
  return `https://${vault}.${DOMAIN}`;
}

/** One name in one vault. */
export interface Place {
  vault: VaultName;
  collection: Collection;
  name: string;
}

export function placeKey({ vault, collection, name }: Place): string {
  return `${vault}/${collection}/${name}`;
}

const NAMES: Record<Collection, readonly string[]> = { keys: ["k0", "k1", "k2"], secrets: ["s0", "s1", "s2"] };

/** Every place that a program of the simulation may use. */
export const PLACES: readonly Place[] = (["here", "there"] as VaultName[]).flatMap((vault) =>
  (["keys", "secrets"] as Collection[]).flatMap((collection) =>
    NAMES[collection].map((name) => ({ vault, collection, name })),
  ),
);

/** What really is at a place: never what somebody was told. */
export interface Truth {
  standing: Standing;
  version: string;
  enabled: boolean;
  tags: Record<string, string>;
  expiresOn: number | undefined;
  rotateAfter: string | undefined;
}

export interface SimulatedRequest {
  vault: VaultName;
  method: string;
  path: string;
  body?: string;
  authorization?: string | undefined;
}

const ONLOOKER = "Bearer onlooker";

/** One for all simulations, which leave it empty: to make it takes longer than most of them. */
const store = new Store(undefined, true);

/** The embedded vault without its sockets, on virtual time: two vaults of one geography. */
export class SimulatedVault {
  readonly #ask: (request: SimulatedRequest) => ReturnType<typeof answer>;
  readonly #clock: VirtualClock;

  constructor(clock: VirtualClock, isSlow: boolean, seed: number) {
    this.#clock = clock;
    const time = new EmulatorClock(() => clock.now());
    const random = new SeededRandom(seed);
    const timing: "recorded" | Timing = isSlow ? "recorded" : SHORT;
    const vaults = [createVault("here", timing, random), createVault("there", timing, random)];
    const directory = new VaultDirectory(vaults, "https");
    const addresses = { here: located(directory, "here"), there: located(directory, "there") };
    const onFailure = (error: unknown) => {
      throw error;
    };
    const surroundings = {
      store,
      clock: time,
      tokens: new AccessTokens(() => clock.now()),
      faults: new Faults(1),
      late: new LateCommits(time, onFailure),
      throttle: undefined,
      onFailure,
    };
    this.#ask = ({ vault, method, path, body = "", authorization }) =>
      answer(surroundings, {
        method,
        url: path,
        address: addresses[vault],
        authorization,
        readBody: async () => Buffer.from(body),
      });
  }

  async ask(request: SimulatedRequest): Promise<VaultResponse> {
    this.#clock.busy += 1;
    try {
      const { status, body, headers } = await this.#ask(request);
      const named = Object.entries(headers ?? {}).map(([name, value]) => [name.toLowerCase(), value]);
      return { status, headers: Object.fromEntries(named), body: body === undefined ? "" : JSON.stringify(body) };
    } finally {
      this.#clock.busy -= 1;
    }
  }

  /** What somebody with every permission does, beside the program. */
  async act(place: Place, method: string, path: string, body?: object): Promise<VaultResponse> {
    const sent = body === undefined ? {} : { body: JSON.stringify(body) };
    return this.ask({ vault: place.vault, method, path: `${path}?api-version=7.4`, authorization: ONLOOKER, ...sent });
  }

  /** What is there, without a request. */
  truth({ vault, collection, name }: Place): Truth | undefined {
    const object = store.find(vault, collection, name);
    const standing = standingOf(object, this.#clock.now());
    if (object === undefined || standing === "absent" || standing === "purging") return undefined;
    const version = store.version({ ...object, collection }, object.current);
    if (version === undefined) return undefined;
    const { attributes, tags = {} } = version;
    const { enabled, exp: expiresOn } = attributes;
    const rotateAfter = object.rotationPolicy?.lifetimeActions
      .map(({ trigger }) => trigger.timeAfterCreate)
      .find((time) => time !== undefined);
    return { standing, version: object.current, enabled, tags, expiresOn, rotateAfter };
  }

  close(): void {
    for (const { vault, collection, name } of PLACES) {
      const object = store.find(vault, collection, name);
      if (object !== undefined) store.remove(object);
    }
  }
}

/** What was recovered takes writes later than a look and the write that rests on it are on their way, as on the service. */
const SHORT: Timing = { deleting: () => 300, recovering: () => 300, recoveringWrites: () => 300, purging: () => 300 };

/** Whether it can be read, and holds the name. */
export function isThere(truth: Truth | undefined): truth is Truth {
  return truth?.standing === "active" || truth?.standing === "recovered";
}

function located(directory: VaultDirectory, vault: VaultName): Address {
  const address = directory.locate(`${vault}.${DOMAIN}`, 443);
  if (address === undefined) throw new Error("a simulated vault has no address");
  return address;
}
