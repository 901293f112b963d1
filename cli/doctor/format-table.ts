import { styleText } from "node:util";
import { inert } from "../text/pipeline-text.js";
import { printable, wrap } from "../text/terminal-text.js";
import { type Check, type Diagnosis, isHealthy, type Permission } from "./diagnosis.js";

export interface TableOptions {
  /** Columns of the terminal. Default 80. */
  width?: number;
  colour?: boolean;
}

const COLOURS = {
  ok: "green",
  allowed: "green",
  warning: "yellow",
  unknown: "yellow",
  failed: "red",
  refused: "red",
  skipped: "dim",
  "not tried": "dim",
} as const;

/** What works, what does not, and what to do, in the width of the terminal. */
export function formatTable(diagnosis: Diagnosis, { width = 80, colour = false }: TableOptions = {}): string {
  const { vaultUrl, version, checks, permissions, grants, missing } = diagnosis;
  const paint = (style: "bold" | "dim" | "green" | "yellow" | "red", text: string): string =>
    colour ? styleText(style, text, { validateStream: false }) : text;
  const painted = (result: keyof typeof COLOURS, room: number): string => paint(COLOURS[result], result.padEnd(room));
  const lines = [paint("bold", `${printable(vaultUrl)}, by pulumi-keyvault ${version}`), ""];

  const label = Math.max(...checks.map(({ check }) => check.length)) + 2;
  const result = 9;
  for (const each of checks) {
    const [first = "", ...rest] = textOf(each, Math.max(20, width - label - result));
    lines.push(`${each.check.padEnd(label)}${painted(each.result, result)}${first}`);
    lines.push(...rest.map((line) => `${" ".repeat(label + result)}${line}`));
  }

  if (permissions.length > 0) {
    const name = Math.max(...permissions.map(({ permission }) => permission.length)) + 2;
    const role = Math.max(...permissions.map((each) => (each.role ?? "").length)) + 2;
    const heading = `${"PERMISSION".padEnd(name)}${"RESULT".padEnd(11)}${"ROLE THAT HAS IT".padEnd(role)}USED FOR`;
    lines.push("", paint("dim", heading));
    const seen = new Set<string>();
    for (const each of permissions.filter((row) => isNew(row, seen))) {
      const [first = "", ...rest] = wrap(each.usedFor, Math.max(16, width - name - 11 - role));
      lines.push(`${each.permission.padEnd(name)}${painted(each.result, 11)}${(each.role ?? "").padEnd(role)}${first}`);
      lines.push(...rest.map((line) => `${" ".repeat(name + 11 + role)}${line}`));
    }
    lines.push("", ...wrap(NOT_TRIED, width));
  }
  const reasons = [
    ...new Set(permissions.flatMap((each) => (each.result === "refused" ? [each.innerCode ?? each.code] : []))),
  ];
  if (reasons.length > 0) lines.push("", `Refused as ${reasons.join(", ")}.`);
  if (grants.length > 0) lines.push("To grant of it what the program needs:", ...grants.map(printable));
  lines.push("", ...wrap(verdict(diagnosis), width).map((line) => paint(isHealthy(diagnosis) ? "green" : "red", line)));
  if (missing.length > 0) lines.push(...wrap(`Required and not there: ${missing.join(", ")}.`, width));
  return inert(`${lines.join("\n")}\n`);
}

const NOT_TRIED =
  '"Not tried" are the permissions that only a write would tell of. Whoever has the role next to one has it.';

/** Two operations of one permission with one result and role say the same. */
function isNew({ permission, result, role }: Permission, seen: Set<string>): boolean {
  const row = `${permission} ${result} ${role}`;
  return !seen.has(row) && seen.add(row) !== undefined;
}

function textOf({ found, remedy, innerCode, code }: Check, width: number): string[] {
  const codes = [code, innerCode].filter((each) => each !== undefined && !found.includes(each));
  const what = codes.length === 0 ? found : `${found} (${codes.join(", ")})`;
  const lines = wrap(what, width);
  if (remedy === undefined || found.includes(remedy)) return lines;
  return [...lines, ...wrap(`To do: ${remedy}`, width)];
}

function verdict(diagnosis: Diagnosis): string {
  const failed = diagnosis.checks.filter(({ result }) => result === "failed").map(({ check }) => check);
  if (failed.length > 0) return `Does not work: ${failed.join(", ")}.`;
  const warned = diagnosis.checks.filter(({ result }) => result === "warning").map(({ check }) => check);
  if (!isHealthy(diagnosis)) return "A required permission is not there.";
  const isRefused = diagnosis.permissions.some(({ result }) => result === "refused");
  const what = isRefused ? "The way to the vault works; not all is allowed to this identity" : "All works";
  return warned.length === 0 ? `${what}.` : `${what}. Look at ${warned.join(", ")}.`;
}
