import { callerOf } from "./caller.js";
import { Correspondence } from "./correspondence.js";
import { compareErrors, type EmulatedAnswer } from "./error-shape.js";
import { objectKey, type Phase } from "./evidence.js";
import { errorOf, isObject, objectAt, stringAt } from "./json.js";
import { compareListings, fillerPrefix } from "./listing.js";
import { identifierOf, type RecordedCollection } from "./operation.js";
import { type GivenObject, type Plan, planOf } from "./plan.js";
import { noWindows, pace, windowsFrom } from "./replay-windows.js";
import { type BodySources, bodyOf, restoredIdentifier } from "./request-body.js";
import type { Scenario, Step } from "./scenario.js";
import { Seeding } from "./seeding.js";
import { compareShape } from "./shape.js";
import { abroad, elsewhere, type Stage } from "./stage.js";
import { isDestroyedKey } from "./stand-in-key.js";
import { isSupersededRefusal } from "./superseded.js";
import { traitsOf } from "./traits.js";

/** How far the clock is moved for an answer that has not come yet. */
const deadline = 1_800_000;

/** One recording on one stage. */
export class Replay {
  readonly #scenario: Scenario;
  readonly #stage: Stage;
  readonly #plan: Plan;
  readonly #correspondence = new Correspondence();
  readonly #seeding: Seeding;
  readonly #numbers = new Map<string, string | number>();
  readonly #wantedBlobs: Set<string>;
  readonly #blobs = new Map<string, string>();

  constructor(scenario: Scenario, stage: Stage) {
    this.#scenario = scenario;
    this.#stage = stage;
    this.#plan = planOf(scenario);
    this.#seeding = new Seeding(stage, this.#correspondence, (object) => this.#keepBackup(object));
    this.#wantedBlobs = unrecordedBackupsOf(scenario);
  }

  async run(): Promise<string[]> {
    const failures: string[] = [];
    try {
      await this.#fillPages();
    } catch (error) {
      return [`given state: ${messageOf(error)}`];
    }
    for (const [index, step] of this.#scenario.steps.entries()) {
      try {
        await this.#arrange(index);
        const differences = await this.#play(step, index);
        failures.push(...differences.map((text) => `exchange ${step.number} ${label(step)}: ${text}`));
      } catch (error) {
        failures.push(`exchange ${step.number} ${label(step)}: ${messageOf(error)}`);
      }
      this.#stage.clock.advance(pace);
    }
    return failures;
  }

