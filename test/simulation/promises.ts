import type { Properties } from "../../provider/engine/lifecycle.js";
import type { VaultRequest, VaultResponse } from "../../provider/keyvault/dispatch.js";
import { OPERATIONS } from "../../provider/keyvault/operations.js";
import type { Declared, DeclaredProgram } from "./declared-program.js";
import { CANARY, ENCODED_CANARY } from "./key-pool.js";
import {
  type Collection,
  isThere,
  type Place,
  placeKey,
  type SimulatedVault,
  type Truth,
  type VaultName,
} from "./simulated-vault.js";

export const OWN_STACK = "shop/prod ";
export const ANOTHERS_MARK = "other/prod AAAAAAAAAAAAAAAA";
const OWNER_TAG = "pulumi-keyvault";
/** What all backups begin with after their first bytes. */
const BLOB = "dXJlS2V5VmF1bH";
/** The requests that carry private material, and the answers that bring it. */
const CARRIES: ReadonlySet<string> = new Set(["importKey", "setSecret"]);
const BRINGS: ReadonlySet<string> = new Set(["getSecret", "setSecret"]);

/** A promise that does not hold, with what was sent until then. */
export class BrokenPromise extends Error {}

/** What one process has been told of a place. */
interface Look {
  /** The version, or that there is nothing to read. */
  found: string;
  /** How often others had written there by then. */
  disturbances: number;
}

/** What one process knows, and what it may do by it. */
export interface Knowledge {
  /** Places whose objects stand in its state. */
  known: Set<string>;
  /** What the program declares, as far as it was checked. */
  declared: Map<string, Declared>;
  looks: Map<string, Look>;
  deletedLooks: Map<string, Look>;
  /** What was sent and may have happened: operation, place and body. */
  uncertain: Set<string>;
  /** Places that a write was sent to whose answer told nothing. */
  unsettled: Set<string>;
  /** Places whose objects it has made or brought back. */
  made: Map<string, Place>;
}

export function nothingKnown(): Knowledge {
  return {
    known: new Set(),
    declared: new Map(),
    looks: new Map(),
    deletedLooks: new Map(),
    uncertain: new Set(),
    unsettled: new Set(),
    made: new Map(),
  };
}

/** Holds every request, answer, message and state of a history against what was promised. */
export class Promises {
  /** Every request as it was sent, with what became of it: a seed gives the same ones again. */
  readonly journal: string[] = [];
  /** What each version was made of, whoever has made it. */
  readonly sources = new Map<string, string>();
  /** Places at which a run may have written what no state knows. */
  readonly doubtful = new Set<string>();
  readonly #vault: SimulatedVault;
  readonly #disturbances = new Map<string, number>();
  readonly #made = new Map<string, number>();
  readonly #licences = new Map<string, number>();
  readonly #names = new Map<string, string>();
  #broken: BrokenPromise | undefined;
  /** What the program has changed in the vaults so far. */
  writes = 0;

  constructor(vault: SimulatedVault) {
    this.#vault = vault;
  }

  /** The first promise that was broken, wherever: the provider may take it for a failure of the transport. */
  get broken(): BrokenPromise | undefined {
    return this.#broken;
  }

  note(line: string): void {
    this.journal.push(line);
  }

  break(what: string): never {
    this.#broken ??= new BrokenPromise(`${what}\n${this.journal.join("\n")}`);
    throw this.#broken;
  }

  disturbances(place: Place): number {
    return this.#disturbances.get(placeKey(place)) ?? 0;
  }

  /** Somebody else has written there: what was seen before may be wrong, and more versions may be due. */
  disturb(place: Place): void {
    const key = placeKey(place);
    this.#disturbances.set(key, this.disturbances(place) + 1);
    this.license(key);
  }

  /** One version more of the same source is asked for. */
  license(key: string): void {
    this.#licences.set(key, (this.#licences.get(key) ?? 0) + 1);
  }

