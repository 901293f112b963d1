import { readFileSync, writeFileSync } from "node:fs";
import type { Row } from "./record.mts";

/** What the figures of one run were measured on. */
export interface Machine {
  node: string;
  sdk: string;
  engine: string;
  cores: number;
  platform: string;
}

export interface Part {
  name: string;
  rows: readonly Row[];
}

const BEGIN = "<!-- The figures of `npm run bench -- --write` begin here. -->";
const END = "<!-- They end here. -->";

/** A table of a benchmark's lines, in Markdown. */
export function tableOf(rows: readonly Row[]): string {
  const lines = rows.map(
    ({ measure, figure, spread, goal = "" }) => `| ${measure} | ${figure} | ${spread} | ${goal} |`,
  );
  return ["| measure | figure | spread | goal |", "|---|---|---|---|", ...lines].join("\n");
}

/** Puts the figures of a run in the place of those of the one before. All else on the page stays. */
export function writeFigures(page: string, parts: readonly Part[], machine: Machine, command: string): void {
  const text = readFileSync(page, "utf8");
  const [begin, end] = [text.indexOf(BEGIN), text.indexOf(END)];
  if (begin < 0 || end < begin) throw new Error(`${page} has no place for figures, between ${BEGIN} and ${END}`);
  writeFileSync(page, `${text.slice(0, begin)}${BEGIN}\n\n${figures(parts, machine, command)}\n\n${text.slice(end)}`);
}

function figures(parts: readonly Part[], { node, sdk, engine, cores, platform }: Machine, command: string): string {
  const plot = parts.some(({ name }) => name === "growth")
    ? [
        "![Seconds of an up over the number of keys, for a provider that does nothing, Key, KeySet and the plain provider](performance.svg)",
      ]
    : [];
  return [
    `\`${command}\`, Node ${node}, @pulumi/pulumi ${sdk}, engine ${engine}, ${cores} cores, ${platform}; the same figures are in [performance.json](performance.json).`,
    ...plot,
    ...parts.map(({ name, rows }) => `**${name}**\n\n${tableOf(rows)}`),
  ].join("\n\n");
}