  /** A listing that the recording leaves before its end needs something to go on with. */
  async #fillPages(): Promise<void> {
    for (const { operation, host, pages, fromStart } of this.#scenario.steps) {
      const last = pages.at(-1)?.response.body;
      const goesOn = isObject(last) && typeof last.nextLink === "string";
      if (goesOn && operation.kind === "versions" && fromStart)
        this.#addVersions(host, operation.collection, operation.name);
      if (!goesOn || (operation.kind !== "list" && operation.kind !== "listDeleted")) continue;
      const { collection } = operation;
      for (let count = 0; count < 26; count += 1) {
        const object: GivenObject = { host, collection, name: `${fillerPrefix}${count}`, given: [] };
        await this.#seeding.bring(object, "absent", operation.kind === "list" ? "active" : "deleted", {}, noWindows);
      }
    }
  }

  /** Older versions than any that the recording shows, as many as a page can hold. */
  #addVersions(host: string, collection: RecordedCollection, name: string): void {
    const given = this.#plan.objectOf(host, collection, name)?.given;
    const like = given?.[0];
    if (given === undefined || like === undefined) return;
    const { version: _, ...older } = like;
    given.unshift(...Array.from({ length: 26 }, () => ({ ...older, version: undefined })));
  }

  /** Makes what happened off stage before a step. */
  async #arrange(index: number): Promise<void> {
    for (const { object, from, to } of this.#plan.offstage.get(index) ?? []) {
      const finish = this.#plan.finish(object.host, object.collection, object.name, index - 0.5);
      const windows = windowsFrom(finish, index);
      const seenOver: Phase[] = ["deleted", "active", "absent"];
      await this.#seeding.bring(
        object,
        from,
        to,
        traitsOf(object, this.#scenario),
        seenOver.includes(to) ? noWindows : to === "readable" ? { ...windows, recovering: 0 } : windows,
      );
    }
    for (const { object, seen } of this.#plan.writes.get(index) ?? []) {
      await this.#seeding.addVersion(object, seen, traitsOf(object, this.#scenario));
    }
  }

  async #play(step: Step, index: number): Promise<string[]> {
    const { exchange, operation, host } = step;
    const name = operation.kind === "restore" ? (restoredIdentifier(step)?.name ?? "") : operation.name;
    const windows = windowsFrom(this.#plan.finish(host, operation.collection, name, index), index);
    const body = await bodyOf(step, this.#sources());
    const message = {
      host,
      method: exchange.request.method.toUpperCase(),
      target: this.#target(step),
      caller: callerOf(step),
      ...(body === undefined ? {} : { body }),
    };
    if (operation.kind === "delete" && exchange.response.status === 200) {
      await this.#keepBackup({ host, collection: operation.collection, name: operation.name, given: [] });
    }
    this.#stage.prepare(step);
    let answer = await this.#stage.send(message, windows);
    for (let waited = 0; waited < deadline && this.#isEarly(step, answer); waited += pace) {
      this.#stage.clock.advance(pace);
      answer = await this.#stage.send(message, windows);
    }
    this.#stage.calm(host);
    const plane = this.#scenario.planes.get(host) ?? "vault";
    const recorded = exchange.response;
    if (isSupersededRefusal(errorOf(recorded.body), plane)) return answer.status < 500 ? [] : ["status: is 5xx"];
    if (answer.status !== recorded.status) {
      return [`status: is ${answer.status}${describe(answer)}, was ${recorded.status}${describe(recorded)}`];
    }
    const context = { step, plane, correspondence: this.#correspondence, numbers: this.#numbers };
    if (recorded.status >= 400) {
      return compareErrors(answer, { ...context, provenance: this.#scenario.recording.provenance });
    }
    this.#rememberImport(step, answer);
    if (operation.kind === "list" || operation.kind === "listDeleted" || operation.kind === "versions") {
      return compareListings(await this.#followed(step, answer), context);
    }
    return compareShape(recorded.body, answer.body, context);
  }

  /** Path and query with the emulator's versions; a token leads to pages that only the service has. */
  #target(step: Step): string {
    const { path, query } = step.exchange.request;
    const parts = [`api-version=${encodeURIComponent(step.apiVersion)}`];
    for (const [name, value] of Object.entries(query)) {
      if (name === "api-version" || name === "$skiptoken" || name.startsWith("_")) continue;
      parts.push(`${name}=${encodeURIComponent(String(value))}`);
    }
    return `${this.#correspondence.path(path)}?${parts.join("&")}`;
  }

  /** The answer is one of those that only time changes, and not the recorded one. */
  #isEarly(step: Step, answer: EmulatedAnswer): boolean {
    const { status, body } = step.exchange.response;
    const wanted = errorOf(body);
    const found = errorOf(answer.body);
    if (answer.status === status && (status !== 409 || wanted?.innerCode === found?.innerCode)) return false;
    const pending = answer.status === 404 || answer.status === 409;
    return pending && status !== 401 && status !== 403 && (status < 400 || status === 409 || status === 400);
  }

  async #followed(step: Step, first: EmulatedAnswer): Promise<EmulatedAnswer[]> {
    const pages = [first];
    for (let page = first; pages.length < 10_000; ) {
      const link = stringAt(page.body, "nextLink");
      if (link === undefined) break;
      const { pathname, search } = new URL(link);
      page = await this.#stage.send({ host: step.host, method: "GET", target: `${pathname}${search}` });
      pages.push(page);
      if (page.status !== 200) throw new Error(`a next link was answered ${page.status}`);
    }
    return pages;
  }

  /** Keys that were imported as recorded can read what the recording encrypted. */
  #rememberImport(step: Step, answer: EmulatedAnswer): void {
    if (step.operation.kind !== "import") return;
    const sent = objectAt(step.exchange.request.body, "key");
    const made = objectAt(answer.body, "key");
    const kid = stringAt(made, "kid");
    if (kid === undefined || isDestroyedKey(sent) || sent.key_hsm !== undefined) return;
    this.#correspondence.bindValue(`imported ${identifierOf(kid)?.version}`, kid);
  }

  #sources(): BodySources {
    const keyPath = (name: string, version: string | undefined) =>
      `/keys/${name}${version === undefined ? "" : `/${this.#correspondence.version(version)}`}`;
    return {
      correspondence: this.#correspondence,
      publicKey: async (host, name, version) => {
        const target = `${keyPath(name, version)}?api-version=7.4`;
        return objectAt((await this.#stage.send({ host, method: "GET", target })).body, "key");
      },
      perform: async ({ host, operation }, action, body) => {
        const target = `${keyPath(operation.name, operation.version)}/${action}?api-version=7.4`;
        const answer = await this.#stage.send({ host, method: "POST", target, body });
        return isObject(answer.body) ? answer.body : {};
      },
      blobFor: (step) => this.#foreignBlob(step),
    };
  }

  /** Takes the backup that a later restore needs and no recorded exchange took. */
  async #keepBackup({ host, collection, name }: GivenObject): Promise<void> {
    const key = objectKey(host, collection, name);
    if (!this.#wantedBlobs.has(key)) return;
    const target = `/${collection}/${name}/backup?api-version=7.4`;
    const blob = stringAt((await this.#stage.send({ host, method: "POST", target })).body, "value");
    if (blob !== undefined) this.#blobs.set(key, blob);
  }

  /** A backup of the object that a restore's answer shows: of this vault if it ever was there, else of another one. */
  async #foreignBlob(step: Step): Promise<string> {
    const { collection } = step.operation;
    const { status, body } = step.exchange.response;
    const identifier = restoredIdentifier(step);
    const name = identifier?.name ?? "restored";
    const key = objectKey(step.host, collection, name);
    const known = this.#plan.objectOf(step.host, collection, name);
    if (status !== 400) {
      if (!this.#blobs.has(key)) await this.#keepBackup({ host: step.host, collection, name, given: [] });
      const kept = this.#blobs.get(key);
      if (kept !== undefined) return kept;
    }
    const object: GivenObject = { host: step.host, collection, name, given: [...(known?.given ?? [])] };
    const shown = status === 200 && isObject(body) ? body : {};
    if (!object.given.some(({ version }) => version === identifier?.version)) {
      object.given.push({ version: identifier?.version, body: shown, created: undefined });
    }
    const plane = this.#stage.planeOf(step.host);
    const host = status === 400 ? abroad(plane) : elsewhere(plane);
    await this.#seeding.write(host, object, traitsOf(object, this.#scenario));
    return this.#seeding.backupAndForget(host, object);
  }
}

/** Objects that are restored from a blob which no exchange before it answers. */
function unrecordedBackupsOf({ steps }: Scenario): Set<string> {
  const taken = new Set<string>();
  const wanted = new Set<string>();
  for (const step of steps) {
    const { operation, exchange, host } = step;
    if (operation.kind === "backup") taken.add(stringAt(exchange.response.body, "value") ?? "");
    if (operation.kind !== "restore" || taken.has(stringAt(exchange.request.body, "value") ?? "")) continue;
    const identifier = restoredIdentifier(step);
    if (identifier !== undefined) wanted.add(objectKey(host, operation.collection, identifier.name));
  }
  return wanted;
}

const label = ({ exchange }: Step) => `${exchange.request.method} ${exchange.request.path}`;

function describe(answer: { body: unknown }): string {
  const error = errorOf(answer.body);
  if (error === undefined) return "";
  return ` (${[error.code, error.innerCode].filter((code) => code !== undefined).join(", ")}: ${error.message.slice(0, 120)})`;
}

const messageOf = (error: unknown) => (error instanceof Error ? error.message : String(error));
