export type CurveName = "P-256" | "P-384" | "P-521" | "P-256K";

export interface Curve {
  /** As Key Vault calls it. */
  name: CurveName;
  /** As JOSE calls it (RFC 7518, RFC 8812). */
  jose: string;
  /** As OpenSSL, and so `node:crypto`, calls it. */
  openssl: string;
  /** As OpenSSH calls it; it has no type for secp256k1. */
  openssh?: string;
  bits: number;
  /** Bytes of a coordinate. */
  width: number;
}

const curves: readonly Curve[] = [
  { name: "P-256", jose: "P-256", openssl: "prime256v1", openssh: "nistp256", bits: 256, width: 32 },
  { name: "P-384", jose: "P-384", openssl: "secp384r1", openssh: "nistp384", bits: 384, width: 48 },
  { name: "P-521", jose: "P-521", openssl: "secp521r1", openssh: "nistp521", bits: 521, width: 66 },
  { name: "P-256K", jose: "secp256k1", openssl: "secp256k1", bits: 256, width: 32 },
];

/** The curve of that name, whether the vault's (`P-256K`, `SECP256K1`), JOSE's or OpenSSL's; undefined for others. */
export function findCurve(name: string): Curve | undefined {
  const wanted = name.toLowerCase();
  return curves.find((curve) =>
    [curve.name, curve.jose, curve.openssl].some((known) => known.toLowerCase() === wanted),
  );
}

/** The curve of a type of key of OpenSSH, such as `ecdsa-sha2-nistp256`. */
export function curveOfOpenSsh(type: string): Curve | undefined {
  return curves.find(({ openssh }) => openssh !== undefined && type === `ecdsa-sha2-${openssh}`);
}

export const allowedCurves = "P-256, P-384, P-521 or P-256K (secp256k1)";
