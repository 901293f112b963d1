import { createECDH, ECDH } from "node:crypto";
import type { Curve } from "./curves.js";
import { atWidth } from "./jwk-number.js";

export interface EcNumbers {
  d: Buffer;
  x?: Buffer | undefined;
  y?: Buffer | undefined;
}

/** An EC private key as the import takes it: numbers padded to the field's width, the curve by the vault's name. */
export interface EcPrivateJwk {
  [member: string]: string;
  kty: "EC";
  crv: string;
  x: string;
  y: string;
  d: string;
}

/** Checks that the numbers are one key on this curve, and works out coordinates that are missing. */
export function completeEcKey(curve: Curve, given: EcNumbers, problems: string[]): EcPrivateJwk | undefined {
  const before = problems.length;
  const d = widened("d", given.d, curve, problems);
  const x = given.x && widened("x", given.x, curve, problems);
  const y = given.y && widened("y", given.y, curve, problems);
  if (x !== undefined && y !== undefined && !isOnCurve(curve, x, y)) {
    problems.push(`the point ("x", "y") is not on the curve ${curve.name}: the coordinates or the curve are wrong`);
  }
  const point = d && derivePoint(curve, d);
  if (d !== undefined && point === undefined) {
    problems.push(`member "d" is out of range: it has to be between 1 and the order of ${curve.name}`);
  }
  if (problems.length > before || d === undefined || point === undefined) return undefined;
  if ((x !== undefined && !x.equals(point.x)) || (y !== undefined && !y.equals(point.y))) {
    problems.push('EC members do not match: "d" belongs to another public key than "x" and "y"');
    return undefined;
  }
  return {
    kty: "EC",
    crv: curve.name,
    x: point.x.toString("base64url"),
    y: point.y.toString("base64url"),
    d: d.toString("base64url"),
  };
}

function widened(member: string, bytes: Buffer, curve: Curve, problems: string[]): Buffer | undefined {
  const fitted = atWidth(bytes, curve.width);
  if (fitted === undefined) {
    problems.push(`member "${member}" is too long for ${curve.name}: at most ${curve.width} bytes`);
  }
  return fitted;
}

function isOnCurve(curve: Curve, x: Buffer, y: Buffer): boolean {
  try {
    ECDH.convertKey(Buffer.concat([Buffer.of(4), x, y]), curve.openssl);
    return true;
  } catch {
    return false;
  }
}

function derivePoint(curve: Curve, d: Buffer): { x: Buffer; y: Buffer } | undefined {
  try {
    const pair = createECDH(curve.openssl);
    pair.setPrivateKey(d);
    const point = pair.getPublicKey();
    return { x: point.subarray(1, 1 + curve.width), y: point.subarray(1 + curve.width) };
  } catch {
    return undefined;
  }
}
