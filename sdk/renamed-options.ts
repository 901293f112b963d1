import type * as pulumi from "@pulumi/pulumi";

/**
 * Programs name an input (`import`, `value`), state holds what became of it (`thumbprint`, `valueDigest`): options that
 * name properties have to name that, or the engine would look for something that is never recorded.
 */
export function renamedOptions(
  opts: pulumi.CustomResourceOptions | undefined,
  input: string,
  recorded: string,
): pulumi.CustomResourceOptions {
  const named = new RegExp(`^(${input}|\\["${input}"\\])($|[.[])`);
  const renamed = (paths: string[]): string[] => paths.map((path) => (named.test(path) ? recorded : path));
  return {
    ...opts,
    ...(opts?.ignoreChanges ? { ignoreChanges: renamed(opts.ignoreChanges) } : {}),
    ...(opts?.replaceOnChanges ? { replaceOnChanges: renamed(opts.replaceOnChanges) } : {}),
  };
}
