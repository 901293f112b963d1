import { createPrivateKey, createPublicKey, sign, verify } from "node:crypto";
import { encodeBigInt } from "./jwk-number.js";

export interface RsaNumbers {
  n: bigint;
  e: bigint;
  d: bigint;
  p?: bigint | undefined;
  q?: bigint | undefined;
  dp?: bigint | undefined;
  dq?: bigint | undefined;
  qi?: bigint | undefined;
}

/** An RSA private key with all eight numbers, as the import takes it. */
export interface RsaPrivateJwk {
  [member: string]: string;
  kty: "RSA";
  n: string;
  e: string;
  d: string;
  p: string;
  q: string;
  dp: string;
  dq: string;
  qi: string;
}

const sizes: readonly number[] = [2048, 3072, 4096];
/** Longer ones are not worth the arithmetic: Key Vault takes 4096. */
const longestNumber = 8192;
const publicExponent = 65537n;

/** Checks that the numbers are one key that Key Vault takes, and works out those of the last five that are missing. */
export function completeRsaKey(given: RsaNumbers, problems: string[]): RsaPrivateJwk | undefined {
  const { n, e, d } = given;
  const before = problems.length;
  const size = bits(n);
  if (!sizes.includes(size)) problems.push(`the RSA key has ${size} bits: Key Vault takes 2048, 3072 or 4096`);
  if (Object.values(given).some((number) => number !== undefined && bits(number) > longestNumber)) {
    problems.push(`the RSA key has numbers of more than ${longestNumber} bits, which no key has`);
    return undefined;
  }
  if (e !== publicExponent) {
    const found = e < 1n << 32n ? `${e}` : "larger than 32 bits";
    problems.push(`the RSA public exponent "e" is ${found}: Key Vault keeps RSA keys with 65537 (AQAB) only`);
  }
  if (d <= 1n || d >= n) problems.push('the RSA private exponent "d" is out of range: it has to be between 1 and n');
  const primes = findPrimes(given, problems);
  if (primes === undefined) return undefined;

  const { p, q } = primes;
  const dp = given.dp ?? d % (p - 1n);
  const dq = given.dq ?? d % (q - 1n);
  if ((e * d) % (p - 1n) !== 1n || (e * d) % (q - 1n) !== 1n) {
    problems.push('RSA members do not match: "d" is not the inverse of "e", so private and public key are no pair');
  }
  if (dp !== d % (p - 1n)) problems.push('RSA members do not match: "dp" is not d mod (p-1)');
  if (dq !== d % (q - 1n)) problems.push('RSA members do not match: "dq" is not d mod (q-1)');
  const qi = given.qi ?? inverse(q, p);
  if ((qi * q) % p !== 1n || qi >= p) problems.push('RSA members do not match: "qi" is not the inverse of q mod p');
  if (problems.length > before) return undefined;

  const numbers = { n, e, d, p, q, dp, dq, qi };
  const text = Object.fromEntries(Object.entries(numbers).map(([name, value]) => [name, encodeBigInt(value)]));
  const key = { kty: "RSA", ...text } as RsaPrivateJwk;
  if (!signs(key)) {
    problems.push(
      'RSA members do not match: a signature with this key does not verify ("p" and "q" may not be primes)',
    );
    return undefined;
  }
  return key;
}

function bits(number: bigint): number {
  const hex = number.toString(16);
  return number <= 0n ? 0 : (hex.length - 1) * 4 + Number.parseInt(hex.charAt(0), 16).toString(2).length;
}

function findPrimes(given: RsaNumbers, problems: string[]): { p: bigint; q: bigint } | undefined {
  const { n } = given;
  const known = given.p ?? given.q;
  if (known === undefined) {
    const p = problems.length === 0 ? factor(n, given.e, given.d) : undefined;
    if (p !== undefined) return p > n / p ? { p, q: n / p } : { p: n / p, q: p };
    if (problems.length === 0) {
      problems.push('RSA members do not match: "d" is not the inverse of "e", so private and public key are no pair');
    }
    return undefined;
  }
  if (known < 3n) {
    problems.push('RSA members do not match: "n" is not p times q');
    return undefined;
  }
  const p = given.p ?? n / known;
  const q = given.q ?? n / known;
  if (p * q === n && p > 2n && q > 2n && p !== q) return { p, q };
  problems.push('RSA members do not match: "n" is not p times q');
  return p > 2n && q > 2n ? { p, q } : undefined;
}

/**
 * A prime of n from a matching pair of exponents (NIST SP 800-56B, appendix C): a square root of 1 other than n-1 shares
 * a factor with n. Each base finds one with probability one half.
 */
function factor(n: bigint, e: bigint, d: bigint): bigint | undefined {
  let odd = e * d - 1n;
  if (odd <= 0n || odd % 2n === 1n) return undefined;
  let halvings = 0;
  while (odd % 2n === 0n) {
    odd /= 2n;
    halvings += 1;
  }
  for (const base of [2n, 3n, 5n, 7n, 11n, 13n, 17n, 19n, 23n, 29n, 31n, 37n]) {
    let root = power(base, odd, n);
    for (let i = 0; i < halvings && root !== 1n && root !== n - 1n; i++) {
      const square = (root * root) % n;
      if (square === 1n) return divisor(root - 1n, n);
      root = square;
    }
    if (root !== 1n && root !== n - 1n) return undefined;
  }
  return undefined;
}

function power(base: bigint, exponent: bigint, modulus: bigint): bigint {
  let result = 1n;
  for (const bit of exponent.toString(2)) {
    result = (result * result) % modulus;
    if (bit === "1") result = (result * base) % modulus;
  }
  return result;
}

function divisor(a: bigint, b: bigint): bigint {
  let [x, y] = [a, b];
  while (y !== 0n) [x, y] = [y, x % y];
  return x;
}

function inverse(value: bigint, modulus: bigint): bigint {
  let [r0, r1, t0, t1] = [modulus, value % modulus, 0n, 1n];
  while (r1 !== 0n) {
    const quotient = r0 / r1;
    [r0, r1] = [r1, r0 - quotient * r1];
    [t0, t1] = [t1, t0 - quotient * t1];
  }
  return t0 < 0n ? t0 + modulus : t0;
}

function signs(key: RsaPrivateJwk): boolean {
  try {
    const probe = Buffer.from("pulumi-keyvault");
    const signature = sign("sha256", probe, createPrivateKey({ key, format: "jwk" }));
    const publicKey = createPublicKey({ key: { kty: key.kty, n: key.n, e: key.e }, format: "jwk" });
    return verify("sha256", probe, publicKey, signature);
  } catch {
    return false;
  }
}
