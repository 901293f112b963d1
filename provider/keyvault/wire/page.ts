import { z } from "zod";
import { decodeWire, WireMismatch } from "./json.js";

/** The service gives 25 at most; an emulator without paging gives all that it has. */
const MOST_ITEMS = 10_000;

/**
 * A page of a list. Old builds wrote `value: null` for an empty one; the last page has no link, a null one, or an empty one.
 *
 * A page without `value` is none: a server that is no vault must not look like an empty one.
 *
 * Its items are read when they are asked for, so that the next page can be on its way meanwhile. The first that does not fit ends it.
 */
export function pageOf<T extends z.ZodType>(item: T) {
  return z
    .object({
      value: z.custom<unknown[]>((value) => Array.isArray(value) && value.length <= MOST_ITEMS).nullable(),
      nextLink: z.string().max(8_192).nullish(),
    })
    .transform((page) => ({
      items: () => (page.value ?? []).map((value, index) => decodeItem(item, value, index)),
      nextLink: page.nextLink === "" ? undefined : (page.nextLink ?? undefined),
    }));
}

function decodeItem<T extends z.ZodType>(item: T, value: unknown, index: number): z.output<T> {
  try {
    return decodeWire(item, value);
  } catch (mismatch) {
    if (mismatch instanceof WireMismatch) throw new WireMismatch(`value.${index}: ${mismatch.message}`);
    throw mismatch;
  }
}
