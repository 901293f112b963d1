import { createHash } from "node:crypto";
import type { Context } from "../operation.js";
import { invalidProperties } from "../service-error.js";
import type { StoredCollection, StoredObject } from "../store/stored-object.js";

const largestPage = 25;

/** Where a page begins. `afterGap`: the empty page that may come before this one has been served. */
export interface PageStart {
  readonly marker: string;
  readonly afterGap: boolean;
  readonly size: number;
}

/** @throws ServiceError 400 when `maxresults` is not 1 to 25 or the token is not one of ours. */
export function readPageStart(context: Context): PageStart {
  const wanted = context.query.get("maxresults");
  const size = wanted === null ? largestPage : Number(wanted);
  if (wanted !== null && (!/^\d{1,3}$/.test(wanted) || size < 1 || size > largestPage)) throw invalidProperties();
  const token = context.query.get("$skiptoken");
  if (token === null) return { marker: "", afterGap: false, size };
  return { ...readToken(token), size };
}

/** A list by its parts. */
export interface Listing<T> {
  /** Up to `limit` entries from the id (upper-cased name, or version) on. */
  readonly fetch: (from: string, limit: number) => readonly T[];
  readonly markerOf: (entry: T) => string;
  readonly render: (entry: T) => object;
  /** Whether empty pages may come in the middle, as they do in lists of a vault. */
  readonly gaps: boolean;
}

const noun = { keys: "key", secrets: "secret" } as const;

export const objectMarker = (object: StoredObject) => `${noun[object.collection]}/${object.name.toUpperCase()}`;

export const versionMarker = (collection: StoredCollection, name: string, version: string) =>
  `${noun[collection]}/${name.toUpperCase()}/${version.toUpperCase()}`;

/**
 * One page of a list. The service answers empty pages in the middle of a list, so this does too: before a page that
 * is not the last, on a rule that depends on the names only.
 */
export function renderPage<T>(context: Context, listing: Listing<T>): object {
  const start = readPageStart(context);
  const from = start.marker.slice(start.marker.lastIndexOf("/") + 1);
  const entries = listing.fetch(from, start.size + 1);
  const first = entries[0];
  const next = entries[start.size];
  if (listing.gaps && first !== undefined && next !== undefined && !start.afterGap) {
    const marker = listing.markerOf(first);
    if (hasGap(marker)) return page(context, [], linkTo(context, marker, true));
  }
  return page(
    context,
    entries.slice(0, start.size).map(listing.render),
    next === undefined ? null : linkTo(context, listing.markerOf(next), false),
  );
}

/** A Managed HSM leaves `nextLink` out at the end. */
function page(context: Context, value: object[], nextLink: string | null): object {
  if (nextLink === null && context.vault.plane === "managedhsm") return { value };
  return { value, nextLink };
}

function hasGap(marker: string): boolean {
  return (createHash("sha1").update(marker).digest()[0] ?? 0) % 2 === 0;
}

/** The service's own form: raw `$`, explicit port, the query of the request carried on. */
function linkTo(context: Context, marker: string, afterGap: boolean): string {
  const size = context.query.get("maxresults");
  const tail = size === null ? "" : `&maxresults=${size}`;
  return `${context.pageOrigin}${context.path}?api-version=${context.apiVersionText}&$skiptoken=${writeToken(marker, afterGap)}${tail}`;
}

const endOfTime = "000028!9999-12-31T23:59:59.9999999Z!";

function writeToken(marker: string, afterGap: boolean): string {
  const inner = `${String(marker.length).padStart(6, "0")}!${marker}!${endOfTime}`;
  const encoded = Buffer.from(inner).toString("base64").replaceAll("=", "-");
  const token = { NextMarker: `2!${encoded.length}!${encoded}`, TargetLocation: afterGap ? 1 : 0 };
  return Buffer.from(JSON.stringify(token)).toString("base64url");
}

function readToken(token: string): { marker: string; afterGap: boolean } {
  const found = /^\{"NextMarker":"2!\d{1,6}!([A-Za-z0-9+/]*-{0,2})","TargetLocation":([01])\}$/.exec(
    Buffer.from(token, "base64url").toString("utf8"),
  );
  const inner = Buffer.from(found?.[1]?.replaceAll("-", "=") ?? "", "base64").toString("utf8");
  const marker = /^\d{6}!([^!]*)!/.exec(inner)?.[1];
  if (found === null || marker === undefined) throw invalidProperties();
  return { marker, afterGap: found[2] === "1" };
}
