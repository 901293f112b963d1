/** A curve by the names that it has: on the wire, in JOSE and in OpenSSL. */
export interface NamedCurve {
  readonly wire: string;
  readonly jose: string;
  readonly openssl: string;
  /** Bytes of a coordinate. */
  readonly width: number;
  readonly bits: number;
}

const curves: readonly NamedCurve[] = [
  { wire: "P-256", jose: "P-256", openssl: "prime256v1", width: 32, bits: 256 },
  { wire: "P-384", jose: "P-384", openssl: "secp384r1", width: 48, bits: 384 },
  { wire: "P-521", jose: "P-521", openssl: "secp521r1", width: 66, bits: 521 },
  { wire: "P-256K", jose: "secp256k1", openssl: "secp256k1", width: 32, bits: 256 },
  { wire: "SECP256K1", jose: "secp256k1", openssl: "secp256k1", width: 32, bits: 256 },
];

export const curveByWireName = (name: string) => curves.find((curve) => curve.wire === name);