  /**
   * A key that was generated once more, for a replacement or since somebody else had written or purged, and whose state
   * is lost: a refresh cannot tell it from a rotation by hand, over which the next run generates another.
   */
  licenseLostKeys(program: DeclaredProgram): void {
    for (const declared of program.resources.values()) {
      const { place, source } = declared;
      if (place === undefined || source?.kind !== "generate") continue;
      const key = placeKey(place);
      if (program.isReplaced(declared) || this.#licences.has(key)) this.license(key);
    }
  }

  /** What a request is about; undefined for lists of a vault. */
  placeOf(vault: VaultName, { path, body }: VaultRequest): Place | undefined {
    const [, , collection, name] = /^\/(deleted)?(keys|secrets)\/([^/?]+)/.exec(path) ?? [];
    if (collection === undefined || name === undefined) return undefined;
    const isRestore = name === "restore" && body !== undefined;
    const found = isRestore ? this.#names.get(String(Object(JSON.parse(body)).value)) : name;
    return { vault, collection: collection as Collection, name: found ?? name };
  }

  /** A request that is about to leave the process. */
  sent(knowledge: Knowledge, request: VaultRequest, place: Place | undefined): void {
    this.#holdMaterial(request);
    const { operation } = request;
    if (!OPERATIONS[operation].write) return;
    if (place === undefined) this.break(`${operation} is about nothing`);
    const truth = this.#vault.truth(place);
    if (OPERATIONS[operation].makes) this.#holdMake(knowledge, request, place, truth);
    else if (operation.startsWith("update")) this.#holdUpdate(knowledge, request, place, truth);
    else if (operation.startsWith("recover")) this.#holdRecovery(knowledge, place, truth);
    else this.#holdDeletion(knowledge, request, place, truth);
  }

  #holdMake(knowledge: Knowledge, request: VaultRequest, place: Place, truth: Truth | undefined): void {
    const { operation } = request;
    const key = placeKey(place);
    const current = isThere(truth) ? truth.version : "nothing";
    const look = knowledge.looks.get(key);
    if (look === undefined) this.break(`${operation} of ${key} without a look`);
    const isUndisturbed = look.disturbances === this.disturbances(place);
    if (isUndisturbed && look.found !== current) {
      this.break(`${operation} over ${current} of ${key}, and what was seen is ${look.found}`);
    }
    if (isUndisturbed && isThere(truth) && !this.#mayTake(knowledge, key, truth)) {
      this.break(`${operation} over a foreign object at ${key}`);
    }
    if (knowledge.uncertain.has(`${operation} ${key} ${request.body}`)) {
      this.break(`${operation} of ${key} is sent again, and may have happened`);
    }
  }

