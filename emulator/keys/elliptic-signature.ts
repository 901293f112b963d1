import { createECDH, randomBytes } from "node:crypto";
import type { NamedCurve } from "./curve.js";

/**
 * ECDSA over a digest that is already there. OpenSSL by way of node:crypto hashes for itself, so the arithmetic is here.
 * It takes no care of side channels: this is an emulator.
 */
interface Field {
  readonly p: bigint;
  readonly a: bigint;
  readonly n: bigint;
  readonly g: Point;
}
interface Point {
  readonly x: bigint;
  readonly y: bigint;
}
/** Jacobian coordinates; z = 0 is the point at infinity. */
type Jacobian = readonly [x: bigint, y: bigint, z: bigint];

const primes: Record<string, { p: bigint; a: bigint; n: bigint }> = {
  prime256v1: {
    p: 2n ** 256n - 2n ** 224n + 2n ** 192n + 2n ** 96n - 1n,
    a: -3n,
    n: 0xffffffff00000000ffffffffffffffffbce6faada7179e84f3b9cac2fc632551n,
  },
  secp384r1: {
    p: 2n ** 384n - 2n ** 128n - 2n ** 96n + 2n ** 32n - 1n,
    a: -3n,
    n: 0xffffffffffffffffffffffffffffffffffffffffffffffffc7634d81f4372ddf581a0db248b0a77aecec196accc52973n,
  },
  secp521r1: {
    p: 2n ** 521n - 1n,
    a: -3n,
    n: 0x01fffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffa51868783bf2f966b7fcc0148f709a5d03bb5c9b8899c47aebb6fb71e91386409n,
  },
  secp256k1: {
    p: 2n ** 256n - 2n ** 32n - 977n,
    a: 0n,
    n: 0xfffffffffffffffffffffffffffffffebaaedce6af48a03bbfd25e8cd0364141n,
  },
};

/** `r || s`, each as wide as the field. */
export function signDigest(curve: NamedCurve, secret: Buffer, digest: Buffer): Buffer {
  const { n } = fieldOf(curve);
  const z = truncated(digest, n);
  const d = integer(secret);
  for (;;) {
    const k = (integer(randomBytes(curve.width + 8)) % (n - 1n)) + 1n;
    const r = timesGenerator(curve, k).x % n;
    const s = modulo(inverse(k, n) * (z + r * d), n);
    if (r !== 0n && s !== 0n) return Buffer.concat([bytes(r, curve.width), bytes(s, curve.width)]);
  }
}

export function verifyDigest(curve: NamedCurve, x: Buffer, y: Buffer, digest: Buffer, signature: Buffer): boolean {
  const field = fieldOf(curve);
  if (signature.length !== curve.width * 2) return false;
  const r = integer(signature.subarray(0, curve.width));
  const s = integer(signature.subarray(curve.width));
  if (r === 0n || s === 0n || r >= field.n || s >= field.n) return false;
  const w = inverse(s, field.n);
  const u = modulo(truncated(digest, field.n) * w, field.n);
  const v = modulo(r * w, field.n);
  const sum = twoFold(field, u, field.g, v, { x: integer(x), y: integer(y) });
  return sum !== undefined && sum.x % field.n === r;
}

const generators = new Map<string, Point>();

function fieldOf(curve: NamedCurve): Field {
  const numbers = primes[curve.openssl];
  if (numbers === undefined) throw new Error(`No arithmetic for ${curve.openssl}.`);
  const g = generators.get(curve.openssl) ?? timesGenerator(curve, 1n);
  generators.set(curve.openssl, g);
  return { ...numbers, g };
}

function timesGenerator(curve: NamedCurve, factor: bigint): Point {
  const pair = createECDH(curve.openssl);
  pair.setPrivateKey(bytes(factor, curve.width));
  const point = pair.getPublicKey();
  return { x: integer(point.subarray(1, 1 + curve.width)), y: integer(point.subarray(1 + curve.width)) };
}

/** u·A + v·B by Shamir's trick. */
function twoFold(field: Field, u: bigint, a: Point, v: bigint, b: Point): Point | undefined {
  const [first, second]: [Jacobian, Jacobian] = [
    [a.x, a.y, 1n],
    [b.x, b.y, 1n],
  ];
  const both = add(field, first, second);
  const length = Math.max(u.toString(2).length, v.toString(2).length);
  let sum: Jacobian = [1n, 1n, 0n];
  for (let bit = BigInt(length - 1); bit >= 0n; bit -= 1n) {
    sum = double(field, sum);
    const [inU, inV] = [(u >> bit) & 1n, (v >> bit) & 1n];
    if (inU === 1n && inV === 1n) sum = add(field, sum, both);
    else if (inU === 1n) sum = add(field, sum, first);
    else if (inV === 1n) sum = add(field, sum, second);
  }
  const [x, y, z] = sum;
  if (z === 0n) return undefined;
  const zInverse = inverse(z, field.p);
  const square = modulo(zInverse * zInverse, field.p);
  return { x: modulo(x * square, field.p), y: modulo(y * square * zInverse, field.p) };
}

function double({ p, a }: Field, [x, y, z]: Jacobian): Jacobian {
  if (z === 0n || y === 0n) return [1n, 1n, 0n];
  const yy = (y * y) % p;
  const s = (4n * x * yy) % p;
  const zz = (z * z) % p;
  const m = modulo(3n * x * x + a * zz * zz, p);
  const x3 = modulo(m * m - 2n * s, p);
  return [x3, modulo(m * (s - x3) - 8n * yy * yy, p), (2n * y * z) % p];
}

function add(field: Field, left: Jacobian, right: Jacobian): Jacobian {
  const { p } = field;
  const [x1, y1, z1] = left;
  const [x2, y2, z2] = right;
  if (z1 === 0n) return right;
  if (z2 === 0n) return left;
  const [zz1, zz2] = [(z1 * z1) % p, (z2 * z2) % p];
  const [u1, u2] = [(x1 * zz2) % p, (x2 * zz1) % p];
  const [s1, s2] = [(y1 * zz2 * z2) % p, (y2 * zz1 * z1) % p];
  if (u1 === u2) return s1 === s2 ? double(field, left) : [1n, 1n, 0n];
  const h = modulo(u2 - u1, p);
  const r = modulo(s2 - s1, p);
  const hh = (h * h) % p;
  const hhh = (h * hh) % p;
  const base = (u1 * hh) % p;
  const x3 = modulo(r * r - hhh - 2n * base, p);
  return [x3, modulo(r * (base - x3) - s1 * hhh, p), (((h * z1) % p) * z2) % p];
}

function modulo(value: bigint, modulus: bigint): bigint {
  const rest = value % modulus;
  return rest < 0n ? rest + modulus : rest;
}

function inverse(value: bigint, modulus: bigint): bigint {
  let [a, b, x, y] = [modulo(value, modulus), modulus, 1n, 0n];
  while (b !== 0n) {
    const quotient = a / b;
    [a, b, x, y] = [b, a % b, y, x - quotient * y];
  }
  return modulo(x, modulus);
}

/** The leftmost bits of the digest, as many as the order has. */
function truncated(digest: Buffer, n: bigint): bigint {
  const excess = digest.length * 8 - n.toString(2).length;
  return excess > 0 ? integer(digest) >> BigInt(excess) : integer(digest);
}

const integer = (value: Buffer) => (value.length === 0 ? 0n : BigInt(`0x${value.toString("hex")}`));

const bytes = (value: bigint, width: number) => Buffer.from(value.toString(16).padStart(width * 2, "0"), "hex");
