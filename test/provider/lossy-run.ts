import type { Emulator, FaultRule } from "../../emulator/index.js";
import type { DynamicProvider } from "../../provider/engine/lifecycle.js";
import { runClock } from "../../provider/engine/run-clock.js";
import { KeyVaultClient } from "../../provider/keyvault/client.js";
import type { Clock } from "../../provider/keyvault/clock.js";
import type { Dispatch, VaultResponse } from "../../provider/keyvault/dispatch.js";
import { socketDispatch } from "../../provider/keyvault/socket-dispatch.js";
import { call } from "../engine/vault-by-hand.js";
import { type Arguments, DrivenResource, type State } from "./driven-resource.js";
import { nextEngineRun } from "./engine-run.js";
import { stored } from "./stored.js";

/** Shorter waits are pauses and are hurried; from here on they are a call's budget, which ends when a test says so. */
const BUDGET_MS = 60_000;

/** A client whose pauses are the hurried clock's, and whose budget ends where the vault keeps silent. */
export class LossyConnection {
  /** Called once, right before the first request of an operation is sent. */
  readonly before = new Map<string, () => Promise<unknown>>();
  readonly #spoiled = new Map<string, (answer: VaultResponse) => VaultResponse>();
  /** The operations that were sent, in their order. The question for a token is none. */
  readonly sent: string[] = [];
  readonly client: KeyVaultClient;
  readonly #budgets = new Set<() => void>();
  readonly #vault: Emulator;
  #killing: { left: number; moment: "before" | "after"; tell(): void } | undefined;
  #isKilled = false;
  #onTheirWay = 0;

  constructor(vault: Emulator) {
    this.#vault = vault;
    const socket = socketDispatch(vault.url);
    const dispatch: Dispatch = async (request) => {
      const first = this.before.get(request.operation);
      this.before.delete(request.operation);
      await first?.();
      if (!("authorization" in request.headers)) return socket.dispatch(request);
      this.sent.push(request.operation);
      const isLast = this.#killing !== undefined && this.#killing.left-- === 0;
      if (this.#isKilled || (isLast && this.#killing?.moment === "before")) return this.#kill();
      this.#onTheirWay += 1;
      const answer = await socket.dispatch(request).finally(() => {
        this.#onTheirWay -= 1;
      });
      if (this.#isKilled || isLast) return this.#kill();
      const spoil = this.#spoiled.get(request.operation) ?? ((whole: VaultResponse) => whole);
      this.#spoiled.delete(request.operation);
      return spoil(answer);
    };
    let tokens = 0;
    const getToken = async () => {
      tokens += 1;
      return { token: `${vault.token}-${tokens}`, expiresOn: new Date(8.64e15) };
    };
    const clock: Clock = {
      now: () => runClock.now(),
      random: () => 0.5,
      schedule: (ms, callback) => {
        if (ms < BUDGET_MS) return runClock.schedule(ms, callback);
        this.#budgets.add(callback);
        return () => this.#budgets.delete(callback);
      },
    };
    this.client = new KeyVaultClient({ vaultUrl: vault.url, credential: { getToken }, clock, dispatch });
    const add = vault.requests.add.bind(vault.requests);
    vault.requests.add = (request) => {
      add(request);
      if (request.status === 0 && vault.faults.rules.some(({ kind }) => kind === "silence")) this.#endBudgets();
    };
  }

  /** Kills the run at its nth request from now on: that one, and whatever else it waits for, is never answered. */
  killAt(left: number, moment: "before" | "after"): Promise<"killed"> {
    return new Promise((resolve) => {
      this.#killing = { left, moment, tell: () => resolve("killed") };
    });
  }

  #kill(): Promise<never> {
    this.#isKilled = true;
    // What is on its way arrives: the next run comes after that.
    if (this.#onTheirWay === 0) this.#killing?.tell();
    return new Promise(() => {});
  }

  /** Loses the next answer to an operation. */
  lose(operation: string, { rule, spoil }: Loss): void {
    if (rule !== undefined) this.#vault.faults.add({ ...rule, operation, times: 1 });
    if (spoil !== undefined) this.#spoiled.set(operation, spoil);
  }

  #endBudgets(): void {
    for (const end of this.#budgets) end();
    this.#budgets.clear();
  }
}

/** A program of one resource, whose runs end as the engine's do: with state, with part of it, or with none. */
export class LossyProgram {
  readonly resource: DrivenResource;
  state: State | undefined;
  #isIncomplete = false;

  /** @param name of its object; undefined of a resource of many. */
  constructor(provider: DynamicProvider, vault: Emulator, name: string | undefined) {
    this.resource = new DrivenResource(provider, vault, {
      vaultUrl: vault.url,
      ...(name === undefined ? {} : { name }),
    });
  }

  /** `pulumi up`. @returns the code of the failure, where it failed. */
  async up(args: Arguments | undefined): Promise<string | undefined> {
    nextEngineRun();
    try {
      if (args === undefined) await this.#delete();
      else await this.#converge(args);
      return undefined;
    } catch (error) {
      return codeOf(error);
    }
  }

  async #delete(): Promise<void> {
    if (this.state === undefined) return;
    const { id, outs } = this.state;
    await this.resource.provider.delete(id, outs);
    this.state = undefined;
  }

  async #converge(args: Arguments): Promise<void> {
    const inputs = await this.resource.checked(args, this.state?.inputs);
    try {
      if (this.state === undefined) {
        const { id, outs } = await this.resource.provider.create(inputs);
        this.state = { id, inputs, outs: stored(outs) };
      } else if (this.#isIncomplete || JSON.stringify(inputs) !== JSON.stringify(this.state.inputs)) {
        const { outs } = await this.resource.provider.update(this.state.id, this.state.outs, inputs);
        this.state = { id: this.state.id, inputs, outs: stored(outs) };
      }
      this.#isIncomplete = false;
    } catch (error) {
      if (error instanceof Error && "properties" in error && "id" in error) {
        this.state = { id: String(error.id), inputs, outs: stored(Object(error.properties)) };
        this.#isIncomplete = true;
      }
      throw error;
    }
  }
}

