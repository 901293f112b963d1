const claims = new Map<string, string>();

/**
 * Records which resource of the running program manages an object, and tells whether another one already does.
 * Two resources on one name would overwrite each other for ever, each seeing the other's work as drift.
 *
 * @param claimant a token of the resource instance; one resource may be checked several times in a run.
 */
export function isClaimedByAnother(
  kind: "key" | "secret" | "file",
  place: string,
  name: string,
  claimant: string,
): boolean {
  const object = `${kind} ${place} ${name.toLowerCase()}`;
  const holder = claims.get(object);
  if (holder !== undefined && holder !== claimant) return true;
  claims.set(object, claimant);
  return false;
}
