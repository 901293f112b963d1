import { randomBytes } from "node:crypto";
import { inParallel } from "../../provider/engine/worker-pool.js";
import type { KeyVaultClient } from "../../provider/keyvault/client.js";
import { isKeyVaultError } from "../../provider/keyvault/errors.js";
import { OPERATIONS, type OperationName } from "../../provider/keyvault/operations.js";
import { permissionFor, roleFor } from "../../provider/keyvault/permission-hint.js";
import type { Permission } from "./diagnosis.js";

/** A request that can change nothing, whatever the caller may do: a list, or something about a name that is not there. */
type Probe = (client: KeyVaultClient, absent: string) => Promise<unknown> | AsyncIterable<unknown>;

interface Row {
  operations: readonly [OperationName, ...OperationName[]];
  usedFor: string;
  /** Left out where only a write would tell. */
  probe?: Probe;
}

const BLOCK = Buffer.alloc(32, 1).toString("base64url");
const CIPHER = { algorithm: "RSA-OAEP-256", value: BLOCK };
const ONE = { maxPageSize: 1 };

/** What this package does in a vault, by the permission that it takes. */
const ROWS: readonly Row[] = [
  { operations: ["getKeys", "getKeyVersions"], usedFor: "drift, lists", probe: (v) => v.getKeys(ONE) },
  { operations: ["getKey"], usedFor: "every refresh", probe: (v, name) => v.getKey(name) },
  { operations: ["getDeletedKeys"], usedFor: "deleted ones", probe: (v) => v.getDeletedKeys(ONE) },
  {
    operations: ["getKeyRotationPolicy"],
    usedFor: "rotationPolicy",
    probe: (v, name) => v.getKeyRotationPolicy(name),
  },
  { operations: ["backupKey"], usedFor: "backups", probe: (v, name) => v.backupKey(name) },
  { operations: ["createKey"], usedFor: "generate" },
  { operations: ["importKey"], usedFor: "import" },
  { operations: ["updateKey"], usedFor: "attributes, tags" },
  { operations: ["updateKeyRotationPolicy"], usedFor: "rotationPolicy" },
  { operations: ["deleteKey"], usedFor: "onDelete, destroy" },
  { operations: ["recoverDeletedKey"], usedFor: "deleted names" },
  { operations: ["purgeDeletedKey"], usedFor: "onDelete: purge" },
  { operations: ["restoreKey"], usedFor: "restore" },
  { operations: ["encrypt"], usedFor: "encrypt()", probe: (v, name) => v.encrypt(name, undefined, CIPHER) },
  { operations: ["decrypt"], usedFor: "decrypt()", probe: (v, name) => v.decrypt(name, undefined, CIPHER) },
  {
    operations: ["sign"],
    usedFor: "sign()",
    probe: (v, name) => v.sign(name, undefined, { algorithm: "RS256", digest: BLOCK }),
  },
  {
    operations: ["verify"],
    usedFor: "verify()",
    probe: (v, name) => v.verify(name, undefined, { algorithm: "RS256", digest: BLOCK, signature: BLOCK }),
  },
  { operations: ["wrapKey"], usedFor: "wrapKey()", probe: (v, name) => v.wrapKey(name, undefined, CIPHER) },
  { operations: ["unwrapKey"], usedFor: "unwrapKey()", probe: (v, name) => v.unwrapKey(name, undefined, CIPHER) },
  {
    operations: ["getSecrets", "getSecretVersions"],
    usedFor: "drift, lists",
    probe: (v) => v.getSecrets(ONE),
  },
  { operations: ["getSecret"], usedFor: "refresh by value", probe: (v, name) => v.getSecret(name) },
  { operations: ["getDeletedSecrets"], usedFor: "deleted ones", probe: (v) => v.getDeletedSecrets(ONE) },
  { operations: ["backupSecret"], usedFor: "backups", probe: (v, name) => v.backupSecret(name) },
  { operations: ["setSecret", "updateSecret"], usedFor: "values, tags" },
  { operations: ["deleteSecret"], usedFor: "onDelete, destroy" },
  { operations: ["recoverDeletedSecret"], usedFor: "deleted names" },
  { operations: ["purgeDeletedSecret"], usedFor: "onDelete: purge" },
  { operations: ["restoreSecret"], usedFor: "restore" },
];

/** Every permission that can be asked for, and whether it can be found out without writing. */
export const PERMISSIONS: ReadonlyMap<string, boolean> = new Map(
  ROWS.map(({ operations: [first], probe }) => [OPERATIONS[first].permission, probe !== undefined]),
);

const AT_ONCE = 4;

/** Asks for each permission. On a Managed HSM there are no secrets to ask about. */
export async function lookAtPermissions(client: KeyVaultClient): Promise<Permission[]> {
  const absent = `doctor-${randomBytes(12).toString("hex")}`;
  const rows = ROWS.filter(({ operations: [first] }) => permissionFor(first, client.plane) !== undefined).filter(
    ({ operations: [first] }) => client.plane === "vault" || !OPERATIONS[first].permission.startsWith("secrets/"),
  );
  return await inParallel(rows, AT_ONCE, async ({ operations, usedFor, probe }) => {
    const [first] = operations;
    const { permission } = OPERATIONS[first];
    const dataAction = permissionFor(first, client.plane)?.dataAction;
    const role = roleFor(first, client.plane);
    return {
      permission,
      operations: [...operations],
      usedFor,
      ...(dataAction === undefined ? {} : { dataAction }),
      ...(role === undefined ? {} : { role }),
      ...(probe === undefined ? { result: "not tried" as const } : await ask(client, probe, absent)),
    };
  });
}

async function ask(
  client: KeyVaultClient,
  probe: Probe,
  absent: string,
): Promise<Pick<Permission, "result" | "code" | "innerCode">> {
  try {
    const asked = probe(client, absent);
    if (Symbol.asyncIterator in asked) {
      for await (const _first of asked) break;
    } else await asked;
    return { result: "allowed" };
  } catch (error) {
    if (!isKeyVaultError(error)) throw error;
    const { code, innerCode } = error;
    // The service looks at who asks before it looks for the object.
    if (code === "KV_NOT_FOUND") return { result: "allowed" };
    const inner = innerCode === undefined ? {} : { innerCode };
    const isOfCaller = code === "KV_FORBIDDEN" && !innerCode?.startsWith("ForbiddenByFirewall");
    return { result: isOfCaller && innerCode !== "ForbiddenByConnection" ? "refused" : "unknown", code, ...inner };
  }
}
