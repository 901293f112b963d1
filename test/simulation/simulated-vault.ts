import { AccessTokens } from "../../emulator/access/access-tokens.js";
import { EmulatorClock } from "../../emulator/clock/emulator-clock.js";
import { SeededRandom } from "../../emulator/seeded-random.js";
import { Faults } from "../../emulator/server/faults.js";
import { LateCommits } from "../../emulator/server/late-commits.js";
import { answer } from "../../emulator/server/request-pipeline.js";
import { VaultDirectory } from "../../emulator/server/vault-directory.js";
import { Store } from "../../emulator/store/store.js";
import { createVault } from "../../emulator/vault.js";
import type { VaultResponse } from "../../provider/keyvault/dispatch.js";
import type { VirtualClock } from "./virtual-clock.js";

export const VAULT_URL = "https://simulated.vault.azure.net";
export const TOKEN = "emulator-owner";

export interface SimulatedRequest {
  method: string;
  path: string;
  body?: string;
  authorization?: string | undefined;
}

/** The embedded vault without its sockets, on virtual time. */
export class SimulatedVault {
  readonly #store = new Store(undefined, true);
  readonly #ask: (request: SimulatedRequest) => ReturnType<typeof answer>;
  readonly #clock: VirtualClock;

  constructor(clock: VirtualClock) {
    this.#clock = clock;
    const time = new EmulatorClock(() => clock.now());
    const vault = createVault("simulated", "short", new SeededRandom(1));
    const address = new VaultDirectory([vault], "https").locate("simulated.vault.azure.net", 443);
    if (address === undefined) throw new Error("the simulated vault has no address");
    const onFailure = (error: unknown) => {
      throw error;
    };
    const surroundings = {
      store: this.#store,
      clock: time,
      tokens: new AccessTokens(() => clock.now()),
      faults: new Faults(1),
      late: new LateCommits(time, onFailure),
      throttle: undefined,
      onFailure,
    };
    this.#ask = ({ method, path, body = "", authorization }) =>
      answer(surroundings, { method, url: path, address, authorization, readBody: async () => Buffer.from(body) });
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

  /** What an onlooker with every permission sees. */
  async look(path: string, method = "GET", body?: object): Promise<{ status: number; body: Record<string, unknown> }> {
    const sent = body === undefined ? {} : { body: JSON.stringify(body) };
    const answered = await this.ask({
      method,
      path: `${path}?api-version=7.4`,
      authorization: `Bearer ${TOKEN}`,
      ...sent,
    });
    return { status: answered.status, body: answered.body === "" ? {} : JSON.parse(answered.body) };
  }

  close(): void {
    this.#store.close();
  }
}
