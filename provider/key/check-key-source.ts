import { shownName } from "../engine/described-value.js";
import { type InputCheck, isRecord } from "../engine/input-check.js";
import type { Properties } from "../engine/lifecycle.js";
import { loadedOnce } from "../engine/loaded-once.js";
import { canonicalJson, withoutUndefined } from "../engine/normal-form.js";
import { containsUnknown, isUnknown, UNKNOWN } from "../engine/unknown.js";
import { vaultSettings } from "../engine/vault-settings.js";
import { mayBeManagedHsm } from "../keyvault/identifier.js";
import { expectedDigest } from "../object/observed-drift.js";
import { keepMaterial } from "../object/pending-material.js";
import { checkRestoreSource, givenSources } from "../object/restore-source.js";
import { normalGenerate } from "./key-inputs.js";
import { readWrapWith, type WrapWith } from "./wrapped-import.js";

/** What a key is made of, as far as it goes into state, and what the check of it found out. */
export interface CheckedSource {
  inputs: Properties;
  keyType?: string;
  /** The name that a backup brings with it. */
  name?: string;
  /** Whether private material is in this process, so that a version can be made from it. */
  isAtHand: boolean;
  /** The key that it is wrapped with on its way. */
  wrapWith?: WrapWith;
}

const keySource = loadedOnce(() => import("../material/key-source.js"));
const NONE: CheckedSource = { inputs: {}, isAtHand: false };
const SOURCES = ["import", "generate", "restore", "adopt"] as const;

/** Reads the one source of a key, takes private material and blobs out of the inputs, and leaves digests of them. */
export async function checkKeySource(check: InputCheck, olds: Properties): Promise<CheckedSource> {
  const { news } = check;
  const given = givenSources(news, SOURCES);
  const adopted = check.boolean("adopt");
  const isPinned = news.import === undefined && typeof news.thumbprint === "string";
  if (isPinned) return { inputs: { thumbprint: news.thumbprint, adopt: adopted }, isAtHand: false };
  if (given.length === 0) {
    check.failUnnamed("a key needs one source: import, generate, restore or adopt");
    return NONE;
  }
  if (given.length > 1 && !(given.length === 2 && given.includes("import") && given.includes("adopt"))) {
    check.failUnnamed(`a key takes one source, and this one has ${given.join(" and ")} (adopt may go with import)`);
    return NONE;
  }
  const adopt = given.includes("adopt") ? { adopt: adopted } : {};
  if (given.includes("import")) {
    const source = await checkImport(check, olds);
    return { ...source, inputs: { ...source.inputs, ...adopt } };
  }
  if (given.includes("generate")) return checkGenerate(check, olds);
  if (given.includes("restore")) return { ...checkRestoreSource(check, olds, "key"), isAtHand: false };
  return { inputs: adopt, isAtHand: false };
}

async function checkImport(check: InputCheck, olds: Properties): Promise<CheckedSource> {
  const { import: given } = check.news;
  if (isUnknown(given)) return { inputs: { thumbprint: UNKNOWN }, isAtHand: true };
  const { wrapWith: asked, ...source } = isRecord(given) ? given : { wrapWith: undefined };
  if (asked === undefined) return checkMaterial(check, olds, isRecord(given) ? source : given);
  const wrapWith = readWrapWith(check, asked);
  const checked = await checkMaterial(check, olds, source, wrapWith);
  if (wrapWith === undefined) return NONE;
  return { ...checked, wrapWith, inputs: { ...checked.inputs, hardwareProtected: true } };
}

async function checkMaterial(
  check: InputCheck,
  olds: Properties,
  source: unknown,
  wrapWith?: WrapWith,
): Promise<CheckedSource> {
  if (containsUnknown(source)) return { inputs: { thumbprint: UNKNOWN }, isAtHand: true };
  if (!isRecord(source)) {
    check.failUnnamed('import must be { jwk }, { pem }, { pfx }, { byok }, { file: "signing.pem" } or { env: "NAME" }');
    return NONE;
  }
  // A program that pins the material with ignoreChanges has the recorded thumbprint put in by the engine.
  const pinned = check.news.thumbprint;
  const { readKeySource } = await keySource();
  try {
    const result = readKeySource(source, {
      ...(typeof check.news.hardwareProtected === "boolean" ? { hardwareProtected: check.news.hardwareProtected } : {}),
      allowSymmetric: mayBeManagedHsm(check.news.vaultUrl ?? vaultSettings().vaultUrl),
    });
    if (result.status === "material") {
      if (wrapWith !== undefined && result.material.exchangeKeyId !== undefined) {
        check.failUnnamed("KV_INVALID_INPUT: import: a transfer blob is wrapped already: leave wrapWith out");
        return NONE;
      }
      const thumbprint = keepMaterial(result.material);
      return {
        inputs: { thumbprint: typeof pinned === "string" ? pinned : thumbprint },
        keyType: result.material.keyType,
        isAtHand: true,
      };
    }
    const recorded = typeof pinned === "string" ? pinned : sealedThumbprint(olds);
    if (recorded !== undefined) return { inputs: { thumbprint: recorded }, isAtHand: false };
    check.failUnnamed(`KV_INVALID_KEY_MATERIAL: import: the key material is not at hand: ${result.reason}`);
  } catch (error) {
    for (const problem of problemsOf(error)) check.failUnnamed(`KV_INVALID_KEY_MATERIAL: import: ${problem}`);
  }
  return NONE;
}

