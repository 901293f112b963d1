import { type KeyFacts, type KeyInputs, keyFamily, type OnDelete } from "../provider/key/key-inputs.js";

/** @internal */
type Recorded = Partial<KeyInputs & KeyFacts>;

/** Each answer is looked up when it is asked for: a preview does not know them all. */
class ObjectPolicyFacts {
  readonly #props: Recorded;

  /** @param props the first argument of a policy's `validateResourceOfType`, or one of `validateStackResourcesOfType`. */
  constructor(props: object) {
    this.#props = props;
  }

  /** The object's name in the vault. */
  get name(): string | undefined {
    return this.#props.name;
  }

  /** The vault that it is in. */
  get vaultUrl(): string | undefined {
    return this.#props.vaultUrl;
  }

  /** ISO 8601: what the program says, else what an adopted or restored object was found with. */
  get expiresOn(): string | undefined {
    return this.#props.expiresOn ?? this.#props.found?.expiresOn;
  }

  /** It has a moment at which it expires. */
  get expires(): boolean {
    return this.expiresOn !== undefined;
  }

  /** Whether it can be used. */
  get enabled(): boolean {
    return (this.#props.enabled ?? this.#props.found?.enabled) !== false;
  }

  /** What becomes of the object when its resource goes; `delete` where the program does not say. */
  get onDelete(): OnDelete {
    return this.#props.onDelete ?? "delete";
  }
}

/** What a policy can ask about a Secret. */
export class SecretPolicyFacts extends ObjectPolicyFacts {}

/** What a policy can ask about a Key. */
export class KeyPolicyFacts extends ObjectPolicyFacts {
  readonly #props: Recorded;

  constructor(props: object) {
    super(props);
    this.#props = props;
  }

  /** It has a moment at which it expires, or a rotation policy that gives one to each new version. */
  override get expires(): boolean {
    return super.expires || this.#props.rotationPolicy?.expireAfter !== undefined;
  }

  /** Its rotation policy rotates it. */
  get rotates(): boolean {
    const { rotateAfter, rotateBeforeExpiry } = this.#props.rotationPolicy ?? {};
    return rotateAfter !== undefined || rotateBeforeExpiry !== undefined;
  }

  /** The vault made it, so that what it is was known before. */
  get generated(): boolean {
    return this.#props.generate !== undefined;
  }

  /** `RSA`, `EC`, `oct`, or one of them with `-HSM`. Undefined for an imported, restored or adopted key that is not there yet. */
  get keyType(): string | undefined {
    return this.#props.keyType ?? this.#props.generate?.keyType;
  }

  /** Bits of the RSA modulus. Undefined for other keys, and where `keyType` is. */
  get rsaSize(): number | undefined {
    if (this.keyType === undefined || keyFamily(this.keyType) !== "RSA") return undefined;
    const { publicKey, generate } = this.#props;
    if (publicKey?.n) return Buffer.from(publicKey.n, "base64url").length * 8;
    return generate ? (generate.keySize ?? 2048) : undefined;
  }
}
