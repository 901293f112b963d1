import { spawnSync } from "node:child_process";
import { globSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { beforeAll, expect, it } from "vitest";
import { provisionEngine } from "../../tools/engine/provision.mjs";
import { pages, root } from "../docs/page.js";

/** Subcommands of subcommands: `pulumi config set`, and not `pulumi up dev`. */
const GROUPS: ReadonlySet<string> = new Set(["config", "stack", "state", "package", "plugin"]);

let env: Record<string, string>;
beforeAll(async () => {
  ({ env } = await provisionEngine());
}, 600_000);

it("every pulumi command of a message or a page is one that the engine has, with the options that it is given", () => {
  const wrong: string[] = [];
  for (const [command, options] of named()) {
    const { status, stdout } = spawnSync("pulumi", [...command.split(" "), "--help"], { env, encoding: "utf8" });
    // The help of a command that is not there is that of the one above it.
    const aliases = /^Aliases:\n +(.+)$/m.exec(stdout)?.[1]?.split(", ") ?? [];
    const isUsed = new RegExp(`^ +pulumi ${command}( |$)`, "m").test(stdout);
    const usage = status === 0 && (isUsed || aliases.includes(command.split(" ").at(-1) ?? ""));
    if (!usage) wrong.push(`pulumi ${command}`);
    for (const option of options) {
      if (usage && !new RegExp(`(^|[ ,])${option}([ =,]|$)`, "m").test(stdout))
        wrong.push(`pulumi ${command} ${option}`);
    }
  }
  expect(wrong).toEqual([]);
}, 120_000);

/** Each command with all the options that it is given anywhere. */
function named(): Map<string, Set<string>> {
  const sources = globSync("{provider,sdk,cli}/**/*.ts", { cwd: root }).map((file) =>
    readFileSync(join(root, file), "utf8"),
  );
  const texts = [...sources, ...pages().map(({ text }) => text.replaceAll("\\\n", " "))];
  const commands = new Map<string, Set<string>>();
  for (const text of texts) {
    for (const [, line = ""] of text.matchAll(/(?:^ *|`|\$ |run: )pulumi ([a-z][^`\n|#;>&]*)/gm)) {
      const words = line.replace(/\\+$/, "").trim().split(/\s+/);
      const [first = "", second = ""] = words;
      // A sentence that begins with the word is no command.
      if (!/^[a-z]+$/.test(first) || ["and", "is", "on", "ended", "cannot", "was"].includes(first)) continue;
      const command = GROUPS.has(first) && /^[a-z][a-z-]+$/.test(second) ? `${first} ${second}` : first;
      const options = commands.get(command) ?? new Set<string>();
      for (const word of words) if (/^--?[a-z][\w-]*(=|$)/.test(word)) options.add(word.split("=")[0] ?? word);
      commands.set(command, options);
    }
  }
  return commands;
}
