import { stripVTControlCharacters } from "node:util";

/** Colours that can be read on a dark ground, by the numbers of SGR. */
const COLOURS: Record<number, string> = {
  31: "#ff7b72",
  32: "#7ee787",
  33: "#e3b341",
  34: "#79c0ff",
  35: "#d2a8ff",
  36: "#76e3ea",
};
const GROUND = "#0d1117";
const TEXT = "#e6edf3";
const DIM = "#8b949e";

const CHARACTER = 8.4;
const LINE = 19;
const PADDING = 18;
const BAR = 34;

interface Style {
  colour?: string | undefined;
  bold?: boolean;
  dim?: boolean;
}

/** A picture of what a terminal shows: its colours, its columns, and the command as the title. */
export function terminalPicture(title: string, output: string, description: string): string {
  const lines = trimmed(output.split("\n"));
  const columns = Math.max(...lines.map((line) => stripVTControlCharacters(line).length), 40);
  const width = Math.ceil(columns * CHARACTER + 2 * PADDING);
  const height = BAR + lines.length * LINE + 2 * PADDING - 6;
  const rows: string[] = [];
  let style: Style = {};
  for (const [index, line] of lines.entries()) {
    const row = spans(line, style);
    style = row.style;
    rows.push(`<text class="line" y="${BAR + PADDING + 8 + index * LINE}">${row.text}</text>`);
  }
  const dots = ["#ff5f57", "#febc2e", "#28c840"].map(
    (fill, index) => `<circle cx="${20 + index * 18}" cy="${BAR / 2}" r="5.5" fill="${fill}"/>`,
  );
  return `<svg xmlns="http://www.w3.org/2000/svg" role="img" aria-label="${escaped(description)}" width="${width}" height="${height}" viewBox="0 0 ${width} ${height}">
<style>text{font:14px ui-monospace,SFMono-Regular,Menlo,Consolas,"DejaVu Sans Mono",monospace;fill:${TEXT};white-space:pre}</style>
<rect width="${width}" height="${height}" rx="9" fill="${GROUND}"/>
${dots.join("")}
<text x="${width / 2}" y="${BAR / 2 + 5}" text-anchor="middle" style="fill:${DIM}">${escaped(title)}</text>
${rows.join("\n")}
</svg>
`;
}

/** Each run of one style stands at its column, whatever the widths of the reader's font. */
function spans(line: string, before: Style): { text: string; style: Style } {
  let style = before;
  let column = 0;
  let text = "";
  // biome-ignore lint/suspicious/noControlCharactersInRegex: this is what a terminal's colours begin with
  for (const [, codes, part = ""] of line.matchAll(/\u001b\[([\d;]*)m|([^\u001b]+)/g)) {
    if (codes !== undefined) {
      style = codes.split(";").reduce((now, code) => applied(now, Number(code || 0)), style);
      continue;
    }
    // Spaces between words of one column stay; wide gaps are made by the next part's place.
    for (const [piece] of part.matchAll(/\S+(?: \S+)*/g)) {
      const at = column + part.indexOf(piece, 0);
      text += tspan(piece, at, style);
    }
    column += part.length;
  }
  return { text, style };
}

function tspan(text: string, at: number, { colour, bold, dim }: Style): string {
  const fill = colour ?? (dim ? DIM : undefined);
  const attributes = [fill && `fill:${fill}`, bold && "font-weight:bold"].filter(Boolean).join(";");
  const css = attributes === "" ? "" : ` style="${attributes}"`;
  const width = (text.length * CHARACTER).toFixed(1);
  const x = (PADDING + at * CHARACTER).toFixed(1);
  return `<tspan data-at="${at}" x="${x}" textLength="${width}"${css}>${escaped(text)}</tspan>`;
}

function applied(style: Style, code: number): Style {
  if (code === 0) return {};
  if (code === 1) return { ...style, bold: true };
  if (code === 2) return { ...style, dim: true };
  if (code === 22) return { ...style, bold: false, dim: false };
  if (code === 39) return { ...style, colour: undefined };
  return COLOURS[code] === undefined ? style : { ...style, colour: COLOURS[code] };
}

function trimmed(lines: string[]): string[] {
  const isEmpty = (line: string | undefined) => line !== undefined && stripVTControlCharacters(line).trim() === "";
  const from = lines.findIndex((line) => !isEmpty(line));
  const to = lines.findLastIndex((line) => !isEmpty(line));
  return lines.slice(Math.max(from, 0), to + 1);
}

function escaped(text: string): string {
  return text.replaceAll("&", "&amp;").replaceAll("<", "&lt;").replaceAll(">", "&gt;").replaceAll('"', "&quot;");
}
