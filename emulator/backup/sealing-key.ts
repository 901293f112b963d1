import { checkPrimeSync, createHash, createHmac, createPrivateKey, type KeyObject } from "node:crypto";
import type { Vault } from "../vault.js";

/** The keys that backups of one security domain, geography and subscription are sealed with. */
export interface SealingKey {
  readonly kid: string;
  /** RSA 2048, for vaults. Made on first use: it takes a moment. */
  readonly rsa: () => KeyObject;
  /** 64 bytes, for Managed HSMs. */
  readonly secret: Buffer;
}

const known = new Map<string, SealingKey>();

/**
 * Derived from names, not random: two emulators, in two processes and on two stores, restore each other's backups when
 * they stand for vaults between which the service would. It protects nothing from a reader of this file.
 */
export function sealingKeyOf(vault: Vault): SealingKey {
  const scope =
    vault.plane === "managedhsm"
      ? ["managedhsm", vault.securityDomain]
      : ["vault", vault.securityDomain, vault.geography, vault.subscription];
  const name = JSON.stringify(scope);
  const found = known.get(name);
  if (found !== undefined) return found;
  let rsa: KeyObject | undefined;
  const key: SealingKey = {
    kid: vault.plane === "managedhsm" ? "backup-protection-key" : guidOf(name),
    rsa: () => {
      rsa ??= deriveRsaKey(name);
      return rsa;
    },
    secret: createHash("sha512").update(`emulator backup ${name}`).digest(),
  };
  known.set(name, key);
  return key;
}

function guidOf(name: string): string {
  const hex = createHash("sha256").update(name).digest("hex");
  return [hex.slice(0, 8), hex.slice(8, 12), hex.slice(12, 16), hex.slice(16, 20), hex.slice(20, 32)].join("-");
}

const exponent = 65_537n;

function deriveRsaKey(name: string): KeyObject {
  const p = derivePrime(`${name} p`);
  const q = derivePrime(`${name} q`);
  const d = inverse(exponent, (p - 1n) * (q - 1n));
  const encode = (value: bigint) => {
    const hex = value.toString(16);
    return Buffer.from(hex.length % 2 === 0 ? hex : `0${hex}`, "hex").toString("base64url");
  };
  const numbers = { n: p * q, e: exponent, d, p, q, dp: d % (p - 1n), dq: d % (q - 1n), qi: inverse(q, p) };
  const jwk = Object.fromEntries(Object.entries(numbers).map(([member, value]) => [member, encode(value)]));
  return createPrivateKey({ key: { kty: "RSA", ...jwk }, format: "jwk" });
}

/** The first 1024-bit prime at or after a number derived from the label, with its two top bits set. */
function derivePrime(label: string): bigint {
  const blocks = [0, 1].map((block) =>
    createHmac("sha512", "emulator sealing key").update(`${label} ${block}`).digest(),
  );
  const start = BigInt(`0x${Buffer.concat(blocks).toString("hex")}`) | (3n << 1022n) | 1n;
  const small = smallPrimes();
  const remainders = small.map((prime) => Number(start % BigInt(prime)));
  for (let offset = 0; ; offset += 2) {
    if (small.some((prime, index) => ((remainders[index] ?? 0) + offset) % prime === 0)) continue;
    const candidate = start + BigInt(offset);
    if (candidate % exponent !== 1n && checkPrimeSync(candidate, { checks: 8 })) return candidate;
  }
}

function smallPrimes(): number[] {
  const primes: number[] = [];
  for (let value = 3; value < 4000; value += 2) {
    if (primes.every((prime) => value % prime !== 0)) primes.push(value);
  }
  return primes;
}

function inverse(value: bigint, modulus: bigint): bigint {
  let [a, b, x, y] = [value % modulus, modulus, 1n, 0n];
  while (b !== 0n) {
    const quotient = a / b;
    [a, b, x, y] = [b, a % b, y, x - quotient * y];
  }
  return ((x % modulus) + modulus) % modulus;
}
