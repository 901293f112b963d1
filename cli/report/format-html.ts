import { createHash } from "node:crypto";
import { counted } from "../text/counted.js";
import { htmlText } from "../text/html-text.js";
import { expiryChart } from "./expiry-chart.js";
import { PAGE_SCRIPT } from "./page-script.js";
import { PAGE_STYLE } from "./page-style.js";
import type { Concern, ReportDocument, ReportedObject } from "./report-document.js";

/** By which a later report knows that the file is its to write again. */
export const PAGE_MARK = "<!doctype html>\n<!-- pulumi-keyvault report -->";

const SEVERITY: Record<Concern, "bad" | "warn"> = {
  expired: "bad",
  "expires soon": "warn",
  "never expires": "warn",
  disabled: "warn",
  "not rotated": "warn",
  unmanaged: "warn",
  "no backup": "warn",
  "stale backup": "warn",
  drifted: "bad",
};

/** One page that asks nobody for anything: its own style and script, named by their digests, and no other. */
export function formatHtml(report: ReportDocument): string {
  const policy = `default-src 'none'; style-src '${digest(PAGE_STYLE)}'; script-src '${digest(PAGE_SCRIPT)}'; base-uri 'none'; form-action 'none'`;
  return `${PAGE_MARK}
<html lang="en">
<head>
<meta charset="utf-8">
<meta http-equiv="Content-Security-Policy" content="${policy}">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="referrer" content="no-referrer">
<title>Key Vault report, ${htmlText(day(report.takenOn))}</title>
<style>${PAGE_STYLE}</style>
</head>
<body>
${header(report)}
<main>
${tiles(report)}
${unread(report)}
<section aria-labelledby="when"><h2 id="when">What expires when</h2><div class="scroll">${expiryChart(report)}</div></section>
${objects(report)}
${drift(report)}
${deleted(report)}
</main>
<script>${PAGE_SCRIPT}</script>
</body>
</html>
`;
}

function digest(text: string): string {
  return `sha256-${createHash("sha256").update(text).digest("base64")}`;
}

function header({ vaults, stacks, takenOn }: ReportDocument): string {
  const of = vaults.map(htmlText).join(", ");
  const managed =
    stacks.length === 0 ? "" : `<p class="faint">Compared with the state of ${stacks.map(htmlText).join(", ")}.</p>`;
  return `<header><h1>Keys and secrets of ${counted(vaults.length, "vault")}</h1><p class="faint">${of}</p><p class="faint">Read on <time datetime="${htmlText(takenOn)}">${htmlText(minute(takenOn))}</time>. No key material and no value of a secret was read.</p>${managed}</header>`;
}

function tiles(report: ReportDocument): string {
  const count = (concern: Concern): number =>
    report.objects.filter(({ concerns }) => concerns.includes(concern)).length;
  const ofKind = (kind: ReportedObject["kind"]): number =>
    report.objects.filter((object) => object.kind === kind).length;
  const tile = (number: number, what: string, style = ""): string =>
    `<li><strong${style === "" ? "" : ` class="${style}"`}>${number}</strong>${htmlText(what)}</li>`;
  const concerns = (Object.keys(SEVERITY) as Concern[]).flatMap((concern) => {
    const number = count(concern);
    const what = concern === "expires soon" ? `expire within ${counted(report.soonInDays, "day")}` : concern;
    return number === 0 ? [] : [tile(number, what, SEVERITY[concern])];
  });
  const all = [
    tile(ofKind("key"), ofKind("key") === 1 ? "key" : "keys"),
    tile(ofKind("secret"), ofKind("secret") === 1 ? "secret" : "secrets"),
    ...concerns,
    ...(report.deleted.length > 0 ? [tile(report.deleted.length, "deleted, recoverable")] : []),
  ];
  return `<ul class="tiles">${all.join("")}</ul>`;
}

function unread({ unread: lost }: ReportDocument): string {
  if (lost.length === 0) return "";
  const lines = lost.map(
    ({ what, code, reason }) => `<li>${htmlText(what)}: ${htmlText(code)}: ${htmlText(reason)}</li>`,
  );
  return `<section aria-labelledby="unread"><h2 id="unread" class="bad">Incomplete: ${counted(lost.length, "thing")} could not be read</h2><ul>${lines.join("")}</ul></section>`;
}

const COLUMNS: readonly [heading: string, isNumber: boolean][] = [
  ["Name", false],
  ["To look at", false],
  ["Vault", false],
  ["Kind", false],
  ["Type", false],
  ["Age in days", true],
  ["Expires", false],
  ["Rotation", false],
  ["Managed by", false],
  ["Backup", false],
];

function objects(report: ReportDocument): string {
  const headings = COLUMNS.map(
    ([heading, isNumber]) => `<th scope="col"${isNumber ? ' class="number"' : ""}>${heading}</th>`,
  );
  const rows = report.objects.map(row).join("\n");
  const caption = "Current versions. A column's heading sorts by it.";
  return `<section aria-labelledby="all"><h2 id="all">Keys and secrets</h2>
${filters(report)}
<div class="scroll" tabindex="0"><table id="objects"><caption class="screen">${caption}</caption><thead><tr>${headings.join("")}</tr></thead><tbody>
${rows}
</tbody></table></div></section>`;
}

