import { createPrivateKey, type KeyObject } from "node:crypto";
import { z } from "zod";
import { allowedCurves, findCurve } from "./curves.js";
import { type DerKind, isTruncatedDer } from "./der.js";
import { completeEcKey, type EcPrivateJwk } from "./ec-key.js";
import { toBigInt } from "./jwk-number.js";
import { completeRsaKey, type RsaPrivateJwk } from "./rsa-key.js";

export type PrivateJwk = RsaPrivateJwk | EcPrivateJwk;

export type PrivateKeyForm = Extract<DerKind, "pkcs1" | "pkcs8" | "sec1" | "encrypted-pkcs8">;

/** Decodes (and decrypts) a private key; what is wrong goes to `problems`. */
export function openPrivateKey(
  der: Buffer,
  form: PrivateKeyForm,
  passphrase: string | undefined,
  problems: string[],
): KeyObject | undefined {
  if (isTruncatedDer(der)) {
    problems.push("the private key is truncated: part of it is missing, export it again");
    return undefined;
  }
  const encrypted = form === "encrypted-pkcs8";
  if (encrypted && passphrase === undefined) {
    problems.push(needsPassphrase);
    return undefined;
  }
  const type = encrypted ? "pkcs8" : form;
  try {
    return encrypted && passphrase !== undefined
      ? createPrivateKey({ key: der, format: "der", type, passphrase })
      : createPrivateKey({ key: der, format: "der", type });
  } catch (error) {
    problems.push(encrypted ? decryptionProblem(error) : "the private key is damaged: it cannot be decoded");
    return undefined;
  }
}

export const needsPassphrase = "the private key is encrypted: give its passphrase";

/** What an error of OpenSSL's says about an encrypted key. The error itself is not kept. */
export function decryptionProblem(error: unknown): string {
  const code = error instanceof Error && "code" in error ? error.code : undefined;
  return code === "ERR_OSSL_EVP_UNSUPPORTED"
    ? "the private key is encrypted with an outdated cipher (DES, RC2 or RC4) that this runtime no longer has: encrypt it anew with openssl pkcs8 -topk8 -v2 aes-256-cbc"
    : "the private key cannot be decrypted: the passphrase is wrong";
}

const exportedRsa = z.object({
  kty: z.literal("RSA"),
  n: z.base64url(),
  e: z.base64url(),
  d: z.base64url(),
  p: z.base64url(),
  q: z.base64url(),
  dp: z.base64url(),
  dq: z.base64url(),
  qi: z.base64url(),
});

const exportedEc = z.object({ kty: z.literal("EC"), x: z.base64url(), y: z.base64url(), d: z.base64url() });

/** Checks a decoded key as strictly as a JWK: a PEM or PFX can hold numbers that do not match, too. */
export function completePrivateKey(key: KeyObject, problems: string[]): PrivateJwk | undefined {
  switch (key.asymmetricKeyType) {
    case "rsa":
      return completeRsa(key, problems);
    case "ec":
      return completeEc(key, problems);
    case "rsa-pss":
      problems.push(
        "this is an RSA key restricted to PSS, and Key Vault cannot keep the restriction: it takes plain RSA keys or EC keys",
      );
      return undefined;
    default:
      problems.push(
        `this is a private key of type ${key.asymmetricKeyType ?? "unknown"}: Key Vault takes RSA of 2048, 3072 or 4096 bits, or EC on ${allowedCurves}`,
      );
      return undefined;
  }
}

function completeRsa(key: KeyObject, problems: string[]): RsaPrivateJwk | undefined {
  const exported = exportedRsa.safeParse(exportJwk(key));
  if (!exported.success) {
    problems.push("the RSA private key is damaged: its numbers cannot be read");
    return undefined;
  }
  const number = (text: string) => toBigInt(Buffer.from(text, "base64url"));
  const { n, e, d, p, q, dp, dq, qi } = exported.data;
  return completeRsaKey(
    {
      n: number(n),
      e: number(e),
      d: number(d),
      p: number(p),
      q: number(q),
      dp: number(dp),
      dq: number(dq),
      qi: number(qi),
    },
    problems,
  );
}

function completeEc(key: KeyObject, problems: string[]): EcPrivateJwk | undefined {
  const name = key.asymmetricKeyDetails?.namedCurve;
  const curve = name === undefined ? undefined : findCurve(name);
  if (curve === undefined) {
    const found = name === undefined ? "with curve parameters of its own" : `on the curve ${name}`;
    problems.push(`this is an EC key ${found}: Key Vault takes ${allowedCurves}`);
    return undefined;
  }
  const exported = exportedEc.safeParse(exportJwk(key));
  if (!exported.success) {
    problems.push("the EC private key is damaged: its numbers cannot be read");
    return undefined;
  }
  const [d, x, y] = [exported.data.d, exported.data.x, exported.data.y].map((text) => Buffer.from(text, "base64url"));
  return d === undefined ? undefined : completeEcKey(curve, { d, x, y }, problems);
}

function exportJwk(key: KeyObject): unknown {
  try {
    return key.export({ format: "jwk" });
  } catch {
    return undefined;
  }
}
