/** What is known of a key that is to be the key exchange key of a vault; what is undefined is not known yet. */
export interface ExchangeKeyFacts {
  keyType?: unknown;
  keySize?: unknown;
  keyOps?: unknown;
  enabled?: unknown;
  /** A moment, or its text. */
  notBefore?: unknown;
  expiresOn?: unknown;
}

/** What the specification takes. */
const SIZES = [2048, 3072, 4096];

/** Why a key cannot be the exchange key of an import, and what to do; undefined where nothing speaks against it. */
export function exchangeKeyProblem(
  facts: ExchangeKeyFacts,
  now: number,
): { problem: string; remedy: string } | undefined {
  const { keyType, keySize, keyOps, enabled } = facts;
  const make = 'make one with generate: { keyType: "RSA-HSM", keySize: 4096 } and keyOps: ["import"]';
  if (typeof keyType === "string" && keyType !== "" && keyType !== "RSA-HSM") {
    return { problem: `it is of type ${keyType}, and an exchange key is of type RSA-HSM`, remedy: make };
  }
  if (typeof keySize === "number" && !SIZES.includes(keySize)) {
    return { problem: `it has ${keySize} bits, and an exchange key has ${SIZES.join(", ")}`, remedy: make };
  }
  if (Array.isArray(keyOps) && !keyOps.includes("import")) {
    return { problem: 'its operations do not include "import"', remedy: make };
  }
  if (enabled === false) return { problem: "it is disabled", remedy: "enable it" };
  const [notBefore, expiresOn] = [facts.notBefore, facts.expiresOn].map(timeOf);
  if (expiresOn !== undefined && expiresOn <= now) {
    return {
      problem: `it has expired on ${written(expiresOn)}: a vault lets an exchange key live for 48 hours`,
      remedy: "make a new version of it, for example by other generate.keepers",
    };
  }
  if (notBefore !== undefined && notBefore > now) {
    return { problem: `it is not valid before ${written(notBefore)}`, remedy: "wait until then, or take another one" };
  }
  return undefined;
}

function timeOf(moment: unknown): number | undefined {
  if (moment instanceof Date) return moment.getTime();
  const time = typeof moment === "string" ? Date.parse(moment) : Number.NaN;
  return Number.isNaN(time) ? undefined : time;
}

const written = (time: number) => new Date(time).toISOString().replace(/\.\d+Z$/, "Z");
