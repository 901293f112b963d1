import { allowedCurves, findCurve } from "./curves.js";
import { completeEcKey, type EcPrivateJwk } from "./ec-key.js";
import { readNumber, toBigInt } from "./jwk-number.js";
import { completeRsaKey, type RsaPrivateJwk } from "./rsa-key.js";

export interface SymmetricJwk {
  kty: "oct";
  k: string;
}

export interface ReadJwk {
  key: RsaPrivateJwk | EcPrivateJwk | SymmetricJwk;
  /** The JWK says `RSA-HSM`, `EC-HSM` or `oct-HSM`. */
  hardwareOnly: boolean;
}

type Members = Record<string, unknown>;

/**
 * Checks and completes a private JWK. What is wrong goes to `problems`.
 *
 * `use`, `key_ops`, `alg`, `kid` and other members that are no numbers are left out: what a key may do is said by the
 * resource, not by the file.
 */
export function readJwk(jwk: Members, allowSymmetric: boolean, problems: string[]): ReadJwk | undefined {
  const keyType = jwk.kty;
  if (keyType === undefined) {
    problems.push(
      Array.isArray(jwk.keys)
        ? "this is a set of JWKs: give one of its keys"
        : 'this JSON is no JWK: member "kty" is missing',
    );
    return undefined;
  }
  const hardwareOnly = typeof keyType === "string" && keyType.endsWith("-HSM");
  const key = readByType(hardwareOnly ? keyType.slice(0, -"-HSM".length) : keyType, jwk, allowSymmetric, problems);
  return key === undefined ? undefined : { key, hardwareOnly };
}

function readByType(
  keyType: unknown,
  jwk: Members,
  allowSymmetric: boolean,
  problems: string[],
): ReadJwk["key"] | undefined {
  switch (keyType) {
    case "RSA":
      return readRsa(jwk, problems);
    case "EC":
      return readEc(jwk, problems);
    case "oct":
      if (allowSymmetric) return readSymmetric(jwk, problems);
      problems.push(
        "this is a symmetric key (oct), which can be imported into a Managed HSM only: a vault takes RSA and EC keys, and one of the premium tier makes symmetric ones itself (generate with keyType oct-HSM)",
      );
      return undefined;
    default:
      problems.push(
        `member "kty" is ${shown(keyType)}: Key Vault takes RSA of 2048, 3072 or 4096 bits, or EC on ${allowedCurves}`,
      );
      return undefined;
  }
}

function readRsa(jwk: Members, problems: string[]): RsaPrivateJwk | undefined {
  const before = problems.length;
  if (jwk.oth !== undefined) problems.push('member "oth": RSA keys of more than two primes cannot be imported');
  if (jwk.d === undefined) problems.push(publicOnly);
  const number = (member: string, required: boolean): bigint | undefined => {
    const value = jwk[member];
    if (value === undefined) {
      if (required) problems.push(`member "${member}" is missing`);
      return undefined;
    }
    const bytes = readNumber(value, member, problems);
    return bytes && toBigInt(bytes);
  };
  const [n, e, d] = [number("n", true), number("e", true), number("d", false)];
  const [p, q] = [number("p", false), number("q", false)];
  const [dp, dq, qi] = [number("dp", false), number("dq", false), number("qi", false)];
  if (n === undefined || e === undefined || d === undefined || problems.length > before) return undefined;
  return completeRsaKey({ n, e, d, p, q, dp, dq, qi }, problems);
}

function readEc(jwk: Members, problems: string[]): EcPrivateJwk | undefined {
  const before = problems.length;
  const curve = typeof jwk.crv === "string" ? findCurve(jwk.crv) : undefined;
  if (jwk.crv === undefined) problems.push('member "crv" is missing');
  else if (curve === undefined) problems.push(`member "crv" is ${shown(jwk.crv)}: Key Vault takes ${allowedCurves}`);
  if (jwk.d === undefined) problems.push(publicOnly);
  const [d, x, y] = ["d", "x", "y"].map((member) =>
    jwk[member] === undefined ? undefined : readNumber(jwk[member], member, problems),
  );
  if (curve === undefined || d === undefined || problems.length > before) return undefined;
  return completeEcKey(curve, { d, x, y }, problems);
}

function readSymmetric(jwk: Members, problems: string[]): SymmetricJwk | undefined {
  if (jwk.k === undefined) {
    problems.push('member "k" is missing');
    return undefined;
  }
  const k = readNumber(jwk.k, "k", problems);
  if (k === undefined) return undefined;
  if (![16, 24, 32].includes(k.length)) {
    problems.push(`the symmetric key has ${k.length * 8} bits: Managed HSM takes 128, 192 or 256`);
    return undefined;
  }
  return { kty: "oct", k: k.toString("base64url") };
}

const publicOnly = 'this is a public key: the private member "d" is missing';

/** Names of types and curves are short words; anything else may be material in the wrong place. */
function shown(value: unknown): string {
  return typeof value === "string" && /^[A-Za-z0-9-]{1,12}$/.test(value) ? `"${value}"` : "not a name that is known";
}
