import { dynamicProvider, type Properties } from "../../provider/engine/lifecycle.js";
import { useRunClock } from "../../provider/engine/run-clock.js";
import { KeyVaultClient } from "../../provider/keyvault/client.js";
import {
  type Dispatch,
  TransportFailure,
  type VaultRequest,
  type VaultResponse,
} from "../../provider/keyvault/dispatch.js";
import { forgetDeclaredObjects } from "../../provider/object/declared-objects.js";
import { secretLifecycle } from "../../provider/secret/secret-lifecycle.js";
import { identity } from "../provider/engine-run.js";
import type { Step, Trouble } from "./history.js";
import { SimulatedVault, TOKEN, VAULT_URL } from "./simulated-vault.js";
import { ProcessClock, VirtualClock } from "./virtual-clock.js";

const NAME = "orders";
const PATH = `/secrets/${NAME}`;
/** Every value begins with it, so that it can be looked for wherever no value may be. */
const MATERIAL = "private-material";
const ANOTHERS_MARK = "other/prod AAAAAAAAAAAAAAAA";
const MAKES = new Set(["setSecret"]);
const WRITES = new Set(["setSecret", "updateSecret", "deleteSecret", "recoverDeletedSecret"]);
/** Between two runs lies more than the longest lateness of a write: what was sent has happened, or never will. */
const BETWEEN_RUNS_MS = 60_000;
const LATENESS_MS = 8_000;

interface Recorded {
  id: string;
  resource: string;
  inputs: Properties;
  outs: Properties;
  isIncomplete: boolean;
}

type Trial = Exclude<Step, { do: "foreign write" | "foreign delete" }>;

/** A promise that does not hold, with what was sent until then. */
export class BrokenPromise extends Error {}

/** One secret, its program, its state and its vault: what one history makes of them, and whether the promises hold. */
export class Simulation {
  /** Every request as it was sent, with what became of it: a seed gives the same ones again. */
  readonly journal: string[] = [];
  readonly #clock = new VirtualClock();
  readonly #vault = new SimulatedVault(this.#clock);
  readonly #provider = dynamicProvider(async () => secretLifecycle);
  #client: KeyVaultClient | undefined;
  #state: Recorded | undefined;
  #value = 1;
  #tag = 1;
  #resource = "orders";
  /** How often each version was written: one of the same value and tags once, and once more for each foreign write over it. */
  readonly #written = new Map<string, number>();
  #foreignWrites = 0;
  /** What the run has last seen of the secret, by its version; undefined before it has looked. */
  #seen: string | undefined;
  /** Whether the run began with the secret in its state. */
  #isKnown = false;

