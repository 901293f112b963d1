import { createPublicKey, generateKeyPairSync, type KeyObject, verify } from "node:crypto";
import { CryptographyClient, KeyClient } from "@azure/keyvault-keys";
import { SecretClient } from "@azure/keyvault-secrets";
import type { Emulator } from "../../emulator/index.js";
import { askedOperations } from "../emulator/asked-requests.js";

const clientOptions = { disableChallengeResourceVerification: true, allowInsecureConnection: true };

/** Settings of a stack whose default vault this is. */
export function settingsFor({ url, token }: Emulator) {
  return { config: { "keyvault:vaultUrl": url, "keyvault:credential": "token" }, env: { KEYVAULT_TOKEN: token } };
}

/** What somebody does to a vault without Pulumi. */
export async function call({ url, token }: Emulator, method: string, path: string, body?: unknown): Promise<unknown> {
  const answer = await fetch(`${url}${path}?api-version=7.4`, {
    method,
    headers: { authorization: `Bearer ${token}`, "content-type": "application/json" },
    ...(body === undefined ? {} : { body: JSON.stringify(body) }),
  });
  if (!answer.ok) throw new Error(`${method} ${path} was answered with ${answer.status}`);
  return answer.status === 204 ? undefined : answer.json();
}

/** Requests by operation since the log was cleared. */
export function requestCounts(vault: Emulator): Record<string, number> {
  const counts: Record<string, number> = {};
  for (const operation of askedOperations(vault)) counts[operation] = (counts[operation] ?? 0) + 1;
  return counts;
}

export function keyClient({ url, credential }: Emulator): KeyClient {
  return new KeyClient(url, credential, clientOptions);
}

export function secretClient({ url, credential }: Emulator): SecretClient {
  return new SecretClient(url, credential, clientOptions);
}

/** Whether a signature that the vault makes with its key verifies with the local one's public half. */
export async function signsLike(vault: Emulator, name: string, local: KeyObject): Promise<boolean> {
  const key = await keyClient(vault).getKey(name);
  const data = Buffer.from(`signed with ${name}`);
  const { algorithm, hash } = SIGNATURES[local.asymmetricKeyDetails?.namedCurve ?? "RSA"] ?? SIGNATURES.RSA;
  const { result } = await new CryptographyClient(key, vault.credential, clientOptions).signData(algorithm, data);
  return verify(hash, data, { key: createPublicKey(local), dsaEncoding: "ieee-p1363" }, result);
}

const SIGNATURES = {
  RSA: { algorithm: "RS256", hash: "sha256" },
  prime256v1: { algorithm: "ES256", hash: "sha256" },
  secp384r1: { algorithm: "ES384", hash: "sha384" },
  secp521r1: { algorithm: "ES512", hash: "sha512" },
} as Record<string, { algorithm: string; hash: string }> & { RSA: { algorithm: string; hash: string } };

export function ecKey(namedCurve: string): KeyObject {
  return generateKeyPairSync("ec", { namedCurve }).privateKey;
}

export function rsaKey(): KeyObject {
  return generateKeyPairSync("rsa", { modulusLength: 2048 }).privateKey;
}

export function pemOf(key: KeyObject): string {
  return key.export({ type: "pkcs8", format: "pem" }).toString();
}