  #holdUpdate(
    knowledge: Knowledge,
    { operation, body, path }: VaultRequest,
    place: Place,
    truth: Truth | undefined,
  ): void {
    const key = placeKey(place);
    const isVersioned = /^\/(keys|secrets)\/[^/?]+\/[^/?]+/.test(path);
    if (!isVersioned) this.break(`${operation} of ${key} names no version`);
    if (!isThere(truth) || !this.#isUndisturbed(knowledge.looks.get(key), place)) return;
    if (!this.#mayTake(knowledge, key, truth)) this.break(`${operation} of a foreign object at ${key}`);
    const isDisabled = body?.includes('"enabled":false') === true;
    if (isDisabled && isAnothers(truth)) this.break(`an object of another stack is disabled at ${key}`);
  }

  #holdRecovery(knowledge: Knowledge, place: Place, truth: Truth | undefined): void {
    const key = placeKey(place);
    const look = knowledge.deletedLooks.get(key);
    if (look === undefined) this.break(`${key} is recovered without a look`);
    const isAdopted = knowledge.declared.get(key)?.source?.kind === "adopt";
    // Of a deleted secret that is disabled the service tells no more than that it is there.
    const isHidden = place.collection === "secrets" && truth?.enabled === false;
    if (truth === undefined || !isAnothers(truth) || isAdopted || isHidden) return;
    if (this.#isUndisturbed(look, place)) this.break(`a deleted object of another stack is recovered at ${key}`);
  }

  #holdDeletion(knowledge: Knowledge, { operation }: VaultRequest, place: Place, truth: Truth | undefined): void {
    const key = placeKey(place);
    if (knowledge.declared.has(key)) this.break(`${operation} of ${key}, which the program declares`);
    const isPurge = operation.startsWith("purge");
    const look = isPurge ? (knowledge.deletedLooks.get(key) ?? knowledge.looks.get(key)) : knowledge.looks.get(key);
    if (look === undefined) this.break(`${operation} of ${key} without a look`);
    if (truth === undefined || !this.#isUndisturbed(look, place)) return;
    // While an object is being deleted, by whomever, the vault shows it nowhere: what it was marked with cannot be seen.
    if (isPurge && look.found === "nothing") return;
    if (isAnothers(truth)) this.break(`${operation} of another stack's object at ${key}`);
    if (!this.#mayTake(knowledge, key, truth)) this.break(`${operation} of a foreign object at ${key}`);
  }

  /** A look that was never taken leaves what is known from state: others may have written since. */
  #isUndisturbed(look: Look | undefined, place: Place): boolean {
    return look === undefined || look.disturbances === this.disturbances(place);
  }

  #mayTake({ known, declared }: Knowledge, key: string, truth: Truth): boolean {
    return known.has(key) || declared.get(key)?.source?.kind === "adopt" || isOwn(truth);
  }

  /** The vault has done what was asked. */
  carriedOut(
    knowledge: Knowledge,
    request: VaultRequest,
    place: Place | undefined,
    answered: VaultResponse,
    declared: Declared | undefined,
  ): void {
    const { operation } = request;
    if (!BRINGS.has(operation)) this.#holdText(answered.body, `the answer to ${operation}`);
    if (answered.status < 200 || answered.status > 299 || place === undefined) return;
    const key = placeKey(place);
    if (operation.startsWith("backup")) {
      this.#names.set(String(Object(JSON.parse(answered.body)).value), place.name);
    }
    if (OPERATIONS[operation].write) this.writes += 1;
    // What is purged is made again, and a disabled secret, whose value nobody can compare, gets a version of its value.
    const isDisabled = operation === "updateSecret" && request.body?.includes('"enabled":false') === true;
    if (operation.startsWith("purge") || isDisabled) this.license(key);
    if (operation.startsWith("recover")) knowledge.known.add(key);
    if (operation.startsWith("recover") || OPERATIONS[operation].makes) knowledge.made.set(key, place);
    if (operation.startsWith("delete")) knowledge.made.delete(key);
    if (!OPERATIONS[operation].makes) return;
    knowledge.known.add(key);
    const isRestore = operation.startsWith("restore");
    const source = isRestore ? `restored ${request.body}` : sourceText(declared?.source);
    if (!isRestore) this.sources.set(versionOf(answered), source);
    const count = (this.#made.get(`${key} ${source}`) ?? 0) + 1;
    this.#made.set(`${key} ${source}`, count);
    if (count > 1 + (this.#licences.get(key) ?? 0)) {
      this.break(`${key} has ${count} versions of one source: ${source.slice(0, 40)}`);
    }
  }

  /** What the process was told, and how often others had written when that was true. */
  told(
    knowledge: Knowledge,
    { operation, path, method }: VaultRequest,
    place: Place | undefined,
    answered: VaultResponse,
    disturbances: number,
  ): void {
    if (place === undefined) return;
    const key = placeKey(place);
    const isDone = answered.status >= 200 && answered.status < 300;
    if (method === "GET" && path.startsWith("/deleted")) {
      const isDisabled = answered.status === 403 && answered.body.includes("not permitted on this object");
      const found = answered.status === 404 ? "nothing" : "";
      if (isDone || isDisabled || answered.status === 404) knowledge.deletedLooks.set(key, { found, disturbances });
      return;
    }
    const isOfCurrent = (operation === "getKey" || operation === "getSecret") && !/^\/[a-z]+\/[^/?]+\/[^/?]/.test(path);
    if (isOfCurrent && answered.status === 404) {
      // What somebody else's recovery brings back a little later was not to be seen.
      const isComingBack = this.#vault.truth(place)?.standing === "recovering";
      knowledge.looks.set(key, { found: "nothing", disturbances: isComingBack ? disturbances - 1 : disturbances });
    }
    if ((isOfCurrent || OPERATIONS[operation].makes) && isDone) {
      knowledge.looks.set(key, { found: versionOf(answered), disturbances });
    }
    if (operation === "getSecretVersions" || operation === "getKeyVersions") {
      const truth = this.#vault.truth(place);
      knowledge.looks.set(key, { found: isThere(truth) ? truth.version : "nothing", disturbances });
    }
  }

  /**
   * What is recorded of an object is there, where nobody else has written and no run has lost what it wrote.
   *
   * @param otherMarks by which another resource in state knows the object: what was to take it over, and gives it back.
   */
  holdRecorded(place: Place, outs: Properties, otherMarks: readonly unknown[]): void {
    const key = placeKey(place);
    const truth = this.#vault.truth(place);
    if (this.disturbances(place) > 0 || this.doubtful.has(key)) return;
    // What the vault has agreed to recover comes back, and can be read a little later.
    const isThereSoon = truth?.standing === "recovering" || isThere(truth);
    if (truth === undefined || !isThereSoon) this.break(`${key} is recorded, and is not there`);
    if (outs.version !== truth.version) this.break(`${key} is recorded in another version than the vault's`);
    const tags = { ...withoutMark(truth.tags) };
    const recorded: Record<string, unknown> = { ...Object(outs.found).tags, ...Object(outs.tags) };
    if (recorded.tag !== tags.tag) this.break(`the tags of ${key} are recorded, and are not there`);
    const expiry = outs.expiresOn ?? Object(outs.found).expiresOn;
    const expiresOn = expiry === undefined ? undefined : Date.parse(String(expiry)) / 1000;
    if (expiresOn !== truth.expiresOn) this.break(`the expiry of ${key} is recorded, and is not there`);
    const rotateAfter = Object(outs.rotationPolicy).rotateAfter;
    if (rotateAfter !== undefined && rotateAfter !== truth.rotateAfter) {
      this.break(`the rotation policy of ${key} is recorded, and is not there`);
    }
    // Where the answer to a new mark was lost, state knows it beside the former one, which may have been none.
    const { ownerToken, formerToken } = outs;
    const marks = [ownerToken, formerToken, ...otherMarks].filter((mark) => mark !== undefined).map(String);
    if (ownerToken !== undefined && !marks.some((mark) => (truth.tags[OWNER_TAG] ?? "").includes(mark))) {
      this.break(`the mark of ${key} is recorded, and is not there`);
    }
  }

  /** What a process has made or brought back is in state when its run has ended, whatever failed after that. */
  holdMadeRecorded({ made, unsettled }: Knowledge, recorded: ReadonlySet<string>): void {
    for (const [key, place] of made) {
      if (recorded.has(key) || unsettled.has(key) || this.disturbances(place) > 0) continue;
      this.break(`${key} was made or recovered, and no state has it`);
    }
  }

  /** What a refresh takes out of state is gone. */
  holdGone(place: Place): void {
    if (isThere(this.#vault.truth(place)) && this.disturbances(place) === 0) {
      this.break(`${placeKey(place)} is taken for gone, and is there`);
    }
  }

  /** Something that the user is told. */
  holdMessage(line: string): void {
    this.#holdText(line, "a message");
    if (line.includes(BLOB)) this.break(`a backup is in a message: ${line.slice(0, 80)}`);
  }

  /** What is written to state. Blobs stand there where a backup keeps them, as secrets. */
  holdState(outs: Properties): void {
    const { blob, blobs, ...rest } = outs;
    this.#holdText(JSON.stringify(outs), "state");
    if (JSON.stringify(rest).includes(BLOB)) this.break("a backup is in state, and not as a secret");
    for (const kept of [blob, blobs]) {
      if (kept !== undefined && Object(kept)["4dabf18193072939515e22adb298388d"] === undefined) {
        this.break("a blob is in state, and not as a secret");
      }
    }
  }

  #holdMaterial({ operation, path, headers, body = "" }: VaultRequest): void {
    this.#holdText(JSON.stringify([path, headers]), `the path or headers of ${operation}`);
    if (!CARRIES.has(operation)) this.#holdText(body, operation);
    if (!operation.startsWith("restore") && body.includes(BLOB)) this.break(`a backup is in ${operation}`);
  }

  #holdText(text: string, where: string): void {
    if (text.includes(CANARY) || text.includes(ENCODED_CANARY)) this.break(`private material is in ${where}`);
  }
}

export function isOwn({ tags }: Truth): boolean {
  return tags[OWNER_TAG]?.startsWith(OWN_STACK) === true;
}

export function isAnothers({ tags }: Truth): boolean {
  return tags[OWNER_TAG] !== undefined && !tags[OWNER_TAG].startsWith(OWN_STACK);
}

export function withoutMark({ [OWNER_TAG]: _mark, ...tags }: Record<string, string>): Record<string, string> {
  return tags;
}

/** By which versions of one source are known for it. */
export function sourceText(source: Declared["source"]): string {
  return source?.kind === "given" || source?.kind === "generate" ? `${source.kind} ${source.content}` : "none";
}

/** Of a bundle: the last part of its id. */
export function versionOf({ body }: VaultResponse): string {
  const { id, key } = JSON.parse(body) as { id?: unknown; key?: { kid?: unknown } };
  return (
    String(key?.kid ?? id)
      .split("/")
      .at(-1) ?? ""
  );
}
