import { createDecipheriv, pbkdf2Sync } from "node:crypto";
import { existsSync, readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { DATA_KEY } from "./quick/new-stack.mts";

/** A project with its state in its folder, as a `Stack` has it. */
interface Project {
  folder: string;
  env: Record<string, string>;
}

/** What lies on disk of a stack's state: the checkpoint, its backups and its history. */
export function stateFiles(stack: Project): string[] {
  const folder = join(stack.folder, "state");
  return readdirSync(folder, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile())
    .map((entry) => readFileSync(join(entry.parentPath, entry.name), "utf8"));
}

/**
 * The state on disk with all its secrets opened, without the engine: they are under an AES-256-GCM key, which its
 * passphrase provider derives from the passphrase and the salt in the state. Left out are the engine's own records of
 * providers: it keeps the stack's whole configuration in them, encrypted, for every dynamic provider.
 */
export function decryptedState(stack: Project): string {
  const checkpoint = checkpointIn(stack, join(stack.folder, "state/.pulumi/stacks/test/dev.json"));
  // A new stack has none until the engine first writes a resource, which a run that is killed may not come to.
  if (checkpoint === undefined) return "{}";
  const { resources = [] } = checkpoint.state;
  const kept = {
    ...checkpoint.state,
    resources: resources.filter(({ type }) => !type.startsWith("pulumi:providers:")),
  };
  return JSON.stringify(opened(kept, (ciphertext) => ({ secret: JSON.parse(checkpoint.open(ciphertext)) })));
}

/**
 * The resources of the stack as `pulumi stack export --show-secrets` shows them, without a run of the engine. Undefined
 * where there are several stacks: which one is selected, the engine knows.
 */
export function exportedResources(stack: Project): RecordedResource[] | undefined {
  const checkpoint = onlyCheckpoint(stack);
  if (checkpoint === undefined) return undefined;
  return opened(checkpoint.state.resources ?? [], (ciphertext, signature) => ({
    ...signature,
    plaintext: checkpoint.open(ciphertext),
  })) as RecordedResource[];
}

/** The outputs of the stack as `pulumi stack output --show-secrets` shows them, likewise. */
export function exportedOutputs(stack: Project): Record<string, unknown> | undefined {
  const checkpoint = onlyCheckpoint(stack);
  return checkpoint === undefined ? undefined : outputsIn(checkpoint);
}

/** The stack's outputs as they stand on disk, with their secrets opened. */
export function recordedOutputs(stack: Project): Record<string, unknown> {
  const checkpoint = checkpointIn(stack, join(stack.folder, "state/.pulumi/stacks/test/dev.json"));
  return checkpoint === undefined ? {} : outputsIn(checkpoint);
}

interface RecordedResource {
  urn: string;
  type: string;
  id?: string;
  inputs?: Record<string, unknown>;
  outputs?: Record<string, unknown>;
}

interface SecretsProvider {
  type: "passphrase" | "cloud";
  state: { salt?: string };
}

interface Checkpoint {
  state: { resources?: RecordedResource[] };
  /** The plain text of one secret. */
  open(ciphertext: string): string;
}

function outputsIn({ state, open }: Checkpoint): Record<string, unknown> {
  const root = state.resources?.find(({ type }) => type === "pulumi:pulumi:Stack");
  return opened(root?.outputs ?? {}, (ciphertext) => JSON.parse(open(ciphertext))) as Record<string, unknown>;
}

function onlyCheckpoint(stack: Project): Checkpoint | undefined {
  const stacks = join(stack.folder, "state/.pulumi/stacks");
  // The state of a project with settings of its own is elsewhere.
  if (!existsSync(stacks)) return undefined;
  const files = readdirSync(stacks, { recursive: true, encoding: "utf8" }).filter((name) => name.endsWith(".json"));
  const [file] = files;
  return file === undefined || files.length > 1 ? undefined : checkpointIn(stack, join(stacks, file));
}

function checkpointIn({ env }: Project, file: string): Checkpoint | undefined {
  const state = JSON.parse(readFileSync(file, "utf8")).checkpoint.latest;
  if (state === undefined) return undefined;
  const key = keyOf(state.secrets_providers, env);
  return { state, open: (ciphertext) => decrypted(key, ciphertext) };
}

/** A copy with something in the place of each secret. */
function opened(state: object, open: (ciphertext: string, signature: object) => unknown): object {
  const text = JSON.stringify(state, (_name, item: unknown) => {
    if (item === null || typeof item !== "object" || !("ciphertext" in item)) return item;
    const { ciphertext, ...signature } = item;
    return open(String(ciphertext), signature);
  });
  return JSON.parse(text);
}

const keys = new Map<string, Buffer>();

function keyOf({ type, state }: SecretsProvider, env: Record<string, string>): Buffer {
  if (type === "cloud") return DATA_KEY;
  const [, salt = "", ...check] = (state.salt ?? "").split(":");
  const key = derivedKey(env.PULUMI_CONFIG_PASSPHRASE ?? "", salt);
  if (decrypted(key, check.join(":")) !== "pulumi") throw new Error("The passphrase does not open the state");
  return key;
}

/** A million rounds take a third of a second, and a stack keeps its salt. */
function derivedKey(passphrase: string, salt: string): Buffer {
  const id = JSON.stringify([passphrase, salt]);
  const key = keys.get(id) ?? pbkdf2Sync(passphrase, Buffer.from(salt, "base64"), 1_000_000, 32, "sha256");
  keys.set(id, key);
  return key;
}

/** `v1:<nonce>:<ciphertext and tag>`. */
function decrypted(key: Buffer, text: string): string {
  const [, nonce = "", sealed = ""] = text.split(":");
  const bytes = Buffer.from(sealed, "base64");
  const decipher = createDecipheriv("aes-256-gcm", key, Buffer.from(nonce, "base64"));
  decipher.setAuthTag(bytes.subarray(-16));
  return Buffer.concat([decipher.update(bytes.subarray(0, -16)), decipher.final()]).toString("utf8");
}
