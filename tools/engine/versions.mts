/** The Pulumi CLI that is installed or built when the machine has none that will do. */
export const CLI_VERSION = "3.274.1";

/** The oldest that is taken from PATH. One test file runs on it, so that what is said of it is tried. */
export const OLDEST_CLI_VERSION = "3.259.0";

/**
 * The last version in which the Node language host is part of the Go module `sdk/v3`. It runs the current SDK: the
 * protocol between the two has not changed since.
 */
export const LANGUAGE_HOST_VERSION = "3.68.0";

/**
 * The language hosts of programs in other languages: the last versions in which they can be had as Go modules. They run
 * the current SDKs of their languages.
 */
export const LANGUAGE_HOST_VERSIONS = { yaml: "1.25.0", python: "3.68.0", go: "3.66.0" } as const;

/** The version in a line such as `v3.259.0`, `go1.26.8` or `3.260.0-alpha.1`; undefined when there is none. */
export function findVersion(text: string): string | undefined {
  return /\d+\.\d+(?:\.\d+)?/.exec(text)?.[0];
}

/** Whether `version` is `wanted` or newer. A missing third number counts as zero. */
export function isAtLeast(version: string, wanted: string): boolean {
  const have = version.split(".").map(Number);
  const want = wanted.split(".").map(Number);
  for (const [place, wantedNumber] of want.entries()) {
    const number = have[place] ?? 0;
    if (number !== wantedNumber) return number > wantedNumber;
  }
  return true;
}
