import { createHash, randomBytes } from "node:crypto";

/**
 * The tag by which an object says who owns it. Key Vault has no owner field and no conditional writes; a tag is what
 * other tools use too (`managed-by` of External Secrets, the owner records of external-dns).
 */
export const OWNER_TAG = "pulumi-keyvault";

/** How many tags an object can have. */
export const MOST_TAGS = 15;

/** Who owns an object: the value of its {@link OWNER_TAG}, `<project>/<stack> <token>`. */
export interface Owner {
  /** `<project>/<stack>` at the time of the last write. */
  stack: string;
  /**
   * Follows from the URN at creation, stands in state, and stays when alias, URN or stack change. One that was taken over
   * from an earlier run has something random behind it: {@link takenOverToken}.
   */
  token: string;
  /** Of a generated or restored object: a digest of what it was made of. A run that was cut off knows by it what it had made. */
  source?: string;
  /** The mark as it stands in the vault, of which this version knows nothing. */
  text?: string;
}

/** A token of 16 characters from the URN: an interrupted run that starts again comes to the same one. */
export function ownerToken(urn: string): string {
  return createHash("sha256").update(urn).digest("base64url").slice(0, 16);
}

const TAKEN_OVER = "~";

/**
 * A token of what bears the token of this very resource, and state does not know. A run that was cut off has made it, or
 * a stack that had this stack's name before, and still has it in its own state: nothing tells the two apart, since the
 * engine hands no create anything that a run that was cut off could have left. The random part lets the states differ,
 * so that the other one sees that it has lost the object, and deletes nothing.
 */
export function takenOverToken(token: string): string {
  return `${firstToken(token)}${TAKEN_OVER}${randomBytes(6).toString("base64url").slice(0, 6)}`;
}

export function isTakenOver(token: string | undefined): boolean {
  return token?.includes(TAKEN_OVER) === true;
}

/** Whether two owners are one resource, in one state or in two. */
export function isOfSameResource(a: Owner, b: Owner): boolean {
  return a.stack === b.stack && firstToken(a.token) === firstToken(b.token);
}

/** The token that follows from the URN alone. */
function firstToken(token: string): string {
  return token.slice(0, 16);
}

/** A short digest of what an object is made of. */
export function sourceDigest(canonical: string): string {
  return createHash("sha256").update(canonical).digest("base64url").slice(0, 8);
}

export function formatOwner({ stack, token, source, text }: Owner): string {
  return text ?? `${stack} ${token}${source === undefined ? "" : `.${source}`}`;
}

/** Undefined for a text that is no owner's: whoever wrote it, it is not this stack. */
export function parseOwner(text: string): Owner | undefined {
  const match = /^([^\s/]+\/[^\s/]+) ([\w-]{16}(?:~[\w-]{6})?)(?:\.([\w-]{8}))?$/.exec(text);
  const [, stack, token, source] = match ?? [];
  if (stack === undefined || token === undefined) return undefined;
  return { stack, token, ...(source === undefined ? {} : { source }) };
}

type Tags = Readonly<Record<string, string>>;

export function hasOwnerTag(tags: Tags | undefined): boolean {
  return ownerText(tags) !== undefined;
}

/** The owner that the tags name; undefined where they name none, or one that is no stack's. */
export function ownerOf(tags: Tags | undefined): Owner | undefined {
  const text = ownerText(tags);
  return text === undefined ? undefined : parseOwner(text);
}

/** Whether there is a mark, and it is neither one of these tokens nor one of that stack. */
export function isForeignMark(
  tags: Tags | undefined,
  { stack, tokens }: { stack: string; tokens: readonly (string | undefined)[] },
): boolean {
  if (!hasOwnerTag(tags)) return false;
  const found = ownerOf(tags);
  return found === undefined || (found.stack !== stack && !tokens.includes(found.token));
}

/** What state records of an object that was adopted without our mark: whose it was. */
export function markOfAdopted({ adopt }: { adopt?: boolean | undefined }, tags: Tags): { otherMark?: string } {
  const text = ownerText(tags);
  return adopt !== true || text === undefined ? {} : { otherMark: text };
}

/** For messages: `stack "shop/prod"`, or the tag as it is where another tool has written it. */
export function describeOwner(tags: Tags | undefined): string {
  const owner = ownerOf(tags);
  if (owner) return `stack "${owner.stack}"`;
  const text = ownerText(tags);
  return text === undefined ? "nobody" : `somebody else (tag ${OWNER_TAG}: ${JSON.stringify(text.slice(0, 80))})`;
}

/** The tags as the program knows them. */
export function withoutOwnerTag<T extends Tags>(tags: T): Record<string, string> {
  return Object.fromEntries(Object.entries(tags).filter(([name]) => name !== OWNER_TAG));
}

/** The tags with the mark, where there is room for it: an object that others have given all its tags goes without. */
export function withOwnerTag(tags: Tags | undefined, owner: Owner | undefined): Record<string, string> {
  const rest = withoutOwnerTag(tags ?? {});
  return owner === undefined || !hasRoomForMark(rest) ? rest : { ...rest, [OWNER_TAG]: formatOwner(owner) };
}

export function hasRoomForMark(tags: Tags | undefined): boolean {
  return Object.keys(withoutOwnerTag(tags ?? {})).length < MOST_TAGS;
}

function ownerText(tags: Tags | undefined): string | undefined {
  return tags !== undefined && Object.hasOwn(tags, OWNER_TAG) ? tags[OWNER_TAG] : undefined;
}
