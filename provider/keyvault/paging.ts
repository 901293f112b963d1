import type { KeyVaultError } from "./errors.js";
import type { OddLine } from "./wire/page.js";

export interface Page<T> {
  items(): Iterable<T | OddLine>;
  nextLink: string | undefined;
}

export interface PagingOptions<T> {
  /** Path and query of the first page. */
  first(): string;
  origin: string;
  apiVersion: string;
  get(path: string): Promise<Page<T>>;
  /** The items of a page, or the error that tells that they are not what they should be. */
  read(page: Page<T>): T[];
  refuse(why: string): KeyVaultError;
}

/** Far beyond what any vault was seen to send, so that a list without end is one error and not a program that never ends. */
const MOST_PAGES = 200_000;
const MOST_EMPTY_PAGES_IN_A_ROW = 20_000;

/**
 * Follows next links to the end. Pages without items are the norm on large vaults and mean nothing.
 *
 * From the second page on, the next one is on its way while the items of this one are read and taken: who reads past the first page mostly reads to the end.
 *
 * Of a link only path and query are taken: the service writes its public host and port even behind a gateway, and no answer may choose where the token is sent.
 */
export async function* pages<T>(options: PagingOptions<T>): AsyncGenerator<T, void, void> {
  const visited = new Set<string>();
  let empty = 0;
  const ask = (path: string): Promise<Page<T>> => {
    if (visited.has(path)) return Promise.reject(options.refuse("lists the same page again and again"));
    if (visited.size >= MOST_PAGES || empty >= MOST_EMPTY_PAGES_IN_A_ROW) {
      return Promise.reject(options.refuse("lists pages without end"));
    }
    visited.add(path);
    return options.get(path);
  };
  let page = await ask(options.first());
  for (let isFirst = true; ; isFirst = false) {
    const path = page.nextLink === undefined ? undefined : withoutPrefix(ownPath(page.nextLink, options), options);
    if (path === undefined) return yield* options.read(page);
    const ahead = isFirst ? undefined : ask(path);
    // Whoever stops taking items before they are through does not want to hear of the page after them.
    ahead?.catch(() => {});
    const items = options.read(page);
    empty = items.length === 0 ? empty + 1 : 0;
    yield* items;
    page = await (ahead ?? ask(path));
  }
}

function ownPath<T>(nextLink: string, { origin, apiVersion, refuse }: PagingOptions<T>): string {
  const path = nextLink
    .replace(/^[a-z][a-z0-9+.-]*:\/\/[^/?#]*/i, "")
    .replace(/#.*$/, "")
    .replace(/[^\x21-\x7e]/gu, percentEncode);
  if (!path.startsWith("/") || path.startsWith("//") || !isOn(origin, path)) {
    throw refuse("names a next page that is not a path");
  }
  if (/[?&]api-version=/i.test(path)) return path;
  return `${path}${path.includes("?") ? "&" : "?"}api-version=${encodeURIComponent(apiVersion)}`;
}

/** A server behind a gateway may write a path of its own before that of the list. */
function withoutPrefix<T>(path: string, { first }: PagingOptions<T>): string {
  const [list = ""] = first().split("?");
  const [asked = "", ...query] = path.split("?");
  if (asked === list || list === "" || !asked.endsWith(list)) return path;
  return [list, ...query].join("?");
}

/** A backslash is a slash to some readers of a URL, and two of them begin a host. */
function isOn(origin: string, path: string): boolean {
  return URL.canParse(path, origin) && new URL(path, origin).origin === new URL(origin).origin;
}

function percentEncode(character: string): string {
  return [...Buffer.from(character, "utf8")].map((byte) => `%${byte.toString(16).padStart(2, "0")}`).join("");
}
