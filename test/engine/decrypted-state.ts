import { createDecipheriv, pbkdf2Sync } from "node:crypto";
import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import type { Stack } from "./stack.js";

/** What lies on disk of a stack's state: the checkpoint, its backups and its history. */
export function stateFiles(stack: Stack): string[] {
  const folder = join(stack.folder, "state");
  return readdirSync(folder, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile())
    .map((entry) => readFileSync(join(entry.parentPath, entry.name), "utf8"));
}

/**
 * The state on disk with all its secrets opened, without the engine: its passphrase provider derives an AES-256-GCM
 * key from the passphrase and the salt in the state. Left out are the engine's own records of providers: it keeps the
 * stack's whole configuration in them, encrypted, for every dynamic provider.
 */
export function decryptedState(stack: Stack): string {
  const folder = join(stack.folder, "state/.pulumi/stacks/test");
  const checkpoint = JSON.parse(readFileSync(join(folder, "dev.json"), "utf8")).checkpoint.latest;
  // A new stack has none until the engine first writes a resource, which a run that is killed may not come to.
  if (checkpoint === undefined) return "{}";
  const salt: string = checkpoint.secrets_providers.state.salt;
  const [, encodedSalt = "", ...check] = salt.split(":");
  const key = keyOf(stack.env.PULUMI_CONFIG_PASSPHRASE ?? "", encodedSalt);
  if (decrypted(key, check.join(":")) !== "pulumi") throw new Error("The passphrase does not open the state");
  const resources: { type: string }[] = checkpoint.resources ?? [];
  const kept = { ...checkpoint, resources: resources.filter(({ type }) => !type.startsWith("pulumi:providers:")) };
  return JSON.stringify(kept, (_name, item: unknown) => {
    const isSecret = item !== null && typeof item === "object" && "ciphertext" in item;
    return isSecret ? { secret: JSON.parse(decrypted(key, String(item.ciphertext))) } : item;
  });
}

const keys = new Map<string, Buffer>();

/** A million rounds take a third of a second, and a stack keeps its salt. */
function keyOf(passphrase: string, salt: string): Buffer {
  const id = JSON.stringify([passphrase, salt]);
  const key = keys.get(id) ?? pbkdf2Sync(passphrase, Buffer.from(salt, "base64"), 1_000_000, 32, "sha256");
  keys.set(id, key);
  return key;
}

/** The stack's outputs as they stand on disk, with their secrets opened. */
export function recordedOutputs(stack: Stack): Record<string, unknown> {
  const { resources } = JSON.parse(decryptedState(stack)) as { resources: { type: string; outputs?: unknown }[] };
  const root = resources.find(({ type }) => type === "pulumi:pulumi:Stack");
  return JSON.parse(JSON.stringify(root?.outputs ?? {}), (_name, item: unknown) =>
    item !== null && typeof item === "object" && "secret" in item ? item.secret : item,
  );
}

/** `v1:<nonce>:<ciphertext and tag>`. */
function decrypted(key: Buffer, text: string): string {
  const [, nonce = "", sealed = ""] = text.split(":");
  const bytes = Buffer.from(sealed, "base64");
  const decipher = createDecipheriv("aes-256-gcm", key, Buffer.from(nonce, "base64"));
  decipher.setAuthTag(bytes.subarray(-16));
  return Buffer.concat([decipher.update(bytes.subarray(0, -16)), decipher.final()]).toString("utf8");
}
