import { withEngineTimeout } from "../provider/engine/engine-timeout.js";
import { asState, type CheckFailure, isRecordedError, type Properties } from "../provider/engine/lifecycle.js";
import { withoutUndefined } from "../provider/engine/normal-form.js";
import { markSecret } from "../provider/engine/pulumi-secret.js";
import { withoutShown, withShown } from "../provider/engine/shown-outputs.js";
import { containsUnknown, UNKNOWN } from "../provider/engine/unknown.js";
import { KeyVaultError } from "../provider/keyvault/errors.js";
import { changedProperties, type PropertyChange, rootOf } from "./detailed-diff.js";
import { checkPlaces, PLAIN_MEMBERS } from "./plain-members.js";
import { PLUGIN_RESOURCES, type PluginResource } from "./plugin-resources.js";
import { type Autonaming, identityOf, typeOfUrn } from "./resource-identity.js";
import type { Effect } from "./schema/package-spec.js";
import { isEnvelope } from "./wire-properties.js";

/** What the engine asks about resources, in plain values: each call goes to the lifecycle that both doors share. */

export interface PlannedDiff {
  hasChanges: boolean;
  changes: PropertyChange[];
  replaces: readonly string[];
  deleteBeforeReplace: boolean;
}

/** @throws KeyVaultError `KV_INVALID_INPUT` for a type that this version of the plugin does not know */
export function resourceOf(urn: string): PluginResource {
  const type = typeOfUrn(urn);
  const resource = Object.hasOwn(PLUGIN_RESOURCES, type) ? PLUGIN_RESOURCES[type] : undefined;
  if (resource) return resource;
  throw new KeyVaultError("KV_INVALID_INPUT", `this version of the keyvault plugin has no resource ${type}`, {
    hint: "install the version of pulumi-keyvault that the program's SDK or its state was made with, or a newer one",
  });
}

export async function checkResource(
  urn: string,
  olds: Properties,
  news: Properties,
  autonaming: Autonaming | undefined,
): Promise<{ inputs: Properties; failures: CheckFailure[] }> {
  const { provider, identity, fromPlain, schema } = resourceOf(urn);
  if (refusedImports.has(urn)) throw refusedImports.get(urn);
  const told = identity === "none" ? {} : identityOf(urn, identity === "object" ? "object" : "nothing", autonaming);
  const { autoName, ...owner } = told;
  const strange = Object.keys(news).filter((name) => isStrange(schema, name));
  const own = Object.fromEntries(Object.entries(news).filter(([name]) => !strange.includes(name)));
  const { inputs: placed, problems } = checkPlaces(own);
  const { inputs, failures } = await provider.check(olds, {
    ...fromPlain(placed, olds),
    ...(identity === "object" ? told : owner),
  });
  return { inputs, failures: [...strange.map(notAProperty), ...problems.map(refusal), ...failures] };
}

/** What the shared check is handed beside a program's arguments. No program gives it: it would speak for another resource. */
const INTERNAL = ["owner", "claimant", "autoName", "entries", "restoreFrom"];

/** What else is no property is refused by the check itself; a plain member would reach it under another name. */
function isStrange({ inputs }: PluginResource["schema"], name: string): boolean {
  return INTERNAL.includes(name) || (PLAIN_MEMBERS.includes(name) && !Object.hasOwn(inputs, name));
}

function notAProperty(name: string): CheckFailure {
  return refusal(`"${name}" is not a property of this resource`);
}

function refusal(problem: string): CheckFailure {
  return { property: "", reason: `KV_INVALID_INPUT: ${problem}` };
}

export async function diffResource(
  urn: string,
  id: string,
  { olds, oldInputs, news }: { olds: Properties; oldInputs: Properties | undefined; news: Properties },
): Promise<PlannedDiff> {
  const { provider } = resourceOf(urn);
  const { changes, replaces, deleteBeforeReplace } = await provider.diff(id, olds, news);
  const changed = changedProperties(oldInputs ?? inputsAmong(olds, news), news);
  return { hasChanges: changes === true || changed.length > 0, changes: changed, replaces, deleteBeforeReplace };
}

/** Engines before those that tell the old inputs. */
function inputsAmong(olds: Properties, news: Properties): Properties {
  const recorded = withoutShown(olds);
  return Object.fromEntries(Object.keys(news).map((name) => [name, recorded[name]]));
}

