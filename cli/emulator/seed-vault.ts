import { formatMoment } from "../../provider/engine/moment.js";
import { inParallel } from "../../provider/engine/worker-pool.js";
import { keyFamily } from "../../provider/key/key-inputs.js";
import type { KeyVaultClient } from "../../provider/keyvault/client.js";
import { withoutOwnerTag } from "../../provider/object/owner-tag.js";
import { tellProblem } from "../failure/report-failure.js";
import { nameFilter } from "../vault/name-filter.js";
import { openVault } from "../vault/open-vault.js";
import { readVault } from "../vault/read-vault.js";
import { describeUnread } from "../vault/unread-object.js";
import { readSeedFile, type Seed, type SeedKey, type SeedSecret } from "./seed-document.js";

const VALUE = "seeded";

/** Reads the source of `--seed-from`: a JSON file, or another vault, of which nothing secret is read. */
export async function readSeed(source: string, credential: string | undefined): Promise<Seed> {
  if (!/^(https?|embedded):/i.test(source)) return readSeedFile(source);
  const { client } = await openVault(source, credential);
  const found = await readVault(client, nameFilter(), () => false);
  for (const line of describeUnread(found.unread)) tellProblem("emulator", line);
  const keys = found.keys.map(({ bundle }) => ({ ...attributesOf(bundle), ...kindOf(bundle) }));
  const secrets = found.secrets.map((bundle) => ({ ...attributesOf(bundle), contentType: bundle.contentType ?? null }));
  return { keys, secrets };
}

/** Fills a vault, and leaves alone what it has already: a store may be seeded again. */
export async function seedVault(client: KeyVaultClient, seed: Seed): Promise<{ keys: number; secrets: number }> {
  const keys = await missing(seed.keys, client.getKeys());
  await inParallel(keys, 4, (key) => client.createKey(key.name, { ...keyKind(key), ...wireAttributes(key) }));
  if (client.plane === "managedhsm") return { keys: keys.length, secrets: 0 };
  const secrets = await missing(seed.secrets, client.getSecrets());
  await inParallel(secrets, 8, (secret) =>
    client.setSecret(secret.name, {
      value: secret.value ?? VALUE,
      ...(secret.contentType ? { contentType: secret.contentType } : {}),
      ...wireAttributes(secret),
    }),
  );
  return { keys: keys.length, secrets: secrets.length };
}

async function missing<T extends { name: string }>(wanted: readonly T[], items: AsyncIterable<{ name: string }>) {
  const present = new Set<string>();
  for await (const { name } of items) present.add(name.toLowerCase());
  return wanted.filter(({ name }) => {
    const isNew = !present.has(name.toLowerCase());
    present.add(name.toLowerCase());
    return isNew;
  });
}

function attributesOf(bundle: {
  name: string;
  enabled: boolean;
  notBefore?: Date;
  expiresOn?: Date;
  tags: Record<string, string>;
}) {
  const { name, enabled, notBefore, expiresOn, tags } = bundle;
  return {
    name,
    enabled,
    // The copy is nobody's.
    tags: withoutOwnerTag(tags),
    ...(notBefore ? { notBefore: formatMoment(notBefore) } : {}),
    ...(expiresOn ? { expiresOn: formatMoment(expiresOn) } : {}),
  };
}

function kindOf({
  keyType,
  keySize,
  curve,
  keyOps,
}: {
  keyType: string;
  keySize?: number;
  curve?: string;
  keyOps?: string[];
}) {
  return { keyType, keySize: keySize ?? null, curve: curve ?? null, keyOps: keyOps ?? null };
}

function keyKind({ keyType, keySize, curve, keyOps }: SeedKey) {
  const type = keyType ?? (curve ? "EC" : "RSA");
  return {
    keyType: type,
    ...(keyFamily(type) === "EC" ? (curve ? { curve } : {}) : keySize ? { keySize } : {}),
    ...(keyOps ? { keyOps } : {}),
  };
}

function wireAttributes({ enabled, notBefore, expiresOn, tags }: SeedKey | SeedSecret) {
  return {
    ...(enabled === undefined ? {} : { enabled }),
    ...(notBefore ? { notBefore: new Date(notBefore) } : {}),
    ...(expiresOn ? { expiresOn: new Date(expiresOn) } : {}),
    ...(tags ? { tags } : {}),
  };
}
