/** Light and dark, on screen and on paper. */
export const PAGE_STYLE = `
:root {
  color-scheme: light dark;
  --ground: #fff; --panel: #f5f6f8; --text: #1b1f24; --faint: #57606a; --line: #d5dae0;
  --accent: #0b5cad; --bad: #b3261e; --warn: #8a5a00; --good: #1a7f37;
}
@media (prefers-color-scheme: dark) {
  :root {
    --ground: #14171b; --panel: #1d2127; --text: #e6e9ed; --faint: #a3adb8; --line: #363d46;
    --accent: #7ab7ff; --bad: #ff8a80; --warn: #f0c060; --good: #6fd58a;
  }
}
* { box-sizing: border-box; }
body {
  margin: 0 auto; max-width: 84rem; padding: 1.5rem; background: var(--ground); color: var(--text);
  font: 15px/1.5 system-ui, -apple-system, "Segoe UI", sans-serif;
}
h1 { font-size: 1.5rem; margin: 0; }
h2 { font-size: 1.15rem; margin: 2rem 0 .5rem; }
p { margin: .25rem 0; }
.faint { color: var(--faint); }
h1, h2, p, ul { overflow-wrap: anywhere; }
.tiles { display: flex; flex-wrap: wrap; gap: .75rem; margin: 1.25rem 0 0; padding: 0; list-style: none; }
.tiles li { background: var(--panel); border: 1px solid var(--line); border-radius: .5rem; padding: .5rem .9rem; min-width: 7rem; }
.tiles strong { display: block; font-size: 1.5rem; line-height: 1.2; }
.bad { color: var(--bad); } .warn { color: var(--warn); } .good { color: var(--good); }
.scroll { overflow-x: auto; }
table { border-collapse: collapse; width: 100%; font-size: .9rem; }
caption { text-align: left; color: var(--faint); padding: .25rem 0; }
th, td { text-align: left; vertical-align: top; padding: .35rem .75rem .35rem 0; border-bottom: 1px solid var(--line); }
thead th { white-space: nowrap; border-bottom-width: 2px; }
th button { all: unset; cursor: pointer; font-weight: 600; }
th button:focus-visible, input:focus-visible, select:focus-visible { outline: 2px solid var(--accent); outline-offset: 2px; }
th[aria-sort="ascending"] button::after { content: " \\2191"; }
th[aria-sort="descending"] button::after { content: " \\2193"; }
tbody th { font-weight: 600; overflow-wrap: anywhere; min-width: 10rem; }
td { overflow-wrap: anywhere; min-width: 4.5rem; }
time { white-space: nowrap; }
td.number, th.number { text-align: right; font-variant-numeric: tabular-nums; }
.chips { display: flex; flex-wrap: wrap; gap: .25rem; margin: 0; padding: 0; list-style: none; }
.chips li { border: 1px solid currentColor; border-radius: 1rem; padding: 0 .5rem; font-size: .8rem; white-space: nowrap; }
form { display: flex; flex-wrap: wrap; gap: .75rem; align-items: end; margin: .75rem 0; }
label { display: grid; gap: .15rem; font-size: .8rem; color: var(--faint); }
form > * { min-width: 0; max-width: 100%; }
input, select { width: 100%; font: inherit; color: var(--text); background: var(--ground); border: 1px solid var(--line); border-radius: .35rem; padding: .3rem .5rem; max-width: 20rem; }
svg { display: block; max-width: 100%; height: auto; }
svg text { fill: var(--faint); font: 11px system-ui, sans-serif; text-anchor: middle; }
svg .count { fill: var(--text); font-weight: 600; }
svg .later { fill: var(--accent); } svg .soon { fill: var(--warn); } svg .over { fill: var(--bad); }
svg line { stroke: var(--line); }
[hidden] { display: none !important; }
@media print {
  body { padding: 0; max-width: none; font-size: 10pt; }
  form, .screen { display: none; }
  thead { display: table-header-group; }
  tr { break-inside: avoid; }
  .scroll { overflow: visible; }
}
`;