/** The thumbprint that a key in state is to have where its material is not at hand. */
function sealedThumbprint(olds: Properties): string | undefined {
  const { thumbprint } = olds;
  return typeof thumbprint === "string" ? expectedDigest(thumbprint) : undefined;
}

function problemsOf(error: unknown): string[] {
  if (!(error instanceof Error && "problems" in error && Array.isArray(error.problems))) throw error;
  const { problems } = error;
  const place = "subject" in error && error.subject !== "import" ? `${error.subject}: ` : "";
  return problems.map((problem) => `${place}${problem}`);
}

const KEY_TYPES = ["RSA", "EC", "RSA-HSM", "EC-HSM", "oct", "oct-HSM"];
const CURVES = ["P-256", "P-384", "P-521", "P-256K"];
const KEY_SIZES: Record<string, readonly number[]> = { RSA: [2048, 3072, 4096], oct: [128, 192, 256] };

function checkGenerate(check: InputCheck, olds: Properties): CheckedSource {
  const generate = check.record("generate", '{ keyType: "RSA" | "EC" | "RSA-HSM" | "EC-HSM" | "oct-HSM", … }');
  if (!isRecord(generate)) return { inputs: { generate }, isAtHand: false };
  const { keyType, keySize, curve, keepers, ...rest } = generate;
  for (const property of Object.keys(rest))
    check.fail("generate", `${shownName(property)} is not a member of generate`);
  if (isUnknown(keyType)) return { inputs: { generate }, isAtHand: false };
  if (typeof keyType !== "string" || !KEY_TYPES.includes(keyType)) {
    check.fail("generate", `keyType must be one of ${KEY_TYPES.join(", ")}`);
    return NONE;
  }
  const family = keyType.replace("-HSM", "");
  if (family === "EC") {
    if (keySize !== undefined) check.fail("generate", "an EC key takes a curve, not a keySize");
    if (curve !== undefined && !isUnknown(curve) && !(typeof curve === "string" && CURVES.includes(curve))) {
      check.fail("generate", `curve must be one of ${CURVES.join(", ")}`);
    }
  } else {
    if (curve !== undefined) check.fail("generate", `a key of type ${keyType} takes a keySize, not a curve`);
    const sizes = KEY_SIZES[family] ?? [];
    if (keySize !== undefined && !isUnknown(keySize) && !(typeof keySize === "number" && sizes.includes(keySize))) {
      check.fail("generate", `keySize of a key of type ${keyType} must be one of ${sizes.join(", ")}`);
    }
  }
  if (keepers !== undefined && !isUnknown(keepers) && !isTextMap(keepers)) {
    check.fail("generate", "keepers must be a map of text to text");
  }
  const given = withoutUndefined({ keyType, keySize, curve, keepers });
  const spelled: Properties = containsUnknown(given) ? given : { ...normalGenerate(given) };
  // How a program spells a default is no change: what is recorded stays as it is.
  return {
    inputs: { generate: isUnchangedGenerate(olds.generate, spelled) ? olds.generate : spelled },
    keyType,
    isAtHand: false,
  };
}

function isTextMap(value: unknown): boolean {
  return isRecord(value) && Object.values(value).every((item) => typeof item === "string");
}

/** Whether a program's `generate` says what the recorded one says. */
export function isUnchangedGenerate(recorded: unknown, given: Properties): boolean {
  if (!isRecord(recorded) || typeof recorded.keyType !== "string" || containsUnknown(given)) return false;
  return (
    canonicalJson(normalGenerate(withoutUndefined({ ...recorded, keyType: recorded.keyType }))) === canonicalJson(given)
  );
}
