import { createPublicKey } from "node:crypto";
import type { PublicJwk } from "../keyvault/key-bundle.js";
import { findCurve } from "./curves.js";
import { atWidth, stripLeadingZeros } from "./jwk-number.js";

/** A public key as RFC 7518 has it: no `-HSM` types, JOSE's curve names, numbers at their widths, no other members. */
export type NormalisedJwk = { kty: "RSA"; n: string; e: string } | { kty: "EC"; crv: string; x: string; y: string };

/**
 * The public key that a vault returned, as other JOSE tools write it.
 *
 * Vaults echo the numbers of imported keys as they were sent, so leading zero bytes may be there or missing.
 * Undefined for keys without a public half (`oct`), and for types this version does not know.
 */
export function publicKeyJwk(jwk: PublicJwk): NormalisedJwk | undefined {
  if (isRsa(jwk.kty) && jwk.n !== undefined && jwk.e !== undefined) {
    const n = stripLeadingZeros(Buffer.from(jwk.n, "base64url"));
    const e = stripLeadingZeros(Buffer.from(jwk.e, "base64url"));
    return n.length === 0 || e.length === 0
      ? undefined
      : { kty: "RSA", n: n.toString("base64url"), e: e.toString("base64url") };
  }
  const curve = isEc(jwk.kty) && jwk.crv !== undefined ? findCurve(jwk.crv) : undefined;
  if (curve === undefined || jwk.x === undefined || jwk.y === undefined) return undefined;
  const x = atWidth(Buffer.from(jwk.x, "base64url"), curve.width);
  const y = atWidth(Buffer.from(jwk.y, "base64url"), curve.width);
  if (x === undefined || y === undefined) return undefined;
  return { kty: "EC", crv: curve.jose, x: x.toString("base64url"), y: y.toString("base64url") };
}

/** The public key as SubjectPublicKeyInfo PEM; undefined where `publicKeyJwk` is, or where the point is not on its curve. */
export function publicKeyPem(jwk: PublicJwk): string | undefined {
  const key = publicKeyJwk(jwk);
  if (key === undefined) return undefined;
  try {
    return createPublicKey({ key, format: "jwk" }).export({ type: "spki", format: "pem" }).toString();
  } catch {
    return undefined;
  }
}

/** The line of an `authorized_keys` file; undefined for P-256K, for which OpenSSH has no type, and where `publicKeyJwk` is. */
export function publicKeyOpenSsh(jwk: PublicJwk, comment?: string): string | undefined {
  const key = publicKeyJwk(jwk);
  if (key === undefined) return undefined;
  const line = key.kty === "RSA" ? rsaLine(key) : ecLine(key);
  return line === undefined || comment === undefined || comment === ""
    ? line
    : `${line} ${comment.replace(/\s+/g, " ")}`;
}

function rsaLine(key: { n: string; e: string }): string {
  const blob = [sshString("ssh-rsa"), sshInteger(key.e), sshInteger(key.n)];
  return `ssh-rsa ${Buffer.concat(blob).toString("base64")}`;
}

function ecLine(key: { crv: string; x: string; y: string }): string | undefined {
  const name = findCurve(key.crv)?.openssh;
  if (name === undefined) return undefined;
  const type = `ecdsa-sha2-${name}`;
  const point = Buffer.concat([Buffer.of(4), Buffer.from(key.x, "base64url"), Buffer.from(key.y, "base64url")]);
  return `${type} ${Buffer.concat([sshString(type), sshString(name), sshString(point)]).toString("base64")}`;
}

function sshString(value: string | Buffer): Buffer {
  const bytes = typeof value === "string" ? Buffer.from(value) : value;
  const length = Buffer.alloc(4);
  length.writeUInt32BE(bytes.length);
  return Buffer.concat([length, bytes]);
}

/** OpenSSH's mpint is signed: a leading one bit needs a zero byte before it. */
function sshInteger(base64url: string): Buffer {
  const bytes = Buffer.from(base64url, "base64url");
  return sshString((bytes[0] ?? 0) >= 0x80 ? Buffer.concat([Buffer.of(0), bytes]) : bytes);
}

function isRsa(keyType: string): boolean {
  return keyType === "RSA" || keyType === "RSA-HSM";
}

function isEc(keyType: string): boolean {
  return keyType === "EC" || keyType === "EC-HSM";
}
