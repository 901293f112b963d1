import { describe, expect, it } from "vitest";
import { disagreements, obstacles, releasedChangelog, sectionOf } from "../../tools/release/changelog.mjs";
import { repositoryFields, repositoryObstacles } from "../../tools/release/repository.mjs";

const CHANGELOG = `# Changelog

## Unreleased

### Fixed

- What was broken.

## 0.1.0 (2026-11-01)

- The first.
`;
const manifest = { version: "0.1.0" };

describe("a release", () => {
  it("takes what is unreleased under its version and day", () => {
    const released = releasedChangelog(CHANGELOG, "0.2.0", "2026-12-01");
    expect(released).toContain("## Unreleased\n\n## 0.2.0 (2026-12-01)\n\n### Fixed");
    expect(sectionOf(released, "Unreleased")).toBe("");
    expect(sectionOf(released, "0.2.0")).toBe("### Fixed\n\n- What was broken.");
    expect(sectionOf(released, "0.1.0")).toBe("- The first.");
    expect(disagreements(released, { manifest: "0.2.0", lock: "0.2.0" }, "v0.2.0")).toEqual([]);
  });

  it.each([
    ["0.2.0", CHANGELOG, manifest, []],
    ["1.0.0-rc.1", CHANGELOG, manifest, []],
    ["0.1.0", CHANGELOG, manifest, ["0.1.0 is not later than 0.1.0", "CHANGELOG.md has a section 0.1.0"]],
    ["0.1.0-rc.1", CHANGELOG, manifest, ["0.1.0-rc.1 is not later than 0.1.0"]],
    ["v0.2.0", CHANGELOG, manifest, ['"v0.2.0" is no version']],
    ["0.2.0", CHANGELOG.replace("- What", "What"), manifest, ["CHANGELOG.md says nothing under Unreleased"]],
    [
      "0.2.0",
      CHANGELOG.replace("## 0.1.0", "### Fixed\n\n- More.\n\n## 0.1.0"),
      manifest,
      ["CHANGELOG.md has Fixed more than once"],
    ],
    ["0.2.0", "# Changelog\n", manifest, ['CHANGELOG.md has no heading "## Unreleased"']],
  ])("%s is refused for what stands in its way", (version, changelog, of, expected) => {
    const found = obstacles(changelog, of, version);
    expect(found.map((line, index) => line.slice(0, expected[index]?.length))).toEqual(expected);
  });

  it.each([
    "https://github.com/contoso/pulumi-keyvault.git",
    "https://github.com/contoso/pulumi-keyvault",
    "git@github.com:contoso/pulumi-keyvault.git",
    "ssh://git@github.com:22/contoso/pulumi-keyvault.git",
    "https://somebody:a-planted-token@github.com/contoso/pulumi-keyvault.git",
  ])("is told the fields of its repository, which origin names as %s", (remote) => {
    const fields = {
      repository: { type: "git", url: "git+https://github.com/contoso/pulumi-keyvault.git" },
      bugs: { url: "https://github.com/contoso/pulumi-keyvault/issues" },
      homepage: "https://github.com/contoso/pulumi-keyvault#readme",
    };
    expect(repositoryFields(remote)).toEqual(fields);
    const [told = "", ...others] = repositoryObstacles({}, remote);
    expect(others).toEqual([]);
    expect(told).toContain("package.json has no repository, no bugs: npm ties the provenance");
    expect(told).toContain('npm pkg set "repository.type=git" "repository.url=git+https://github.com/contoso/');
    expect(told).toContain('"bugs.url=https://github.com/contoso/pulumi-keyvault/issues"');
    expect(told).not.toContain("a-planted-token");
    expect(repositoryObstacles(fields, remote)).toEqual([]);
  });

  it.each([undefined, "/srv/git/keyvault", "../keyvault"])(
    "of a checkout that comes from %s is refused until somebody says where it is",
    (remote) => {
      expect(repositoryObstacles({ repository: "github:contoso/pulumi-keyvault" }, remote)).toEqual([
        expect.stringMatching(/^package\.json has no bugs: .*put in the real OWNER and NAME.*\n {2}npm pkg set/s),
      ]);
      expect(repositoryObstacles({ repository: "github:contoso/pulumi-keyvault", bugs: "x" }, remote)).toEqual([]);
    },
  );

  it("is refused where package.json names another repository than it comes from", () => {
    const named = { repository: "github:contoso/pulumi-keyvault", bugs: "x" };
    expect(repositoryObstacles(named, "git@github.com:fabrikam/pulumi-keyvault.git")).toEqual([
      "package.json names the repository github.com/contoso/pulumi-keyvault, and origin is github.com/fabrikam/pulumi-keyvault: which is it?",
    ]);
  });

  it("is not published where tag, package, lock file and changelog do not agree", () => {
    expect(disagreements(CHANGELOG, { manifest: "0.2.0", lock: "0.1.0" }, "v0.3.0")).toEqual([
      "package.json has version 0.2.0",
      "package-lock.json has version 0.1.0",
      "CHANGELOG.md says nothing of 0.3.0",
      "CHANGELOG.md has entries under Unreleased",
    ]);
    expect(disagreements(CHANGELOG, { manifest: "0.1.0", lock: "0.1.0" }, "0.1.0")).toContain(
      '"0.1.0" is no tag of a release, such as v0.2.0',
    );
  });
});