/** Hidden until the script is there that obeys them. */
function filters({ vaults, objects: all }: ReportDocument): string {
  const concerns = (Object.keys(SEVERITY) as Concern[]).filter((concern) =>
    all.some((object) => object.concerns.includes(concern)),
  );
  const select = (name: string, label: string, values: readonly string[]): string =>
    `<label>${label}<select name="${name}"><option value="">all</option>${values.map((value) => `<option>${htmlText(value)}</option>`).join("")}</select></label>`;
  return `<form hidden><label>Search<input name="text" type="search" autocomplete="off"></label>${select("kind", "Kind", ["key", "secret"])}${select("vault", "Vault", vaults)}${select("concern", "To look at", concerns)}<p id="shown" role="status" class="faint"></p></form>`;
}

function row(object: ReportedObject): string {
  const { kind, name, vaultUrl, type = "", ageInDays, expiresOn, concerns } = object;
  const cell = (content: string, sort?: string | number, style = ""): string =>
    `<td${style === "" ? "" : ` class="${style}"`}${sort === undefined ? "" : ` data-sort="${htmlText(String(sort))}"`}>${content}</td>`;
  const chips = concerns.map((concern) => `<li class="${SEVERITY[concern]}">${concern}</li>`).join("");
  return `<tr data-kind="${kind}" data-vault="${htmlText(vaultUrl)}" data-concerns="${concerns.join("|")}"><th scope="row" data-sort="${htmlText(name.toLowerCase())}">${htmlText(name)}</th>${[
    cell(chips === "" ? '<span class="good">nothing</span>' : `<ul class="chips">${chips}</ul>`, concerns.length),
    cell(htmlText(vaultLabel(vaultUrl))),
    cell(kind),
    cell(htmlText(type)),
    cell(ageInDays === undefined ? "" : String(ageInDays), ageInDays ?? "", "number"),
    cell(expiresOn === undefined ? "never" : expiry(object), expiresOn ?? ""),
    cell(rotation(object)),
    cell(htmlText(manager(object))),
    cell(backupText(object), object.backup?.takenOn ?? ""),
  ].join("")}</tr>`;
}

function expiry({ expiresOn = "", expiresInDays = 0 }: ReportedObject): string {
  const left = expiresInDays < 0 ? `${counted(-expiresInDays, "day")} ago` : `in ${counted(expiresInDays, "day")}`;
  return `<time datetime="${htmlText(expiresOn)}">${htmlText(day(expiresOn))}</time><br><span class="faint">${left}</span>`;
}

function rotation({ kind, rotates }: ReportedObject): string {
  if (kind === "secret") return "";
  return rotates === undefined ? '<span class="faint">not known</span>' : rotates ? "by policy" : "none";
}

function manager({ managedByCertificate, owner, inStack }: ReportedObject): string {
  if (managedByCertificate) return "a certificate";
  if (owner !== undefined) return owner;
  if (inStack === undefined) return "not known";
  return inStack ? "a stack of this report" : "nobody";
}

function backupText({ backup }: ReportedObject): string {
  if (backup === undefined) return "";
  const { resource, takenOn, current } = backup;
  const stale = current ? "" : '<br><span class="warn">changed since</span>';
  return `<time datetime="${htmlText(takenOn)}">${htmlText(day(takenOn))}</time><br><span class="faint">${htmlText(resource)}</span>${stale}`;
}

function drift({ objects: all }: ReportDocument): string {
  const drifted = all.filter((object) => object.drift !== undefined);
  if (drifted.length === 0) return "";
  const rows = drifted.flatMap(({ name, vaultUrl, drift: changes = [] }) =>
    changes.map(
      ({ property, consequence }) =>
        `<tr><th scope="row">${htmlText(name)}</th><td>${htmlText(vaultLabel(vaultUrl))}</td><td>${htmlText(property)}</td><td>${htmlText(consequence)}</td></tr>`,
    ),
  );
  return `<section aria-labelledby="drift"><h2 id="drift">Drift</h2><div class="scroll" tabindex="0"><table><thead><tr><th scope="col">Name</th><th scope="col">Vault</th><th scope="col">Property</th><th scope="col">What the next up --refresh does</th></tr></thead><tbody>${rows.join("")}</tbody></table></div></section>`;
}

function deleted({ deleted: gone }: ReportDocument): string {
  if (gone.length === 0) return "";
  const rows = gone.map(
    ({ name, vaultUrl, kind, deletedOn = "", recoverableUntil = "", daysLeft }) =>
      `<tr><th scope="row">${htmlText(name)}</th><td>${htmlText(vaultLabel(vaultUrl))}</td><td>${kind}</td><td>${htmlText(day(deletedOn))}</td><td>${htmlText(day(recoverableUntil))}</td><td class="number">${daysLeft ?? ""}</td></tr>`,
  );
  return `<section aria-labelledby="deleted"><h2 id="deleted">Deleted, and can be recovered</h2><div class="scroll" tabindex="0"><table><thead><tr><th scope="col">Name</th><th scope="col">Vault</th><th scope="col">Kind</th><th scope="col">Deleted on</th><th scope="col">Recoverable until</th><th scope="col" class="number">Days left</th></tr></thead><tbody>${rows.join("")}</tbody></table></div></section>`;
}

function vaultLabel(vaultUrl: string): string {
  return (URL.canParse(vaultUrl) && new URL(vaultUrl).host) || vaultUrl;
}

function day(moment: string): string {
  return moment.slice(0, 10);
}

function minute(moment: string): string {
  return `${moment.slice(0, 10)} ${moment.slice(11, 16)} UTC`;
}
