import { generatePrimeSync, type KeyObject } from "node:crypto";
import { der, integer, octets, oid, sequence } from "./der-builder.js";

/** An RSA key of three primes in PKCS#1. */
export function threePrimes(): Buffer {
  const e = 65537n;
  const fits = (prime: bigint) => (prime - 1n) % e !== 0n;
  const prime = (): bigint => {
    for (;;) {
      const found = generatePrimeSync(683, { bigint: true });
      if (fits(found)) return found;
    }
  };
  const [p, q, r] = [prime(), prime(), prime()];
  const d = inverse(e, (p - 1n) * (q - 1n) * (r - 1n));
  const crt = [d % (p - 1n), d % (q - 1n), inverse(q, p)];
  const other = sequence(integer(r), integer(d % (r - 1n)), integer(inverse(p * q, r)));
  return sequence(...[1n, p * q * r, e, d, p, q, ...crt].map((number) => integer(number)), sequence(other));
}

/** A PFX without encryption that holds these keys. */
export function pfxOf(...keys: KeyObject[]): Buffer {
  const bags = keys.map((key) =>
    sequence(oid("2a864886f70d010c0a0101"), der(0xa0, key.export({ type: "pkcs8", format: "der" }))),
  );
  const data = (content: Buffer) => sequence(oid("2a864886f70d010701"), der(0xa0, octets(content)));
  return sequence(integer(3), data(sequence(data(sequence(...bags)))));
}

function inverse(value: bigint, modulus: bigint): bigint {
  let [r0, r1, t0, t1] = [modulus, value % modulus, 0n, 1n];
  while (r1 !== 0n) [r0, r1, t0, t1] = [r1, r0 % r1, t1, t0 - (r0 / r1) * t1];
  return t0 < 0n ? t0 + modulus : t0;
}
