import { htmlText } from "../text/html-text.js";
import type { ReportDocument } from "./report-document.js";

const MONTHS = 24;
const COLUMN = 36;
const DAY = 86_400_000;
const HEIGHT = 120;
const BASE = 150;

/** How much expires in which month: overdue, the next 24 months, and later. Drawn by month, told as text for those who do not see it. */
export function expiryChart({ objects, takenOn, soonInDays }: ReportDocument): string {
  const now = new Date(takenOn);
  const labels = ["past", ...Array.from({ length: MONTHS }, (_, index) => monthAfter(now, index)), "later"];
  const columns = objects.flatMap(({ expiresOn }) =>
    expiresOn === undefined ? [] : [columnOf(now, new Date(expiresOn))],
  );
  const counts = labels.map((_label, column) => columns.filter((each) => each === column).length);
  const total = counts.reduce((sum, count) => sum + count, 0);
  if (total === 0) return "<p>Nothing has an expiry.</p>";
  const most = Math.max(...counts);
  const soonColumn = columnOf(now, new Date(now.getTime() + soonInDays * DAY));
  const bars = counts.map((count, column) => {
    const height = count === 0 ? 0 : Math.max(3, Math.round((count / most) * HEIGHT));
    const x = column * COLUMN + COLUMN / 2;
    const style = column === 0 ? "over" : column <= soonColumn ? "soon" : "later";
    const label = labels[column] ?? "";
    const [month = "", year = ""] = label.split(" ");
    const isYearShown = column === 1 || month === "Jan";
    return [
      count === 0
        ? ""
        : `<rect class="${style}" x="${x - 11}" y="${BASE - height}" width="22" height="${height}" rx="2"><title>${htmlText(label)}: ${count}</title></rect><text class="count" x="${x}" y="${BASE - height - 5}">${count}</text>`,
      `<text x="${x}" y="${BASE + 15}">${htmlText(month)}</text>`,
      isYearShown && year !== "" ? `<text x="${x}" y="${BASE + 29}">${htmlText(year)}</text>` : "",
    ].join("");
  });
  const width = labels.length * COLUMN;
  const told = labels.flatMap((label, column) => (counts[column] ? [`${label}: ${counts[column]}`] : [])).join(", ");
  return `<svg viewBox="0 0 ${width} ${BASE + 36}" width="${width}" height="${BASE + 36}" role="img" aria-label="${htmlText(`What expires when. ${told}.`)}"><line x1="0" y1="${BASE}" x2="${width}" y2="${BASE}"/>${bars.join("")}</svg>`;
}

function columnOf(now: Date, expiresOn: Date): number {
  if (expiresOn.getTime() <= now.getTime()) return 0;
  const months = (expiresOn.getUTCFullYear() - now.getUTCFullYear()) * 12 + expiresOn.getUTCMonth() - now.getUTCMonth();
  return Math.min(months, MONTHS) + 1;
}

function monthAfter(now: Date, months: number): string {
  const date = new Date(Date.UTC(now.getUTCFullYear(), now.getUTCMonth() + months, 1));
  return date.toLocaleDateString("en-US", { month: "short", year: "numeric", timeZone: "UTC" });
}
