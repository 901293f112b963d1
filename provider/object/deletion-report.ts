import { formatMoment } from "../engine/moment.js";
import { tell } from "../engine/progress.js";
import { noteGone } from "./declared-objects.js";
import type { VaultObject } from "./vault-object.js";

/** What a refresh found in place of an object that is gone. The drift report reads it back from the engine's output. */
export interface DeletionReport {
  /** As messages name the object: `key "orders" in https://v.vault.azure.net`. */
  label: string;
  /** `unread`: the object is gone, and the deleted ones could not be read. */
  state: "softDeleted" | "nowhere" | "unread";
  /** Of a soft-deleted object, where the service tells them. */
  deletedOn?: string;
  recoverableUntil?: string;
}

const NOWHERE = " is gone: it is neither there nor among the deleted ones";
const UNREAD = " is gone; whether it can be recovered could not be read";
/** As earlier versions end it: a report is made of their lines, too. */
const NEXT = 'the next `pulumi up` does that, unless ifSoftDeleted is "fail"';
const NEXT_OF_STACK = `${NEXT}, or the stack was renamed and has gone on without it: then with adopt: true`;
/** An automatic name follows from the URN, and a resource that is made anew has that of its URN by now. */
const NEXT_IF_NAMED = `${NEXT_OF_STACK}; where the stack or resource was renamed and its program leaves the name out, name it to have it back`;
const AUTOMATIC_NAME = /-[0-9a-f]{7}"/;
const SOFT_DELETED =
  /^(?<label>.+) is soft-deleted(?: since (?<deletedOn>[\dTZ:-]+))? and can be recovered(?: until (?<recoverableUntil>[\dTZ:-]+))?: (?<next>.+)$/;

/** One line for people, which {@link parseDeletionReport} reads back. */
export function formatDeletionReport({ label, state, deletedOn, recoverableUntil }: DeletionReport): string {
  if (state === "nowhere") return `${label}${NOWHERE}`;
  if (state === "unread") return `${label}${UNREAD}`;
  const when = deletedOn === undefined ? "" : ` since ${deletedOn}`;
  const until = recoverableUntil === undefined ? "" : ` until ${recoverableUntil}`;
  const next = AUTOMATIC_NAME.test(label) ? NEXT_IF_NAMED : NEXT_OF_STACK;
  return `${label} is soft-deleted${when} and can be recovered${until}: ${next}`;
}

/** Undefined for any other line. */
export function parseDeletionReport(line: string): DeletionReport | undefined {
  for (const [ending, state] of [
    [NOWHERE, "nowhere"],
    [UNREAD, "unread"],
  ] as const) {
    if (line.endsWith(ending) && line.length > ending.length) return { label: line.slice(0, -ending.length), state };
  }
  const { label, deletedOn, recoverableUntil, next } = SOFT_DELETED.exec(line)?.groups ?? {};
  if (label === undefined || next?.startsWith(NEXT) !== true) return undefined;
  return {
    label,
    state: "softDeleted",
    ...(deletedOn === undefined ? {} : { deletedOn }),
    ...(recoverableUntil === undefined ? {} : { recoverableUntil }),
  };
}

/**
 * Tells that an object is gone, and where it was soft-deleted, when and until when it can be recovered. A create of the
 * same run then finds it to be this stack's, though the mark has the name that the stack had before.
 */
export async function tellGone(
  object: Pick<VaultObject, "kind" | "address" | "label" | "deleted">,
  recorded: { ownerToken?: string | undefined } | undefined,
): Promise<void> {
  tell(formatDeletionReport(await lookForDeletion(object, recorded?.ownerToken)));
}

async function lookForDeletion(
  { kind, address, label, deleted: look }: Pick<VaultObject, "kind" | "address" | "label" | "deleted">,
  ownerToken: string | undefined,
): Promise<DeletionReport> {
  try {
    const deleted = await look();
    if (!deleted) return { label, state: "nowhere" };
    if (ownerToken !== undefined) noteGone(kind, address, ownerToken);
    const { deletedOn, scheduledPurgeDate } = deleted;
    return {
      label,
      state: "softDeleted",
      ...(deletedOn && { deletedOn: formatMoment(deletedOn) }),
      ...(scheduledPurgeDate && { recoverableUntil: formatMoment(scheduledPurgeDate) }),
    };
  } catch {
    // Whether it can be recovered is a kindness: the 404 on the object itself has already told that it is gone.
    return { label, state: "unread" };
  }
}
