/** What of a changelog belongs to one heading of second order, without it; undefined where there is no such heading. */
export function sectionOf(changelog: string, version: string): string | undefined {
  const headings = [...changelog.matchAll(/^## +\[?([^\]\s]+)\]?.*$/gm)];
  const at = headings.findIndex(([, name]) => name === version);
  const heading = headings[at];
  if (heading === undefined) return undefined;
  const start = heading.index + heading[0].length;
  return changelog.slice(start, headings[at + 1]?.index).trim();
}

/** The changelog with what is unreleased under its version and day, and room for what comes. */
export function releasedChangelog(changelog: string, version: string, day: string): string {
  return changelog.replace(/^## Unreleased *$/m, `## Unreleased\n\n## ${version} (${day})`);
}

/** What of version and changelog stands in the way of a release: with words for each, none where nothing does. */
export function obstacles(changelog: string, manifest: { version?: unknown }, version: string): string[] {
  const found: string[] = [];
  if (!VERSION.test(version)) found.push(`"${version}" is no version: write it as in 0.2.0 or 1.0.0-rc.1`);
  else if (typeof manifest.version === "string" && !isLater(version, manifest.version))
    found.push(`${version} is not later than ${manifest.version}, which package.json has`);
  const unreleased = sectionOf(changelog, "Unreleased");
  if (unreleased === undefined) found.push('CHANGELOG.md has no heading "## Unreleased"');
  else if (!/^- /m.test(unreleased)) found.push("CHANGELOG.md says nothing under Unreleased: what changed for users?");
  const headings = [...(unreleased ?? "").matchAll(/^### +(.+?) *$/gm)].map(([, name]) => name);
  const twice = headings.filter((name, index) => headings.indexOf(name) !== index);
  if (twice.length > 0) found.push(`CHANGELOG.md has ${twice.join(", ")} more than once under Unreleased`);
  if (sectionOf(changelog, version) !== undefined) found.push(`CHANGELOG.md has a section ${version} already`);
  return found;
}

/** What does not agree of a tag, the package and the changelog. */
export function disagreements(
  changelog: string,
  versions: { manifest: unknown; lock: unknown },
  tag: string,
): string[] {
  const version = tag.replace(/^v/, "");
  const found: string[] = [];
  if (`v${version}` !== tag || !VERSION.test(version)) found.push(`"${tag}" is no tag of a release, such as v0.2.0`);
  if (versions.manifest !== version) found.push(`package.json has version ${versions.manifest}`);
  if (versions.lock !== version) found.push(`package-lock.json has version ${versions.lock}`);
  if (!/^- /m.test(sectionOf(changelog, version) ?? "")) found.push(`CHANGELOG.md says nothing of ${version}`);
  if (/^- /m.test(sectionOf(changelog, "Unreleased") ?? "")) found.push("CHANGELOG.md has entries under Unreleased");
  return found;
}

const VERSION = /^(\d+)\.(\d+)\.(\d+)(?:-([0-9A-Za-z.-]+))?$/;

function isLater(version: string, than: string): boolean {
  const [, ...left] = VERSION.exec(version) ?? [];
  const [, ...right] = VERSION.exec(than) ?? [];
  for (const index of [0, 1, 2]) {
    const difference = Number(left[index]) - Number(right[index]);
    if (difference !== 0) return difference > 0;
  }
  // A version comes after its own previews, which are compared as text.
  if (left[3] === undefined || right[3] === undefined) return left[3] === undefined && right[3] !== undefined;
  return left[3] > right[3];
}
