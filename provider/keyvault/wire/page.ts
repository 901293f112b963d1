import { z } from "zod";
import { decodeWire } from "./json.js";

/**
 * A page of a list. Old builds wrote `value: null` for an empty one; the last page has no link, a null one, or an empty one.
 *
 * A page without `value` is none: a server that is no vault must not look like an empty one.
 *
 * Its items are read when they are asked for, so that the next page can be on its way meanwhile.
 */
export function pageOf<T extends z.ZodType>(item: T) {
  const items = z.object({ value: z.array(item) });
  return z
    .looseObject({ value: z.array(z.unknown()).nullable(), nextLink: z.string().nullish() })
    .transform((page) => ({
      items: () => decodeWire(items, { value: page.value ?? [] }).value,
      nextLink: page.nextLink === "" ? undefined : (page.nextLink ?? undefined),
    }));
}
