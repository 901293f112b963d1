import { badParameter } from "../service-error.js";

/** What the request line asks for. Empty segments are dropped, as the service tolerates doubled and trailing slashes. */
export interface RequestTarget {
  readonly segments: readonly string[];
  readonly query: URLSearchParams;
}

/** @throws ServiceError 400 when the percent-encoding is broken. */
export function readTarget(url: string): RequestTarget {
  // Absolute-form targets (as sent to a proxy) name the same path.
  const local = url.startsWith("/") ? url : url.replace(/^https?:\/\/[^/?#]*/i, "");
  const end = local.search(/[?#]/);
  const path = end === -1 ? local : local.slice(0, end);
  const queryStart = local.indexOf("?");
  const segments = path.split("/").filter((segment) => segment !== "");
  return {
    segments: path.includes("%") ? segments.map(decode) : segments,
    query: new URLSearchParams(queryStart === -1 ? "" : local.slice(queryStart + 1).replace(/#.*$/s, "")),
  };
}

function decode(segment: string): string {
  try {
    return decodeURIComponent(segment);
  } catch {
    throw badParameter("The request URI contains an invalid name: the percent-encoding is broken");
  }
}
