import { AccessTokens } from "../../emulator/access/access-tokens.js";
import { EmulatorClock } from "../../emulator/clock/emulator-clock.js";
import { SeededRandom } from "../../emulator/seeded-random.js";
import { Faults } from "../../emulator/server/faults.js";
import { LateCommits } from "../../emulator/server/late-commits.js";
import { answer } from "../../emulator/server/request-pipeline.js";
import { Throttle } from "../../emulator/server/throttling.js";
import { VaultDirectory } from "../../emulator/server/vault-directory.js";
import { Store } from "../../emulator/store/store.js";
import { createVault } from "../../emulator/vault.js";
import { KeyVaultClient } from "../../provider/keyvault/client.js";
import { delay } from "../../provider/keyvault/clock.js";
import {
  type Dispatch,
  TransportFailure,
  type VaultRequest,
  type VaultResponse,
} from "../../provider/keyvault/dispatch.js";
import { tellOutage, tellThrottled } from "../../provider/vault/tell-outage.js";
import type { VirtualClock } from "../simulation/virtual-clock.js";

export const LIMITED_VAULT_URL = "https://limited.vault.azure.net";
/** There and back. */
const WAY_MS = 40;

/** When the vault is out of reach, by its clock, and how that shows. */
export interface Outage {
  from: number;
  to: number;
  as: "nobody listens" | "503";
}

/** The embedded vault with the service's documented limits, on virtual time and without sockets. */
export class LimitedVault {
  readonly client: KeyVaultClient;
  /** Operations that arrived, each as often. */
  readonly counts: Record<string, number> = {};
  outage: Outage | undefined;
  readonly #ask: (request: VaultRequest) => ReturnType<typeof answer>;

  constructor(readonly clock: VirtualClock) {
    const time = new EmulatorClock(() => clock.now());
    const directory = new VaultDirectory([createVault("limited", "short", new SeededRandom(1))], "https");
    const address = directory.locate("limited.vault.azure.net", 443);
    if (address === undefined) throw new Error("the vault has no address");
    const onFailure = (error: unknown) => {
      throw error;
    };
    const surroundings = {
      store: new Store(undefined, true),
      clock: time,
      tokens: new AccessTokens(() => clock.now()),
      faults: new Faults(1),
      late: new LateCommits(time, onFailure),
      throttle: new Throttle({}),
      onFailure,
    };
    this.#ask = ({ method, path, body = "", headers }) =>
      answer(surroundings, {
        method,
        url: path,
        address,
        authorization: headers.authorization,
        readBody: async () => Buffer.from(body),
      });
    this.client = new KeyVaultClient({
      vaultUrl: LIMITED_VAULT_URL,
      credential: { getToken: async () => ({ token: "emulator-owner", expiresOn: new Date(8.64e15) }) },
      clock,
      dispatch: this.#dispatch,
      onOutage: () => tellOutage(LIMITED_VAULT_URL),
      onThrottled: () => tellThrottled(LIMITED_VAULT_URL),
    });
  }

  #dispatch: Dispatch = async (request) => {
    const lost = this.#lost(false);
    if (lost instanceof Error) throw lost;
    await delay(this.clock, WAY_MS);
    if (lost) return lost;
    const answered = await this.#answered(request);
    this.counts[request.operation] = (this.counts[request.operation] ?? 0) + 1;
    await delay(this.clock, WAY_MS);
    const lostOnItsWay = this.#lost(true);
    if (lostOnItsWay instanceof Error) throw lostOnItsWay;
    return lostOnItsWay ?? answered;
  };

  /** What comes in place of an answer at this moment. */
  #lost(isSent: boolean): Error | VaultResponse | undefined {
    const now = this.clock.now();
    if (this.outage === undefined || now < this.outage.from || now >= this.outage.to) return undefined;
    if (this.outage.as === "503") return { status: 503, headers: {}, body: "" };
    const code = isSent ? "ECONNRESET" : "ECONNREFUSED";
    return new TransportFailure(Object.assign(new Error("the vault is out of reach"), { code }), isSent);
  }

  async #answered(request: VaultRequest): Promise<VaultResponse> {
    this.clock.busy += 1;
    try {
      const { status, body, headers } = await this.#ask(request);
      const named = Object.entries(headers ?? {}).map(([name, value]) => [name.toLowerCase(), value]);
      return { status, headers: Object.fromEntries(named), body: body === undefined ? "" : JSON.stringify(body) };
    } finally {
      this.clock.busy -= 1;
    }
  }

  async versions(): Promise<Record<string, number>> {
    const held: Record<string, number> = {};
    for await (const { name } of this.client.getKeys()) {
      held[name] = 0;
      for await (const _version of this.client.getKeyVersions(name)) held[name] += 1;
    }
    return held;
  }
}
