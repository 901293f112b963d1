import { childrenOf, contentOf, type Element, numberOf, outermost } from "./der.js";

/** Some seconds of this machine's time. NSS asks for 600,000 twice, OpenSSL for 2,048, Windows for 2,000. */
const mostIterations = 3_000_000;

/** OpenSSL does no scrypt that needs more memory. Its own default needs 16 MiB. */
const mostScryptMemory = 32 * 1024 * 1024;
const mostScryptLanes = 16;
/** One unit of scrypt's work (a block of 128 bytes) costs about as much as this many iterations of PBKDF2. */
const scryptWeight = 1 / 4;

/**
 * What the material of one source may still cost in key derivations, which a file's author chooses and its reader pays.
 * Shared by all keys of the file, so that many small ones cost no more than a large one.
 */
export class DerivationBudget {
  #left = mostIterations;

  /** What is wrong with so many iterations; undefined where they may be done. */
  spend(iterations: number, weight = 1): string | undefined {
    if (iterations < 1) return "the key derivation has an iteration count below 1: export it again";
    this.#left -= iterations * weight;
    return this.#left < 0
      ? `the key derivation asks for ${iterations.toLocaleString("en-US")} iterations: at most ${mostIterations.toLocaleString("en-US")} are done for one file, a quarter of it for old ciphers`
      : undefined;
  }
}

const oids = {
  pbes2: "2a864886f70d01050d",
  pbkdf2: "2a864886f70d01050c",
  scrypt: "2b06010401da47040b",
  /** PKCS#5's first schemes, and PKCS#12's. */
  older: /^2a864886f70d01(05(01|03|04|06|0a|0b)|0c010[1-6])$/,
};

/**
 * What keeps an EncryptedPrivateKeyInfo from being decrypted at a bearable price; undefined where nothing does.
 * Whatever cannot be read here is refused: OpenSSL would read it in some other way.
 */
export function derivationProblem(encryptedKey: Uint8Array, budget: DerivationBudget): string | undefined {
  const [algorithm] = childrenOf(encryptedKey, outermost(encryptedKey));
  const [id, parameters] = childrenOf(encryptedKey, algorithm);
  const scheme = contentOf(encryptedKey, id).toString("hex");
  if (oids.older.test(scheme)) return olderProblem(encryptedKey, parameters, budget);
  if (scheme !== oids.pbes2) return unsupported;
  const [derivation] = childrenOf(encryptedKey, parameters);
  const [kind, details] = childrenOf(encryptedKey, derivation);
  const numbers = childrenOf(encryptedKey, details).slice(1);
  const [first, second, third] = numbers.map((each) => numberOf(encryptedKey, each));
  switch (contentOf(encryptedKey, kind).toString("hex")) {
    case oids.pbkdf2:
      return first === undefined ? unreadable : budget.spend(first);
    case oids.scrypt:
      return first === undefined || second === undefined || third === undefined
        ? unreadable
        : scryptProblem(first, second, third, budget);
    default:
      return unsupported;
  }
}

function olderProblem(der: Uint8Array, parameters: Element | undefined, budget: DerivationBudget): string | undefined {
  const count = numberOf(der, childrenOf(der, parameters)[1]);
  return count === undefined ? unreadable : budget.spend(count);
}

function scryptProblem(n: number, r: number, p: number, budget: DerivationBudget): string | undefined {
  if (n * r * 128 > mostScryptMemory || p > mostScryptLanes) {
    return `the key derivation (scrypt) asks for N=${n}, r=${r}, p=${p}: at most 32 MiB (128·N·r) and p=${mostScryptLanes} are done`;
  }
  return budget.spend(n * r * p, scryptWeight);
}

const unreadable = "the parameters of its encryption cannot be read: it is damaged";
const unsupported = "it is encrypted with a scheme that is not supported: encrypt it with PBES2 and AES-256-CBC";