/** The code that a failure tells the user. A failure without one is told as it is. */
export function codeOf(error: unknown): string {
  const message = error instanceof Error ? error.message : String(error);
  return /^KV_[A-Z_]+/.exec(message)?.[0] ?? `no code: ${message}`;
}

/** What a vault holds: the number of versions of each object, and which of them are disabled or deleted. */
export async function holdings(vault: Emulator, collection: "keys" | "secrets"): Promise<Record<string, unknown>> {
  const held: Record<string, unknown> = {};
  for (const item of await list(vault, `/${collection}`)) {
    const versions = (await list(vault, `/${collection}/${nameOf(item)}/versions`)).length;
    held[nameOf(item)] = item.attributes?.enabled === false ? "disabled" : versions;
  }
  for (const item of await list(vault, `/deleted${collection}`)) held[nameOf(item)] = "deleted";
  return held;
}

interface Item {
  kid?: string;
  id?: string;
  attributes?: { enabled?: boolean };
}

function nameOf({ kid, id }: Item): string {
  return String(kid ?? id).split("/")[4] ?? "";
}

async function list(vault: Emulator, path: string): Promise<Item[]> {
  const page = (await call(vault, "GET", path)) as { value: Item[] };
  return page.value;
}

/** A fault, and what of the request it hits is carried out. */
export interface Loss {
  rule?: Omit<FaultRule, "operation" | "times">;
  /** What takes the place of the answer to a request that was carried out. */
  spoil?: (answer: VaultResponse) => VaultResponse;
  /** Whether somebody else writes at the same moment. */
  foreign?: true;
}

export const losses: Record<string, Loss> = {
  "dropped before": { rule: { kind: "drop" } },
  "committed 0 s late": { rule: { kind: "drop", commits: "late", milliseconds: 0 } },
  "committed 0.7 s late": { rule: { kind: "drop", commits: "late", milliseconds: 700 } },
  "committed 5 s late": { rule: { kind: "drop", commits: "late", milliseconds: 5_000 } },
  "committed 10 s late": { rule: { kind: "drop", commits: "late", milliseconds: 10_000 } },
  "committed 50 s late": { rule: { kind: "drop", commits: "late", milliseconds: 50_000 } },
  "dropped after": { rule: { kind: "drop", commits: "first" } },
  "cut in the middle": { rule: { kind: "cut" } },
  "JSON that stops": { rule: { kind: "truncated" } },
  "500 before": { rule: { kind: "status", status: 500 } },
  "500 after": { rule: { kind: "status", status: 500, commits: "first" } },
  "502 before": { rule: { kind: "status", status: 502 } },
  "502 after": { rule: { kind: "status", status: 502, commits: "first" } },
  "504 before": { rule: { kind: "status", status: 504 } },
  "504 after": { rule: { kind: "status", status: 504, commits: "first" } },
  "504, committed 5 s late": { rule: { kind: "status", status: 504, commits: "late", milliseconds: 5_000 } },
  "409, somebody else writes": { rule: { kind: "conflict" }, foreign: true },
  "429": { rule: { kind: "throttled" } },
  "429 with Retry-After": { rule: { kind: "throttled", retryAfterSeconds: 7 } },
  "401 in the middle": { rule: { kind: "expiredToken" } },
  "403, not done": { rule: { kind: "status", status: 403, code: "Forbidden", innerCode: "AccessDenied" } },
  "wrong content type": { rule: { kind: "contentType" } },
  "wrong object": { rule: { kind: "otherObject" } },
  "empty answer": { spoil: (answer) => ({ ...answer, body: "" }) },
  "empty object": { spoil: (answer) => ({ ...answer, body: "{}" }) },
  null: { spoil: (answer) => ({ ...answer, body: "null" }) },
  "204 with nothing": { spoil: () => ({ status: 204, headers: {}, body: "" }) },
  "200 for 204": { spoil: (answer) => ({ ...answer, status: 200, body: answer.body || "{}" }) },
  "a redirect": { spoil: () => ({ status: 302, headers: { location: "https://login.example/" }, body: "" }) },
  "403 of a gateway, after": { spoil: () => ({ status: 403, headers: {}, body: "<html>blocked</html>" }) },
  "404 of a gateway, after": { spoil: () => ({ status: 404, headers: {}, body: "<html>no such page</html>" }) },
  "HTML with 200, before": { rule: { kind: "html" } },
  "HTML with 200, after": { rule: { kind: "html", commits: "first" } },
  "no answer, not done": { rule: { kind: "silence" } },
  "no answer, done": { rule: { kind: "silence", commits: "first" } },
  "no answer, done 5 s later": { rule: { kind: "silence", commits: "late", milliseconds: 5_000 } },
};