export async function createResource(
  urn: string,
  inputs: Properties,
  { isPreview, timeoutMs }: { isPreview: boolean; timeoutMs: number | undefined },
): Promise<{ id: string; outputs: Properties }> {
  const resource = resourceOf(urn);
  if (isPreview) return { id: "", outputs: { ...absentEchoes(resource), ...inputs, ...unknownOutputs(resource) } };
  const { id, outs } = await shownIfPartial(resource, () =>
    withEngineTimeout(timeoutMs, () => resource.provider.create(inputs)),
  );
  return { id, outputs: await shown(resource, id, outs) };
}

export async function updateResource(
  urn: string,
  id: string,
  { olds, oldInputs, news }: { olds: Properties; oldInputs: Properties | undefined; news: Properties },
  { isPreview, timeoutMs }: { isPreview: boolean; timeoutMs: number | undefined },
): Promise<Properties> {
  const resource = resourceOf(urn);
  if (isPreview) return previewedUpdate(resource, id, { olds, oldInputs: oldInputs ?? inputsAmong(olds, news), news });
  const { outs } = await shownIfPartial(resource, () =>
    withEngineTimeout(timeoutMs, () => resource.provider.update(id, olds, news)),
  );
  return shown(resource, id, outs);
}

/** What a resource is in the vault, and what its program says or could say of it. */
interface FoundResource {
  id: string;
  outputs: Properties;
  inputs: Properties;
}

export async function readResource(
  urn: string,
  id: string,
  outputs: Properties,
  timeoutMs: number | undefined,
): Promise<FoundResource> {
  if (Object.keys(outputs).length === 0) return readById(urn, id, timeoutMs);
  return readRecorded(resourceOf(urn), id, outputs, timeoutMs);
}

/**
 * Why no program can take over what was read by its id alone, such as a certificate's key. The engine asks the same for a
 * program's `.get`, which may read that, and for an import, which goes on with a check: there it is told.
 */
const refusedImports = new Map<string, unknown>();

async function readById(urn: string, id: string, timeoutMs: number | undefined): Promise<FoundResource> {
  const resource = resourceOf(urn);
  const { adopt } = resource;
  if (adopt === undefined) throw nothingToImport(urn);
  try {
    const adopted = await withEngineTimeout(timeoutMs, () => adopt(id));
    const outputs = await shown(resource, adopted.id, asState(adopted.outputs));
    return { id: adopted.id, outputs, inputs: asState(adopted.inputs) };
  } catch (error) {
    const found = await readRecorded(resource, id, {}, timeoutMs);
    refusedImports.set(urn, error);
    return found;
  }
}

async function readRecorded(
  resource: PluginResource,
  id: string,
  outputs: Properties,
  timeoutMs: number | undefined,
): Promise<FoundResource> {
  const found = await shownIfPartial(resource, () =>
    withEngineTimeout(timeoutMs, () => resource.provider.read(id, outputs)),
  );
  if (found.id === "") return { id: "", outputs: {}, inputs: {} };
  return { id: found.id, outputs: await shown(resource, found.id, found.props), inputs: found.inputs ?? {} };
}

function nothingToImport(urn: string): KeyVaultError {
  const type = typeOfUrn(urn).split(":").at(-1);
  return new KeyVaultError("KV_INVALID_INPUT", `a ${type} has nothing to import: it is no object of a vault`, {
    hint: "declare it without an import: the next update makes it",
  });
}

export async function deleteResource(
  urn: string,
  id: string,
  outputs: Properties,
  timeoutMs: number | undefined,
): Promise<void> {
  const { provider } = resourceOf(urn);
  await withEngineTimeout(timeoutMs, () => provider.delete(id, outputs));
}

/**
 * The outputs as programs read them, those that there are none of as null: what state lacks is unknown in each preview.
 * `__provider` is how the dynamic provider's state names its code. What is recorded never depends on what is derived of
 * it: the object is made by now.
 */
