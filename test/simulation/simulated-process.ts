import type { SeededRandom } from "../../emulator/seeded-random.js";
import { withOtherObject } from "../../emulator/server/fault-answer.js";
import { KeyVaultClient } from "../../provider/keyvault/client.js";
import {
  type Dispatch,
  TransportFailure,
  type VaultRequest,
  type VaultResponse,
} from "../../provider/keyvault/dispatch.js";
import { OPERATIONS } from "../../provider/keyvault/operations.js";
import type { ForeignAct, Mishap, Trouble } from "./history.js";
import { type Knowledge, nothingKnown, type Promises } from "./promises.js";
import { type Place, placeKey, type SimulatedVault, urlOf, type VaultName } from "./simulated-vault.js";
import { ProcessClock, type VirtualClock } from "./virtual-clock.js";

const LONGEST_WAY_MS = 120;
/** How late a write may be carried out: sooner than the provider has stopped looking for it, and later. */
const LATENESS_MS = [0, 700, 5_000, 20_000, 50_000];
const OUTAGE_MS = 20_000;
const REVOKED_REQUESTS = 6;
const THROTTLED_REQUESTS = 8;

export interface World {
  clock: VirtualClock;
  vault: SimulatedVault;
  promises: Promises;
  random: SeededRandom;
  /** What somebody else does at a place. */
  act(place: Place, act: ForeignAct, isMarked: boolean): Promise<void>;
}

/** One process of the provider: its clients, its time, and what goes wrong between it and the vaults. */
export class SimulatedProcess {
  readonly clock: ProcessClock;
  readonly knowledge: Knowledge = nothingKnown();
  readonly killed: Promise<"killed">;
  isDead = false;
  readonly #world: World;
  readonly #troubles: Map<number, Trouble>;
  readonly #clients = new Map<VaultName, KeyVaultClient>();
  readonly #answers = new Map<string, VaultResponse>();
  #die: (how: "killed") => void = () => {};
  #count = 0;
  #tokens = 0;
  #isOutUntil = 0;
  #revoked = 0;
  #throttled = 0;

  constructor(world: World, troubles: readonly Trouble[]) {
    this.#world = world;
    this.#troubles = new Map(troubles.map((trouble) => [trouble.at, trouble]));
    this.clock = new ProcessClock(world.clock);
    this.killed = new Promise((resolve) => {
      this.#die = resolve;
    });
  }

  client(vaultUrl: string): KeyVaultClient {
    const vault: VaultName = vaultUrl === urlOf("there") ? "there" : "here";
    const known = this.#clients.get(vault);
    if (known !== undefined) return known;
    const client = new KeyVaultClient({
      vaultUrl,
      credential: {
        getToken: async () => ({ token: `owner-${++this.#tokens}`, expiresOn: new Date(8.64e15) }),
      },
      clock: this.clock,
      dispatch: this.#dispatch(vault),
    });
    this.#clients.set(vault, client);
    return client;
  }

  /** Whatever it is doing: nothing of it goes on but what is on its way. */
  kill(): Promise<never> {
    this.isDead = true;
    this.clock.end();
    this.#die("killed");
    return never();
  }

  #dispatch(vault: VaultName): Dispatch {
    return async (request) => {
      if (this.isDead) return never();
      if (this.clock.now() < this.#isOutUntil) throw new TransportFailure(refused(), false);
      if (!("authorization" in request.headers)) return this.#raw(vault, request);
      const { promises } = this.#world;
      const place = promises.placeOf(vault, request);
      const trouble = this.#draw(request);
      const shown = place === undefined ? vault : placeKey(place);
      promises.note(`${request.operation} ${shown}${trouble === undefined ? "" : ` (${trouble.mishap})`}`);
      promises.sent(this.knowledge, request, place);
      const sent: Sent = { vault, request, place };
      const answered = await this.#under(trouble, sent);
      await this.#way(this.clock);
      return answered;
    };
  }