  client(): KeyVaultClient {
    if (this.#client === undefined) throw new Error("a vault was asked for outside of a run");
    return this.#client;
  }

  async run(history: readonly Step[]): Promise<void> {
    for (const step of history) {
      this.journal.push(`-- ${JSON.stringify(step)}`);
      if (step.do === "foreign write") await this.#writeAsAnother(step.isMarked, step.isSameValue);
      else if (step.do === "foreign delete") await this.#vault.look(PATH, "DELETE");
      else await this.#try(step);
      await this.#clock.pass(BETWEEN_RUNS_MS);
    }
    this.journal.push("-- until done");
    await this.#settle();
  }

  close(): void {
    this.#vault.close();
    useRunClock();
    forgetDeclaredObjects();
  }

  /** Without trouble the program comes true, unless somebody else has the name: then that is what it says. */
  async #settle(): Promise<void> {
    if (this.#state !== undefined) await this.#try({ do: "refresh" });
    const failure = await this.#try({ do: "again" });
    const { status, body } = await this.#vault.look(PATH);
    if (failure !== undefined) {
      // A name that is held by somebody else, or by a version of our own of another source, is refused and told.
      const isOther = status === 200 && (isForeignSecret(body) || body.value !== this.#valueText());
      if (failure === "KV_ALREADY_EXISTS" && isOther) return;
      if (failure === "KV_DELETED_RECOVERABLE" && (await this.#isDeletedAnothers())) return;
      this.#break(`a run without trouble fails with ${failure}`);
    }
    if (status !== 200 || body.value !== this.#valueText()) this.#break("the secret is not what the program says");
    if (tagsOf(body).tag !== String(this.#tag)) this.#break("the tags are not what the program says");
    if (this.#state?.outs.version !== String(body.id).split("/").at(-1)) {
      this.#break("state names another version than the vault's");
    }
  }

  async #isDeletedAnothers(): Promise<boolean> {
    return isForeignSecret((await this.#vault.look(`/deletedsecrets/${NAME}`)).body);
  }

  /** One run of the engine. @returns the code of its failure; "killed" where it was. */
  async #try(step: Trial): Promise<string | undefined> {
    if (step.do === "change") this.#value += 1;
    if (step.do === "tag") this.#tag += 1;
    forgetDeclaredObjects();
    this.#seen = undefined;
    const clock = new ProcessClock(this.#clock);
    useRunClock(clock);
    let kill: (reason: string) => void = () => {};
    const killed = new Promise<string>((resolve) => {
      kill = resolve;
    });
    this.#client = new KeyVaultClient({
      vaultUrl: VAULT_URL,
      credential: { getToken: async () => ({ token: TOKEN, expiresOn: new Date(8.64e15) }) },
      clock,
      dispatch: this.#dispatch(step.trouble, () => kill("killed")),
    });
    const before = this.#state;
    this.#isKnown = before !== undefined;
    const work = this.#carryOut(step).then(
      () => undefined,
      (error: unknown) => this.#codeOf(error),
    );
    const outcome = await this.#clock.drive(Promise.race([work, killed]));
    clock.end();
    this.#client = undefined;
    if (step.isStateLost) this.#state = before;
    if (JSON.stringify(this.#state ?? {}).includes(MATERIAL)) this.#break("private material is in state");
    this.journal.push(`=> ${outcome ?? "done"}`);
    return outcome;
  }

  async #carryOut(step: Trial): Promise<void> {
    if (step.do === "refresh") return this.#refresh();
    if (step.do === "drop") return this.#delete(this.#state);
    const old = this.#state;
    if (step.do === "rename" && old !== undefined) {
      this.#resource = this.#resource === "orders" ? "orders-2" : "orders";
      await this.#create(await this.#checked({}));
      return this.#deleteOld(old);
    }
    const isRenamed = old !== undefined && old.resource !== this.#resource;
    if (old === undefined || isRenamed) {
      await this.#create(await this.#checked({}));
      return isRenamed ? this.#deleteOld(old) : undefined;
    }
    const inputs = await this.#checked(old.inputs);
    await this.#provider.diff(old.id, old.outs, inputs);
    if (step.do === "replace") {
      await this.#delete(old);
      return this.#create(inputs);
    }
    if (!old.isIncomplete && canonical(inputs) === canonical(old.inputs)) return;
    await this.#recording(inputs, old.id, async () => ({
      id: old.id,
      ...(await this.#provider.update(old.id, old.outs, inputs)),
    }));
  }

  async #checked(olds: Properties): Promise<Properties> {
    const { inputs, failures } = await this.#provider.check(olds, {
      ...identity(this.#resource, "Secret"),
      vaultUrl: VAULT_URL,
      name: NAME,
      value: this.#valueText(),
      tags: { tag: String(this.#tag) },
    });
    if (failures.length > 0) this.#break(`the program is refused: ${failures.map(({ reason }) => reason).join()}`);
    return plain(inputs);
  }

  #create(inputs: Properties): Promise<void> {
    return this.#recording(inputs, undefined, () => this.#provider.create(inputs));
  }

  async #recording(
    inputs: Properties,
    known: string | undefined,
    work: () => Promise<{ id: string; outs: Properties }>,
  ): Promise<void> {
    const resource = this.#resource;
    try {
      const { id, outs } = await work();
      this.#state = { id, resource, inputs, outs: plain(outs), isIncomplete: false };
    } catch (error) {
      if (error instanceof Error && "properties" in error) {
        const outs = plain(Object(error.properties));
        this.#state = { id: known ?? String(Object(error).id), resource, inputs, outs, isIncomplete: true };
      }
      throw error;
    }
  }

  async #refresh(): Promise<void> {
    const state = this.#state;
    if (state === undefined) return;
    const { id, props, inputs } = await this.#provider.read(state.id, state.outs);
    this.#state = id ? { ...state, outs: plain(props), inputs: plain(inputs ?? {}) } : undefined;
  }

  async #delete(state: Recorded | undefined): Promise<void> {
    if (state === undefined) return;
    await this.#provider.delete(state.id, state.outs);
    this.#state = undefined;
  }

