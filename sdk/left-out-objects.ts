import * as pulumi from "@pulumi/pulumi";
import { engineAddressIn } from "../provider/engine/engine-address.js";
import { RunDeclarations } from "../provider/engine/run-declarations.js";
import { objectIdentity } from "../provider/vault/object-identity.js";

type Kind = "key" | "secret";

/** What a program gives a resource that has an object, or many. */
interface Asked {
  /** By which a transform's word on this resource is known. */
  claimant?: unknown;
  name?: unknown;
  /** Of a set: by name. */
  entries?: unknown;
  /** Of a set: the names of the keys that it has. */
  recorded?: pulumi.Output<string[]>;
  vaultUrl?: unknown;
}

/** What transforms have made of it, by the claimant. */
const transformed = new Map<unknown, Asked>();

/** Notes what a transform has made of a resource. */
export function noteTransformed(props: Asked): void {
  if (props.claimant !== undefined) transformed.set(props.claimant, props);
}

/**
 * Tells the providers of this run which objects a resource declares, where the run leaves it out (`--exclude`,
 * `--target`): the engine shows them nothing of it then, and may delete the object of a resource that had it until now.
 * A resource that is left out is not made, so that no id is known of it, or stays what it was, which may be another object.
 */
export function tellIfLeftOut(kind: Kind, resource: pulumi.CustomResource, asked: Asked): void {
  const address = pulumi.runtime.isDryRun() ? undefined : engineAddress();
  if (address === undefined) return;
  // A resource that fails is told by itself.
  tell(kind, resource, { asked, address }).catch(() => undefined);
}

async function tell(
  kind: Kind,
  resource: pulumi.CustomResource,
  { asked, address }: { asked: Asked; address: string },
): Promise<void> {
  const { vaultUrl, name } = resource as unknown as Record<"vaultUrl" | "name", unknown>;
  const [isMade, had] = await Promise.all([known(resource.id), known({ vaultUrl, names: asked.recorded ?? name })]);
  const { entries, ...inputs } = transformed.get(asked.claimant) ?? asked;
  const wanted = await known({
    names: entries === undefined ? inputs.name : namesIn(entries),
    vaultUrl: inputs.vaultUrl,
  });
  const vault = wanted?.vaultUrl ?? defaultVault(resource);
  const names = [wanted?.names].flat().filter((each) => typeof each === "string");
  if (typeof vault !== "string") return;
  const identities = new Set(isMade === undefined ? [] : identitiesOf(kind, had));
  const objects = names
    .map((each) => objectIdentity(kind, { vaultUrl: vault, name: each }))
    .filter((object) => !identities.has(object));
  if (objects.length === 0) return;
  const urn = await known(resource.urn);
  for (const object of objects) programDeclarations(address)?.declareLeftOut(object, String(urn));
}

function identitiesOf(kind: Kind, had: { vaultUrl: unknown; names: unknown } | undefined): string[] {
  const vaultUrl = had?.vaultUrl;
  if (typeof vaultUrl !== "string") return [];
  const names = [had?.names].flat().filter((each) => typeof each === "string");
  return names.map((name) => objectIdentity(kind, { vaultUrl, name }));
}

function namesIn(entries: unknown): pulumi.Input<string[]> {
  if (!pulumi.Output.isInstance(entries) && !(entries instanceof Promise)) return Object.keys(Object(entries));
  return pulumi.output(entries as pulumi.Input<Record<string, unknown>>).apply((given) => Object.keys(Object(given)));
}

/** What an input or output comes to; undefined where the engine does not know it. */
async function known<T>(value: pulumi.Input<T>): Promise<T | undefined> {
  // The part of an Output that each SDK understands.
  const output = pulumi.output(value) as unknown as { promise(): Promise<T>; isKnown: Promise<boolean> };
  return (await output.isKnown) ? output.promise() : undefined;
}

/** Of a provider of the program's own, only the provider knows it. */
function defaultVault(resource: pulumi.CustomResource): string | undefined {
  if (Reflect.get(resource, "__prov") !== undefined) return undefined;
  return pulumi.runtime.getConfig("keyvault:vaultUrl") ?? process.env.AZURE_KEYVAULT_URL;
}

/** Undefined in unit tests, which no engine runs. */
function engineAddress(): string | undefined {
  const target = process.env.PULUMI_NODEJS_ENGINE ?? inlineEngine();
  return target === undefined ? undefined : engineAddressIn([target.replace(/^dns:\/*/, "")]);
}

/** The engine of a program that the Automation API runs within its own process. */
function inlineEngine(): string | undefined {
  const engine: unknown = pulumi.runtime.getEngine();
  const channel: unknown = Reflect.get(Object(engine), "getChannel")?.call(engine);
  const target: unknown = Reflect.get(Object(channel), "getTarget")?.call(channel);
  return typeof target === "string" ? target : undefined;
}

const joined = new Map<string, RunDeclarations | undefined>();

function programDeclarations(address: string): RunDeclarations | undefined {
  if (!joined.has(address)) joined.set(address, RunDeclarations.joinAsProgram(address));
  return joined.get(address);
}
