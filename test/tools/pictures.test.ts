import { readdir, readFile } from "node:fs/promises";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { pictureText } from "../../tools/pictures/picture-text.mts";
import { PICTURED_RUNS } from "../../tools/pictures/pictured-runs.mts";
import { steady } from "../../tools/pictures/steady-text.mts";
import { terminalPicture } from "../../tools/pictures/terminal-picture.mts";

const root = join(__dirname, "../..");
const folder = join(root, "docs/pictures");
const picture = (name: string): Promise<string> => readFile(join(folder, `${name}.svg`), "utf8");
const asLines = (text: string): string[] =>
  text
    .trim()
    .split("\n")
    .map((line) => line.trimEnd());

describe("the pictures of the README", () => {
  // That of the demo is compared by the demo's own test, which runs it.
  it.each(PICTURED_RUNS.filter(({ name }) => name !== "demo"))(
    "show what the commands print: $name (else: npm run pictures)",
    { timeout: 240_000 },
    async ({ name, run }) => {
      expect(asLines(pictureText(await picture(name)))).toEqual(asLines(steady(await run(false))));
    },
  );

  it("are all there, are all shown, and hold nothing of a machine", async () => {
    const names = (await readdir(folder)).sort();
    expect(names).toEqual(PICTURED_RUNS.map(({ name }) => `${name}.svg`).sort());
    const readme = await readFile(join(root, "README.md"), "utf8");
    for (const name of names) {
      expect(readme).toMatch(new RegExp(`!\\[[^\\]]+\\]\\(docs/pictures/${name}\\)`));
      const svg = await picture(name.replace(".svg", ""));
      // biome-ignore lint/suspicious/noControlCharactersInRegex: none of them may be in XML
      expect(svg).not.toMatch(/[\u0000-\u0008\u000b-\u001f]|\d+;\?/);
      expect(svg).not.toMatch(/\/home\/|\/root\/|\/tmp\/|\/work\/|\/Users\/|<script|href=/);
    }
  });
});

describe("a picture of a terminal", () => {
  it("keeps colours, columns and characters that mean something in XML", () => {
    const svg = terminalPicture("a & b", '\u001b[31mred\u001b[39m  <"x">\n\u001b[1mbold\u001b[22m', "what <it> is");
    expect(pictureText(svg)).toBe('red  <"x">\nbold');
    expect(svg).toMatch(/fill:#ff7b72">red</);
    expect(svg).toMatch(/font-weight:bold">bold</);
    expect(svg).toContain('aria-label="what &lt;it&gt; is"');
  });

  it("has made-up ids in the place of real ones, the same for the same", () => {
    const id = "0123456789abcdef0123456789abcdef";
    const [first, second, third] = steady(`${id} ${"f".repeat(32)} ${id}`).split(" ");
    expect(first).toMatch(/^[0-9a-f]{32}$/);
    expect(first).not.toBe(id);
    expect(third).toBe(first);
    expect(second).not.toBe(first);
    expect(steady("https://localhost:43211 on 2026-03-04T05:06:07Z")).toBe(
      "https://localhost:8443 on 2027-01-01T12:00:00Z",
    );
  });
});
