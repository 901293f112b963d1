/** What a manifest says of where its source is. npm ties the provenance of a package to the first. */
export interface RepositoryFields {
  repository: { type: "git"; url: string };
  bugs: { url: string };
  homepage: string;
}

/** The fields of the repository at the address of a git remote; undefined where that is no host on the web. */
export function repositoryFields(remote: string): RepositoryFields | undefined {
  const place = placeOf(remote);
  if (place === undefined) return undefined;
  return {
    repository: { type: "git", url: `git+https://${place}.git` },
    bugs: { url: `https://${place}/issues` },
    homepage: `https://${place}#readme`,
  };
}

/** What keeps a manifest from being published, as far as its repository goes: with what to do. */
export function repositoryObstacles(
  manifest: { repository?: unknown; bugs?: unknown },
  remote: string | undefined,
): string[] {
  const known = remote === undefined ? undefined : repositoryFields(remote);
  const fields = known ?? repositoryFields("https://github.com/OWNER/NAME");
  const missing = (["repository", "bugs"] as const).filter((name) => !manifest[name]);
  if (missing.length > 0 && fields !== undefined) {
    const settings = Object.entries({
      "repository.type": fields.repository.type,
      "repository.url": fields.repository.url,
      "bugs.url": fields.bugs.url,
      homepage: fields.homepage,
    });
    const from = known ? "as origin has it" : "there is no origin to take it from: put in the real OWNER and NAME";
    return [
      `package.json has no ${missing.join(", no ")}: npm ties the provenance of a package to its repository. ` +
        `Set them and commit (${from}):\n  npm pkg set ${settings.map(([name, value]) => `"${name}=${value}"`).join(" ")}`,
    ];
  }
  const named = placeOf(urlOf(manifest.repository));
  const real = remote === undefined ? undefined : placeOf(remote);
  if (real !== undefined && named !== real)
    return [`package.json names the repository ${named ?? "of no known form"}, and origin is ${real}: which is it?`];
  return [];
}

function urlOf(repository: unknown): string {
  if (typeof repository === "string") return repository;
  if (typeof repository === "object" && repository !== null && "url" in repository) return String(repository.url);
  return "";
}

/** `github.com/owner/name`, of every form that git and npm take. What is before an `@` may be a token: it is left out. */
function placeOf(address: string): string | undefined {
  const scp = /^(?:[^@/\s]+@)?([\w.-]+\.[a-z]+):(?!\/)(.+)$/i.exec(address);
  const url = /^(?:git\+)?(?:https?|ssh|git):\/\/(?:[^@/]*@)?([\w.-]+\.[a-z]+)(?::\d+)?\/(.+)$/i.exec(address);
  const short = /^(github|gitlab|bitbucket):([\w.-]+\/[\w.-]+)$/.exec(address);
  if (short) return placeOf(`https://${short[1]}.${short[1] === "bitbucket" ? "org" : "com"}/${short[2]}`);
  const [, host, path] = url ?? scp ?? [];
  if (host === undefined || path === undefined) return undefined;
  const name = path.replace(/\/+$/, "").replace(/\.git$/, "");
  return /^[\w.-]+(?:\/[\w.-]+)+$/.test(name) ? `${host.toLowerCase()}/${name}` : undefined;
}
