import * as pulumi from "@pulumi/pulumi";

/**
 * Puts in the place of a recorded output what is made of it, when it is first read. An Output is some forty promises,
 * and most programs read few of them.
 *
 * @param make must stand a recorded value of undefined, which is what a unit test's mocks leave out.
 */
export function deriveOutput<R extends object, K extends keyof R>(
  resource: R,
  property: K,
  make: (recorded: R[K]) => R[K],
): void {
  const recorded = resource[property];
  let made: R[K] | undefined;
  Object.defineProperty(resource, property, {
    configurable: true,
    enumerable: true,
    get: () => {
      made ??= make(recorded);
      return made;
    },
  });
}

/** The URL of the current version. A unit test's mocks make none. */
export function versionedId({ id, version }: { id: pulumi.Output<string>; version: pulumi.Output<string> }) {
  return pulumi.all([id, version]).apply(([url, current]) => (current ? `${url}/${current}` : url));
}