  #draw({ operation }: VaultRequest): Trouble | undefined {
    const trouble = this.#troubles.get(this.#count++);
    if (trouble?.mishap === "revoked") this.#revoked = REVOKED_REQUESTS;
    if (trouble?.mishap === "throttling") this.#throttled = THROTTLED_REQUESTS;
    const standing = (mishap: Mishap): Trouble => ({ mishap, at: 0, act: "write", isMarked: false });
    if (this.#revoked > 0 && OPERATIONS[operation].write) {
      this.#revoked -= 1;
      return standing("forbidden");
    }
    if (this.#throttled > 0) {
      this.#throttled -= 1;
      return standing("throttled");
    }
    return trouble?.mishap === "revoked" ? undefined : trouble;
  }

  async #under(trouble: Trouble | undefined, sent: Sent): Promise<VaultResponse> {
    const { request, place } = sent;
    switch (trouble?.mishap) {
      case "killed before":
        return this.kill();
      case "killed after":
        await this.#carriedOut(sent);
        return this.kill();
      case "outage":
        this.#isOutUntil = this.clock.now() + OUTAGE_MS;
        throw new TransportFailure(refused(), false);
      case "lost before":
        throw this.#lost(sent);
      case "lost after":
        await this.#carriedOut(sent);
        throw this.#lost(sent);
      case "late":
        this.#carryOutLate(sent);
        throw this.#lost(sent);
      case "504 late":
        this.#carryOutLate(sent);
        return this.#doubtful(sent, refusal(504, "GatewayTimeout"));
      case "500 before":
        return this.#doubtful(sent, refusal(500, "InternalServerError"));
      case "503 after":
        await this.#carriedOut(sent);
        return this.#doubtful(sent, refusal(503, "ServiceUnavailable"));
      case "silence":
        return this.#silence(sent);
      case "silence after":
        await this.#carriedOut(sent);
        return this.#silence(sent);
      case "throttled":
        return refusal(429, "Throttled");
      case "throttled for seconds":
        return { ...refusal(429, "Throttled"), headers: { "retry-after": "7" } };
      case "busy":
        return refusal(409, "Conflict");
      case "forbidden":
        return refusal(403, "Forbidden", "AccessDenied");
      case "expired token":
        return { ...refusal(401, "Unauthorized"), headers: { "www-authenticate": EXPIRED } };
      case "page of a gateway":
        return this.#doubtful(sent, PAGE);
      case "page of a gateway after":
        await this.#carriedOut(sent);
        return this.#doubtful(sent, PAGE);
      case "foreign answer": {
        const { answered, disturbances } = await this.#carriedOut(sent);
        if (answered.status !== 200) return this.#told(sent, answered, disturbances);
        const other = withOtherObject(JSON.parse(answered.body));
        return this.#doubtful(sent, { ...answered, body: JSON.stringify(other) });
      }
      case "duplicated answer": {
        const earlier = this.#answers.get(request.operation);
        const { answered, disturbances } = await this.#carriedOut(sent);
        const isWrite = OPERATIONS[request.operation].write;
        if (earlier === undefined || !isWrite) return this.#told(sent, answered, disturbances);
        return this.#doubtful(sent, earlier);
      }
      case "foreign act":
        if (place !== undefined) await this.#world.act(place, trouble.act, trouble.isMarked);
        break;
    }
    const { answered, disturbances } = await this.#carriedOut(sent);
    return this.#told(sent, answered, disturbances);
  }

  /** The vault does what is asked, once the request has come there: even if the process has ended by then. */
  async #carriedOut(sent: Sent): Promise<{ answered: VaultResponse; disturbances: number }> {
    await this.#way(this.#world.clock);
    return this.#ask(sent.vault, sent.request, sent.place);
  }

  #carryOutLate(sent: Sent): void {
    const { clock, promises, random } = this.#world;
    const { place } = sent;
    const lateness = LATENESS_MS[Math.floor(random.next() * LATENESS_MS.length)] ?? 0;
    clock.schedule(lateness, () => {
      this.#carriedOut(sent).then(
        () => {
          if (place !== undefined && OPERATIONS[sent.request.operation].write) promises.disturb(place);
        },
        () => {},
      );
    });
  }

  async #ask(
    vault: VaultName,
    request: VaultRequest,
    place: Place | undefined,
  ): Promise<{ answered: VaultResponse; disturbances: number }> {
    const { promises } = this.#world;
    const disturbances = place === undefined ? 0 : promises.disturbances(place);
    const answered = await this.#raw(vault, request);
    const declared = place === undefined ? undefined : this.knowledge.declared.get(placeKey(place));
    promises.carriedOut(this.knowledge, request, place, answered, declared);
    return { answered, disturbances };
  }

  #raw(vault: VaultName, { method, path, body, headers }: VaultRequest): Promise<VaultResponse> {
    const sent = body === undefined ? {} : { body };
    return this.#world.vault.ask({ vault, method, path, authorization: headers.authorization, ...sent });
  }

  #told({ request, place }: Sent, answered: VaultResponse, disturbances: number): VaultResponse {
    const { promises } = this.#world;
    if (answered.status === 200) this.#answers.set(request.operation, answered);
    promises.told(this.knowledge, request, place, answered, disturbances);
    return answered;
  }

  #lost(sent: Sent): TransportFailure {
    this.#noteUncertain(sent);
    return new TransportFailure(new Error("cut"), true);
  }

  #doubtful(sent: Sent, answered: VaultResponse): VaultResponse {
    this.#noteUncertain(sent);
    return answered;
  }

  #silence(sent: Sent): Promise<VaultResponse> {
    this.#noteUncertain(sent);
    return new Promise((_resolve, reject) => {
      sent.request.deadline.onEnd(() => reject(new TransportFailure(new Error("silence"), true)));
    });
  }

  #noteUncertain({ request, place }: Sent): void {
    const { operation, body } = request;
    if (place === undefined) return;
    if (OPERATIONS[operation].write) this.knowledge.unsettled.add(placeKey(place));
    if (!OPERATIONS[operation].makes) return;
    this.knowledge.uncertain.add(`${operation} ${placeKey(place)} ${body}`);
  }

  #way(clock: { schedule(ms: number, callback: () => void): unknown }): Promise<void> {
    const ms = Math.ceil(this.#world.random.next() * LONGEST_WAY_MS);
    return new Promise((resolve) => clock.schedule(ms, resolve));
  }
}

interface Sent {
  vault: VaultName;
  request: VaultRequest;
  place: Place | undefined;
}

const PAGE: VaultResponse = {
  status: 200,
  headers: { "content-type": "text/html" },
  body: "<!DOCTYPE html>\r\n<html></html>\r\n",
};
const EXPIRED =
  'Bearer authorization="https://login.windows.net/00000000-0000-0000-0000-00000000e4a1", resource="https://vault.azure.net"';

export function never(): Promise<never> {
  return new Promise(() => {});
}

function refused(): Error {
  return Object.assign(new Error("refused"), { code: "ECONNREFUSED" });
}

function refusal(status: number, code: string, innerCode?: string): VaultResponse {
  const innererror = innerCode === undefined ? {} : { innererror: { code: innerCode } };
  return { status, headers: {}, body: JSON.stringify({ error: { code, message: "simulated", ...innererror } }) };
}
