export interface PlottedLine {
  name: string;
  points: readonly { x: number; y: number }[];
}

const WIDTH = 640;
const HEIGHT = 360;
const LEFT = 60;
const RIGHT = 110;
const TOP = 20;
const BOTTOM = 45;
const COLOURS = ["#6b7280", "#b45309", "#1d4ed8", "#047857"];

/** Lines over both axes in logarithms: a straight one at 45° grows in a line, a steeper one faster. */
export function timePlot(lines: readonly PlottedLine[], axes: { x: string; y: string }): string {
  const all = lines.flatMap(({ points }) => points);
  const xs = scale(
    all.map(({ x }) => x),
    LEFT,
    WIDTH - RIGHT,
  );
  const ys = scale(
    all.map(({ y }) => y),
    HEIGHT - BOTTOM,
    TOP,
  );
  const ticks = [...new Set(all.map(({ x }) => x))].sort((a, b) => a - b);
  const powers = [0.1, 1, 10, 100, 1000].filter((y) => y >= ys.least && y <= ys.most);
  const labels: { x: number; y: number }[] = [];
  const drawn = lines.map(({ name, points }, index) => {
    const colour = COLOURS[index % COLOURS.length];
    const path = points.map(({ x, y }) => `${xs.at(x).toFixed(1)},${ys.at(y).toFixed(1)}`).join(" ");
    const last = points.at(-1);
    const at = last && freePlace({ x: xs.at(last.x) + 8, y: ys.at(last.y) + 4 }, labels);
    if (at) labels.push(at);
    const label = at ? `<text x="${at.x}" y="${at.y}" fill="${colour}">${name}</text>` : "";
    return `<polyline points="${path}" fill="none" stroke="${colour}" stroke-width="2"/>${label}`;
  });
  return `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${WIDTH} ${HEIGHT}" font-family="sans-serif" font-size="12">
<title>${axes.y} over ${axes.x}</title>
<rect width="${WIDTH}" height="${HEIGHT}" fill="#ffffff"/>
${ticks.map((x) => `<text x="${xs.at(x)}" y="${HEIGHT - BOTTOM + 18}" text-anchor="middle">${x}</text>`).join("\n")}
${powers.map((y) => `<line x1="${LEFT}" x2="${WIDTH - RIGHT}" y1="${ys.at(y)}" y2="${ys.at(y)}" stroke="#e5e7eb"/><text x="${LEFT - 6}" y="${ys.at(y) + 4}" text-anchor="end">${y}</text>`).join("\n")}
${drawn.join("\n")}
<text x="${(LEFT + WIDTH - RIGHT) / 2}" y="${HEIGHT - 8}" text-anchor="middle">${axes.x}</text>
<text x="14" y="${HEIGHT / 2}" text-anchor="middle" transform="rotate(-90 14 ${HEIGHT / 2})">${axes.y}</text>
</svg>
`;
}

/** A label goes above those that it would cover. */
function freePlace({ x, y }: { x: number; y: number }, taken: readonly { x: number; y: number }[]) {
  let free = y;
  while (taken.some((other) => Math.abs(other.x - x) < 60 && Math.abs(other.y - free) < 13)) free -= 1;
  return { x, y: free };
}

interface Scale {
  least: number;
  most: number;
  at(value: number): number;
}

function scale(values: readonly number[], from: number, to: number): Scale {
  const least = Math.min(...values) / 1.3;
  const most = Math.max(...values) * 1.3;
  return {
    least,
    most,
    at: (value) => from + ((to - from) * Math.log(value / least)) / Math.log(most / least),
  };
}
