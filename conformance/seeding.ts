import type { Correspondence } from "./correspondence.js";
import type { EmulatedAnswer } from "./error-shape.js";
import { identifierIn, type Phase, type SeenVersion } from "./evidence.js";
import { isObject, type JsonObject, objectAt, stringAt } from "./json.js";
import { identifierOf } from "./operation.js";
import type { GivenObject } from "./plan.js";
import { shared } from "./request-body.js";
import type { Stage, Windows } from "./stage.js";
import { kindOf, standInKey } from "./stand-in-key.js";

/** Facts about an object that no recorded bundle shows, but a refusal or a request does. */
export interface Traits {
  disabled?: boolean;
  managed?: boolean;
  /** Operations that a refusal shows to be missing. */
  withoutOperations?: string[];
  keyType?: string;
  curve?: string;
  bits?: number;
  expired?: boolean;
  notYetValid?: boolean;
  /** A bundle of another version of the same kind. */
  like?: JsonObject;
  /** A release policy that must be there, and whether it may change. */
  releasePolicy?: "mutable" | "immutable";
  /** A rotation policy that was set before. */
  rotationPolicy?: JsonObject;
}

const over: Windows = { deleting: 0, recovering: 0, recoveringWrites: 0, purging: 0 };

/** Puts objects into the state that a recording takes for granted, by the emulator's own operations. */
export class Seeding {
  readonly #stage: Stage;
  readonly #correspondence: Correspondence;
  readonly #onWritten: (object: GivenObject) => Promise<void>;

  /** @param onWritten is told of every object that stands in its recorded vault, before anything else becomes of it. */
  constructor(stage: Stage, correspondence: Correspondence, onWritten: (object: GivenObject) => Promise<void>) {
    this.#stage = stage;
    this.#correspondence = correspondence;
    this.#onWritten = onWritten;
  }

  /** Moves an object from one phase to another. The last change begins with `windows`. */
  async bring(object: GivenObject, from: Phase, to: Phase, traits: Traits, windows: Windows): Promise<void> {
    const { host, collection, name } = object;
    const way = wayTo(from, to);
    const mark = (managed: boolean, phase: Phase) => {
      if (traits.managed !== true || phase === "absent" || phase === "purging") return;
      this.#stage.markManaged(host, collection, name, managed);
    };
    mark(false, from);
    for (const [index, step] of way.entries()) {
      const length = index === way.length - 1 ? windows : over;
      switch (step) {
        case "write":
          await this.write(host, object, traits);
          await this.#onWritten(object);
          break;
        case "delete":
          await this.#must(host, "DELETE", `/${object.collection}/${object.name}`, undefined, length);
          break;
        case "recover":
          await this.#must(host, "POST", `/deleted${object.collection}/${object.name}/recover`, undefined, length);
          break;
        case "purge":
          await this.#must(host, "DELETE", `/deleted${object.collection}/${object.name}`, undefined, length);
          break;
        default:
          break;
      }
    }
    mark(true, to);
  }

  /** Writes all given versions of an object, oldest first. */
  async write(host: string, object: GivenObject, traits: Traits): Promise<void> {
    const unknown: SeenVersion = { version: undefined, body: {}, created: undefined };
    for (const seen of object.given.length === 0 ? [unknown] : object.given)
      await this.writeVersion(host, object, seen, traits);
    if (traits.rotationPolicy === undefined) return;
    await this.#must(host, "PUT", `/keys/${object.name}/rotationpolicy`, traits.rotationPolicy, over);
  }

  /** Writes one version, on top of those that are there. */
  async writeVersion(host: string, object: GivenObject, seen: SeenVersion, traits: Traits): Promise<void> {
    const external = objectAt(seen.body, "attributes").external_key;
    const { path, body } =
      object.collection === "keys"
        ? keyRequest(object, seen, traits, this.#stage.planeOf(object.host))
        : secretRequest(object, seen, traits);
    const answer =
      external === undefined
        ? await this.#must(host, "PUT", path, body, over)
        : await this.#must(host, "POST", `${path}/create`, externalRequest(body, external), over, externalKeysSince);
    const made = identifierOf(identifierIn(answer.body) ?? "")?.version;
    if (seen.version !== undefined && made !== undefined) this.#correspondence.bindVersion(seen.version, made);
  }

  /** Writes a version in between, of an object that is there. */
  async addVersion(object: GivenObject, seen: SeenVersion, traits: Traits): Promise<void> {
    await this.writeVersion(object.host, object, seen, traits);
    if (traits.managed === true) this.#stage.markManaged(object.host, object.collection, object.name, true);
  }

  /** Takes a backup, and leaves nothing of the object behind. */
  async backupAndForget(host: string, { collection, name }: GivenObject): Promise<string> {
    const answer = await this.#must(host, "POST", `/${collection}/${name}/backup`, undefined, over);
    await this.#must(host, "DELETE", `/${collection}/${name}`, undefined, over);
    await this.#must(host, "DELETE", `/deleted${collection}/${name}`, undefined, over);
    return stringAt(answer.body, "value") ?? "";
  }

  async #must(
    host: string,
    method: string,
    path: string,
    body: unknown,
    windows: Windows,
    apiVersion = "7.4",
  ): Promise<EmulatedAnswer> {
    const target = `${path}?api-version=${apiVersion}`;
    const answer = await this.#stage.send({ host, method, target, ...(body === undefined ? {} : { body }) }, windows);
    if (answer.status >= 300 || answer.status < 200) {
      throw new Error(`the given state could not be made: ${method} ${path} was answered ${answer.status}`);
    }
    return answer;
  }
}

