import type { KeyProperties, PublicJwk } from "./key-bundle.js";
import type { SettableAttributes } from "./wire/requests.js";

/** Which object a call is about, and what it said of it; what is left out is not compared. */
export interface AskedObject {
  name: string;
  version?: string | undefined;
  sent?: SettableAttributes & { tags?: Record<string, string>; contentType?: string };
  /** The public half of the key that was sent, or what was asked of one that the service makes. */
  key?: AskedKey | undefined;
}

export interface AskedKey {
  keyType: string;
  curve?: string | undefined;
  keySize?: number | undefined;
  n?: string | undefined;
  e?: string | undefined;
  x?: string | undefined;
  y?: string | undefined;
}

/** What an answer says of an object, as far as it is compared. */
interface AnsweredObject extends Pick<KeyProperties, "name" | "enabled"> {
  version?: string;
  notBefore?: Date;
  expiresOn?: Date;
  tags: Record<string, string>;
  keyType?: string;
  keySize?: number;
  publicKey?: PublicJwk;
}

const NUMBERS = ["n", "e", "x", "y"] as const;

/**
 * In what an answer differs from what was asked for or sent, in words; undefined where it is the answer to this call.
 *
 * The service keeps names without regard to case, stores keys as the `-HSM` type where they go into an HSM, calls one curve `P-256K` or `SECP256K1`, and writes
 * numbers as they were sent, leading zeros and all. None of these is a difference.
 */
export function differenceOf(
  answered: AnsweredObject,
  { name, version, sent = {}, key }: AskedObject,
): string | undefined {
  if (answered.name.toLowerCase() !== name.toLowerCase()) return `it names "${answered.name}"`;
  if (version !== undefined && answered.version?.toLowerCase() !== version.toLowerCase()) {
    return `it names version ${answered.version ?? "none"}`;
  }
  const differing = [
    ...(sent.enabled === undefined || sent.enabled === answered.enabled ? [] : ["enabled"]),
    ...(sameSecond(sent.notBefore, answered.notBefore) ? [] : ["notBefore"]),
    ...(sameSecond(sent.expiresOn, answered.expiresOn) ? [] : ["expiresOn"]),
    ...(sent.tags === undefined || sameTags(sent.tags, answered.tags) ? [] : ["tags"]),
    ...(key === undefined ? [] : keyDifferences(key, answered)),
  ];
  return differing.length === 0 ? undefined : `its ${differing.join(", ")} differ from what was sent`;
}

function keyDifferences(key: AskedKey, { keyType = "", keySize, publicKey }: AnsweredObject): string[] {
  const { curve } = key;
  return [
    ...(familyOf(key.keyType) === familyOf(keyType) ? [] : ["keyType"]),
    ...(curve === undefined || curveOf(curve) === curveOf(publicKey?.crv ?? "") ? [] : ["curve"]),
    // A symmetric key has no number that would show its size.
    ...(key.keySize === undefined || keySize === undefined || key.keySize === keySize ? [] : ["keySize"]),
    ...NUMBERS.filter((number) => key[number] !== undefined && !sameNumber(key[number], publicKey?.[number])),
  ];
}

const familyOf = (keyType: string) => keyType.toUpperCase().replace(/-HSM$/, "");

const curveOf = (curve: string) => (curve.toUpperCase() === "SECP256K1" ? "P-256K" : curve.toUpperCase());

/** Dates cross the wire in whole seconds. */
function sameSecond(sent: Date | undefined, answered: Date | undefined): boolean {
  if (sent === undefined) return true;
  return answered !== undefined && Math.floor(sent.getTime() / 1000) === Math.floor(answered.getTime() / 1000);
}

function sameTags(sent: Record<string, string>, answered: Record<string, string>): boolean {
  const names = Object.keys(sent);
  return (
    names.length === Object.keys(answered).length &&
    names.every((name) => Object.hasOwn(answered, name) && answered[name] === sent[name])
  );
}

function sameNumber(sent: string, answered: string | undefined): boolean {
  return answered !== undefined && (sent === answered || numberOf(sent).equals(numberOf(answered)));
}

function numberOf(encoded: string): Buffer {
  const bytes = Buffer.from(encoded, "base64url");
  const first = bytes.findIndex((byte) => byte !== 0);
  return first < 0 ? Buffer.alloc(0) : bytes.subarray(first);
}