async function shown({ derive, schema }: PluginResource, id: string, recorded: Properties): Promise<Properties> {
  const { __provider, ...outputs } = recorded;
  const read = [...schema.echoed, ...Object.keys(schema.outputs)];
  try {
    const derived = withoutUndefined({ ...(await derive(id, outputs)) });
    const absent = read.filter((name) => outputs[name] === undefined && derived[name] === undefined);
    const told = withShown(outputs, { ...derived, ...Object.fromEntries(absent.map((name) => [name, null])) });
    return withSecretsMarked(schema, told);
  } catch {
    return withSecretsMarked(schema, outputs);
  }
}

/** What is secret by its nature is marked whoever has read it, from the vault or from state, where it is plain text. */
function withSecretsMarked({ outputs: described }: PluginResource["schema"], outputs: Properties): Properties {
  const marked = Object.entries(outputs).map(([name, value]) => [
    name,
    Object.hasOwn(described, name) && described[name]?.secret && isToMark(value) ? markSecret(value) : value,
  ]);
  return Object.fromEntries(marked);
}

function isToMark(value: unknown): boolean {
  return value !== undefined && value !== null && !isEnvelope(value);
}

/** The object exists, but a later step failed: what the engine records of it. */
export class PartialOutcome extends Error {
  readonly #outputs: Properties;
  readonly #inputs: Properties | undefined;

  constructor(
    message: string,
    readonly id: string,
    outputs: Properties,
    readonly reasons: readonly string[],
    inputs?: Properties,
  ) {
    super(message);
    this.#outputs = outputs;
    this.#inputs = inputs;
  }

  /** There for the engine, and not for whoever prints the error: state may hold blobs. */
  get outputs(): Properties {
    return this.#outputs;
  }

  /** Of a read. */
  get inputs(): Properties | undefined {
    return this.#inputs;
  }
}

/** An object that was made before a later step failed is recorded like every other. */
async function shownIfPartial<T>(resource: PluginResource, call: () => Promise<T>): Promise<T> {
  try {
    return await call();
  } catch (error) {
    if (!isRecordedError(error)) throw error;
    const { message, id, properties, reasons, inputs } = error;
    throw new PartialOutcome(message, id, await shown(resource, id, properties), reasons, inputs);
  }
}

/** What the program leaves out will not be there either. */
function absentEchoes({ schema }: PluginResource): Properties {
  return Object.fromEntries(schema.echoed.map((name) => [name, null]));
}

function unknownOutputs({ schema }: PluginResource): Properties {
  return Object.fromEntries(Object.keys(schema.outputs).map((name) => [name, UNKNOWN]));
}

/**
 * What a preview knows of the outputs of an update: all of them where nothing is sent, all but the moment of the change
 * where the version that is there is patched, and otherwise only what the program says.
 */
async function previewedUpdate(
  resource: PluginResource,
  id: string,
  { olds, oldInputs, news }: { olds: Properties; oldInputs: Properties; news: Properties },
): Promise<Properties> {
  const { schema } = resource;
  const effects = changedProperties(oldInputs, news).map((change) => effectOf(schema.inputs, change));
  const computed = Object.keys(schema.outputs);
  const echoes = absentEchoes(resource);
  // State of the dynamic provider has nothing of what is derived.
  const known = async (names: string[]): Promise<Properties> => {
    const read = await shown(resource, id, withoutShown(olds));
    return Object.fromEntries(names.filter((name) => read[name] !== undefined).map((name) => [name, read[name]]));
  };
  const isCertain = effects.length > 0 && !containsUnknown(news) && resource.lasts(withoutShown(olds), news);
  if (isCertain && effects.every((effect) => effect === "nothing")) {
    return { ...echoes, ...news, ...(await known(computed)) };
  }
  if (isCertain && effects.every((effect) => effect === "nothing" || effect === "patch")) {
    const lasting = computed.filter((name) => name !== "updatedOn" && !Object.hasOwn(schema.inputs, name));
    return { ...echoes, ...news, ...unknownOutputs(resource), ...(await known(lasting)) };
  }
  return { ...echoes, ...news, ...unknownOutputs(resource) };
}

/** What is taken away may need more than what is changed: the service clears no moment. */
function effectOf(inputs: PluginResource["schema"]["inputs"], { path, kind }: PropertyChange): Effect {
  const name = rootOf(path);
  if (name === "__provider") return "nothing";
  const effect = Object.hasOwn(inputs, name) ? inputs[name]?.effect : undefined;
  return effect === "patch" && kind === "delete" && path === name ? "anything" : (effect ?? "anything");
}
