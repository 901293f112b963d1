import { pages } from "../docs/page.js";

/** What the pages show of a program in another language than ours. */
export interface PageSnippet {
  /** `docs/languages.md:68`. */
  place: string;
  text: string;
}

export function pageSnippets(language: "go" | "python"): PageSnippet[] {
  return pages().flatMap(({ blocks }) =>
    blocks.filter((block) => block.language === language).map(({ place, text }) => ({ place, text })),
  );
}

/** What the lines of prose on a language name of its SDK, between backquotes: `KeyTypeEc` of `keyvault.KeyTypeEc`. */
export function namesInProse(language: "Go" | "Python"): string[] {
  const lines = pages().flatMap(({ text }) => text.split(/\n(?=- |\n)/));
  const [line = ""] = lines.filter((line) => line.startsWith(`- **${language}** `));
  return [...line.matchAll(/\bkeyvault\.(\w+)/g)].map(([, name = ""]) => name);
}
