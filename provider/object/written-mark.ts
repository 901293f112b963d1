import { tell } from "../engine/progress.js";
import { wasMarkSeen } from "./declared-objects.js";
import { describeOwner, formatOwner, isForeignMark, OWNER_TAG, type Owner, ownerOf } from "./owner-tag.js";
import type { VaultObject } from "./vault-object.js";

interface Recorded {
  ownerToken?: string | undefined;
  /** The mark that a refresh found in the place of ours, or that an object had which was adopted without ours. */
  otherMark?: string | undefined;
  adopt?: boolean | undefined;
}

type Tags = Readonly<Record<string, string>>;

/**
 * The mark that the writes of one update put on an object. Another stack may have taken an object that this state still
 * records: whatever is written then keeps that mark, so that the object is left alone when it goes from here. Only
 * `adopt: true`, newly said, takes it back.
 */
export class WrittenMark {
  #other: Owner | undefined;
  readonly #takesBack: boolean;
  #isTold = false;
  /** What the object had when it was adopted and could not be marked: that is what was taken. */
  readonly #taken: string | undefined;

  /** @param own who writes; undefined where owner tags are off. */
  constructor(
    private readonly object: Pick<VaultObject, "kind" | "address" | "label">,
    private readonly recorded: Recorded,
    private readonly inputs: { adopt?: boolean | undefined },
    readonly own: Owner | undefined,
  ) {
    this.#takesBack = inputs.adopt === true && recorded.adopt !== true;
    this.#taken = recorded.adopt && recorded.ownerToken === undefined ? recorded.otherMark : undefined;
    if (recorded.otherMark !== undefined && this.#taken === undefined) this.see({ [OWNER_TAG]: recorded.otherMark });
  }

  /** What the next write puts there. */
  get owner(): Owner | undefined {
    return this.#other ?? this.own;
  }

  get isAnothers(): boolean {
    return this.#other !== undefined;
  }

  /** Whether another's mark is known to be there and is to go, though nothing else may be to write. */
  get isToTakeBack(): boolean {
    return this.#takesBack && this.own !== undefined && this.recorded.otherMark !== undefined;
  }

  /**
   * Whether a request that writes tags needs a look before: it replaces all of them, and no answer tells which. Where a
   * refresh of this run has looked, state says what it saw.
   */
  get needsLook(): boolean {
    const { kind, address } = this.object;
    return this.own !== undefined && !this.#takesBack && !wasMarkSeen(kind, address);
  }

  /** Takes in what a look or an answer shows. Tells of another's mark once. */
  see(tags: Tags): void {
    const { own } = this;
    if (own === undefined || this.#takesBack) return;
    const isTaken = this.#taken !== undefined && tags[OWNER_TAG] === this.#taken;
    if (isTaken) this.#tellTaken(tags);
    if (isTaken || !isForeignMark(tags, { stack: own.stack, tokens: [own.token, this.recorded.ownerToken] })) {
      this.#other = undefined;
      return;
    }
    if (this.#other === undefined) this.#tellKept(tags);
    const text = tags[OWNER_TAG] ?? "";
    // What a version is made of follows from this program.
    const found = ownerOf(tags);
    const source = own.source === undefined ? {} : { source: own.source };
    this.#other = found ? { stack: found.stack, token: found.token, ...source } : { stack: "", token: "", text };
  }

  /** What state records of the marks of an object that bears these tags. */
  marks(tags: Tags): { ownerToken?: string; otherMark?: string } {
    const { ownerToken } = this.recorded;
    if (this.#other !== undefined) {
      return {
        ...(ownerToken === undefined ? {} : { ownerToken }),
        otherMark: tags[OWNER_TAG] ?? formatOwner(this.#other),
      };
    }
    const token = this.own?.token ?? ownerToken;
    return token !== undefined && ownerOf(tags)?.token === token ? { ownerToken: token } : {};
  }

  /** What state goes on to say where another's mark was to go, and is still there: the next update takes it back. */
  notTakenBack(tags: Tags): Recorded {
    if (!this.isToTakeBack || ownerOf(tags)?.token === this.own?.token) return {};
    const { adopt, ownerToken, otherMark } = this.recorded;
    return { adopt, ownerToken, otherMark };
  }

  #tellTaken(tags: Tags): void {
    if (this.#isTold) return;
    this.#isTold = true;
    tell(`${this.object.label} was owned by ${describeOwner(tags)}, and is adopted by this resource`);
  }

  #tellKept(tags: Tags): void {
    const found = ownerOf(tags);
    const whose = found ? `stack "${found.stack}"` : "somebody else";
    tell(
      `${this.object.label} keeps the mark of ${whose}, which has taken it${this.inputs.adopt ? "" : " (adopt: true takes it back)"}`,
    );
  }
}