  /** What a rename leaves over: the engine keeps it in state until it is deleted; here the run tries it once. */
  async #deleteOld(old: Recorded): Promise<void> {
    await this.#provider.delete(old.id, old.outs);
  }

  async #writeAsAnother(isMarked: boolean, isSameValue: boolean): Promise<void> {
    this.#foreignWrites += 1;
    const tags = isMarked ? { "pulumi-keyvault": ANOTHERS_MARK } : {};
    const { status } = await this.#vault.look(PATH, "PUT", {
      value: isSameValue ? this.#valueText() : `foreign ${this.#foreignWrites}`,
      tags,
    });
    this.journal.push(`foreign write: ${status}`);
  }

  #dispatch(trouble: Trouble | undefined, kill: () => void): Dispatch {
    let count = 0;
    const never = () => new Promise<VaultResponse>(() => {});
    return async (request) => {
      const isAuthorized = "authorization" in request.headers;
      if (!isAuthorized) return this.#ask(request);
      this.#checkMaterial(request);
      const mishap = count++ === trouble?.at ? trouble.mishap : undefined;
      this.journal.push(`${request.operation}${mishap === undefined ? "" : ` (${mishap})`}`);
      switch (mishap) {
        case "killed before":
          kill();
          return never();
        case "killed after":
          await this.#carriedOut(request);
          kill();
          return never();
        case "lost before":
          throw new TransportFailure(new Error("cut"), true);
        case "lost after":
          await this.#carriedOut(request);
          throw new TransportFailure(new Error("cut"), true);
        case "late":
          this.#clock.schedule(LATENESS_MS, () => {
            this.#carriedOut(request, true).catch(() => {});
          });
          throw new TransportFailure(new Error("cut"), true);
        case "503 after":
          await this.#carriedOut(request);
          return refusal(503, "ServiceUnavailable");
        case "throttled":
          return refusal(429, "Throttled");
        case "forbidden":
          return refusal(403, "Forbidden", "AccessDenied");
        default:
          return this.#noting(request, await this.#carriedOut(request));
      }
    };
  }

  /** The vault does what is asked of it; before that, what was asked is held against the promises. */
  async #carriedOut(request: VaultRequest, isLate = false): Promise<VaultResponse> {
    if (!WRITES.has(request.operation)) return this.#ask(request);
    const { body } = await this.#vault.look(PATH);
    const current = String(body.id ?? "nothing");
    if (MAKES.has(request.operation) && !isLate && this.#seen !== current) {
      this.#break(`a version is written over ${current}, and what was seen is ${this.#seen ?? "nothing yet"}`);
    }
    if (request.operation === "deleteSecret" && tagsOf(body)["pulumi-keyvault"] === ANOTHERS_MARK) {
      this.#break("another stack's secret is deleted");
    }
    if (request.operation === "recoverDeletedSecret") await this.#checkRecovery();
    // What state knows is the program's to put right, whoever has written over it.
    if (!this.#isKnown && isForeignSecret(body)) this.#break(`${request.operation} on a foreign secret`);
    const answered = await this.#ask(request);
    if (MAKES.has(request.operation) && answered.status === 200) this.#countVersion(request.body ?? "");
    return answered;
  }

  /** A deleted secret that nobody marked is brought back by default, and is the program's from then on. */
  async #checkRecovery(): Promise<void> {
    const { body } = await this.#vault.look(`/deletedsecrets/${NAME}`);
    // Not held against a replacement yet: what this run has let go counts as its own, whoever has marked it meanwhile.
    const isAnothers = tagsOf(body)["pulumi-keyvault"] === ANOTHERS_MARK;
    if (!this.#isKnown && isAnothers) this.#break("another stack's deleted secret is recovered");
    this.#isKnown = true;
  }

  #countVersion(body: string): void {
    const times = (this.#written.get(body) ?? 0) + 1;
    this.#written.set(body, times);
    if (times > 1 + this.#foreignWrites) this.#break(`a version is written ${times} times: ${body}`);
  }

  /** What the program is told of the secret is what it has seen. */
  #noting(request: VaultRequest, answered: VaultResponse): VaultResponse {
    if (!request.path.startsWith(`${PATH}?`)) return answered;
    if (answered.status === 404) this.#seen = "nothing";
    if (answered.status === 200) this.#seen = String((JSON.parse(answered.body) as { id: unknown }).id);
    return answered;
  }

  async #ask({ method, path, body, headers }: VaultRequest): Promise<VaultResponse> {
    const sent = body === undefined ? {} : { body };
    return this.#vault.ask({ method, path, authorization: headers.authorization, ...sent });
  }

  #checkMaterial({ operation, path, headers, body }: VaultRequest): void {
    const shown = JSON.stringify([path, headers, operation === "setSecret" ? "" : body]);
    if (shown.includes(MATERIAL)) this.#break(`private material is in ${operation}`);
  }

  #codeOf(error: unknown): string {
    if (error instanceof BrokenPromise) throw error;
    const message = error instanceof Error ? error.message : String(error);
    if (message.includes(MATERIAL)) this.#break("private material is in a message");
    const code = /^KV_[A-Z_]+/.exec(message)?.[0];
    return code ?? this.#break(`a failure without a code: ${message}`);
  }

  #valueText(): string {
    return `${MATERIAL} ${this.#value}`;
  }

  #broken: BrokenPromise | undefined;

  /** The first promise that was broken, wherever: the provider may take it for a failure of the transport. */
  get broken(): BrokenPromise | undefined {
    return this.#broken;
  }

  #break(what: string): never {
    this.#broken ??= new BrokenPromise(`${what}\n${this.journal.join("\n")}`);
    throw this.#broken;
  }
}

function tagsOf({ tags }: Record<string, unknown>): Record<string, unknown> {
  return Object(tags);
}

function isForeignSecret(body: Record<string, unknown>): boolean {
  if (body.id === undefined) return false;
  return !String(tagsOf(body)["pulumi-keyvault"] ?? "").startsWith("shop/prod ");
}

function refusal(status: number, code: string, innerCode?: string): VaultResponse {
  const innererror = innerCode === undefined ? {} : { innererror: { code: innerCode } };
  return { status, headers: {}, body: JSON.stringify({ error: { code, message: "simulated", ...innererror } }) };
}

function canonical({ __provider: _p, ...inputs }: Properties): string {
  return JSON.stringify(Object.entries(inputs).sort(([left], [right]) => (left < right ? -1 : 1)));
}

/** Secrets in plain text, as the engine hands them back. */
function plain(value: Properties): Properties {
  return JSON.parse(JSON.stringify(value), (_key, item: unknown) =>
    item !== null && typeof item === "object" && "4dabf18193072939515e22adb298388d" in item && "value" in item
      ? item.value
      : item,
  );
}
