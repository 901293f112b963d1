import { z } from "zod";

/** A page of a list. Old builds wrote `value: null` for an empty one; the last page has no link, a null one, or an empty one. */
export function pageOf<T extends z.ZodType>(item: T) {
  return z.looseObject({ value: z.array(item).nullish(), nextLink: z.string().nullish() }).transform((page) => ({
    items: page.value ?? [],
    nextLink: page.nextLink === "" ? undefined : (page.nextLink ?? undefined),
  }));
}