const externalKeysSince = "2026-01-01-preview";

/** A key that stands for one of another HSM is not imported: it is made of that one's id. */
function externalRequest(body: JsonObject, external: unknown): JsonObject {
  const { attributes, tags } = body;
  return {
    attributes: { ...(isObject(attributes) ? attributes : {}), external_key: external },
    ...(tags === undefined ? {} : { tags }),
  };
}

type Move = "write" | "delete" | "recover" | "purge";

function wayTo(from: Phase, to: Phase): Move[] {
  const start: Move[] =
    from === "absent" || from === "purging" ? ["write"] : from === "deleted" || from === "deleting" ? [] : [];
  const isDeleted = from === "deleted" || from === "deleting";
  switch (to) {
    case "active":
      return isDeleted ? ["recover"] : start;
    case "deleting":
    case "deleted":
      return isDeleted ? [] : [...start, "delete"];
    case "recovering":
    case "readable":
      return isDeleted ? ["recover"] : [...start, "delete", "recover"];
    case "purging":
      return isDeleted ? ["purge"] : [...start, "delete", "purge"];
    default:
      if (from === "absent" || from === "purging") return [];
      return isDeleted ? ["purge"] : ["delete", "purge"];
  }
}

function keyRequest(
  object: GivenObject,
  seen: SeenVersion,
  traits: Traits,
  plane: "vault" | "managedhsm",
): { path: string; body: JsonObject } {
  const shown = objectAt(seen.body, "key");
  const key = Object.keys(shown).length === 0 ? objectAt(traits.like, "key") : shown;
  // Deleted bundles do not show the policy that an exportable key of a vault must have.
  const shownExportable = plane === "vault" && objectAt(seen.body, "attributes").exportable === true;
  const exportable = traits.releasePolicy !== undefined || seen.body.release_policy !== undefined || shownExportable;
  const kty = stringAt(key, "kty") ?? (exportable ? "RSA-HSM" : (traits.keyType ?? "EC"));
  const kind = kindOf(key);
  const jwk = standInKey({ ...kind, kty, crv: kind.crv ?? traits.curve, bits: kind.bits ?? traits.bits });
  const known = Array.isArray(key.key_ops) ? key.key_ops : undefined;
  const operations = known ?? withoutForbidden(kty, traits.withoutOperations);
  const common = shared(seen.body);
  const { exportable: _, ...settable } = objectAt(common, "attributes");
  const attributes = {
    ...settable,
    ...unshownAttributes(seen, traits),
    ...(exportable ? { exportable: true } : {}),
  };
  return {
    path: `/keys/${object.name}`,
    body: {
      ...common,
      ...(exportable && common.release_policy === undefined
        ? { release_policy: { data: examplePolicy, immutable: traits.releasePolicy === "immutable" } }
        : {}),
      Hsm: kty.endsWith("-HSM"),
      key: { ...jwk, ...(operations === undefined ? {} : { key_ops: operations }) },
      attributes,
    },
  };
}

/** What refusals say of attributes that no answer shows, or shows later only. */
function unshownAttributes(seen: SeenVersion, traits: Traits): JsonObject {
  if (seen.isDisabled === true) return { enabled: false };
  if (seen.body.attributes !== undefined) return {};
  return {
    ...(traits.disabled === true ? { enabled: false } : {}),
    ...(traits.expired === true ? { exp: longAgo } : {}),
    ...(traits.notYetValid === true ? { nbf: farAhead } : {}),
  };
}

/** Seconds in 2001 and in 2100. */
const longAgo = 1_000_000_000;
const farAhead = 4_102_444_800;

const examplePolicy = Buffer.from(
  JSON.stringify({
    anyOf: [{ anyOf: [{ claim: "sdk-test", equals: "true" }], authority: "https://attestation.example" }],
    version: "1.0.0",
  }),
).toString("base64url");

function withoutForbidden(kty: string, forbidden: string[] | undefined): string[] | undefined {
  if (forbidden === undefined) return undefined;
  const all = kty.startsWith("EC")
    ? ["sign", "verify"]
    : ["encrypt", "decrypt", "sign", "verify", "wrapKey", "unwrapKey"];
  const missing = forbidden.map((operation) => operation.toLowerCase());
  return all.filter((operation) => !missing.includes(operation.toLowerCase()));
}

function secretRequest(object: GivenObject, seen: SeenVersion, traits: Traits): { path: string; body: JsonObject } {
  const common = shared(seen.body);
  const contentType = isObject(seen.body) ? seen.body.contentType : undefined;
  return {
    path: `/secrets/${object.name}`,
    body: {
      value: stringAt(seen.body, "value") ?? "given",
      ...(contentType === undefined ? {} : { contentType }),
      ...common,
      attributes: {
        ...objectAt(common, "attributes"),
        ...unshownAttributes(seen, traits),
      },
    },
  };
}
