import { formatMoment } from "../../provider/engine/input-check.js";
import type { LeftOut } from "../vault/read-vault.js";
import type { NamedResource } from "./import-file.js";

const LINE = 110;

/** The TypeScript program of an adopted vault. */
export function programText(
  vaultUrl: string,
  resources: readonly NamedResource[],
  leftOut: readonly LeftOut[],
): string {
  const lines = [
    "// Written by `pulumi-keyvault adopt` from the vault as it was. It is yours to edit.",
    "//",
    '// onDelete is "retain" until you decide otherwise: removing a resource here leaves the object in the vault.',
    'import * as keyvault from "pulumi-keyvault";',
    "",
    `const vaultUrl = ${JSON.stringify(vaultUrl)};`,
  ];
  for (const { resource, resourceName, identifier } of resources) {
    lines.push(
      "",
      `/** ${resource.comment} */`,
      `const ${identifier} = new keyvault.${resource.className}(${JSON.stringify(resourceName)}, {`,
      "  vaultUrl,",
      ...Object.entries(resource.args).map(([name, value]) => `  ${name}: ${literal(value, "  ", name.length + 4)},`),
      "});",
    );
  }
  lines.push(...comments(leftOut));
  return `${lines.join("\n")}\n`;
}

function comments(leftOut: readonly LeftOut[]): string[] {
  const certificates = leftOut.filter(({ reason }) => reason === "certificate");
  const deleted = leftOut.filter(({ reason }) => reason === "deleted");
  const lines: string[] = [];
  if (certificates.length > 0) {
    lines.push("", "// Not adopted, as they belong to certificates:", ...certificates.map(line));
  }
  if (deleted.length > 0) {
    lines.push("", "// Not adopted, as they are deleted; they can be recovered:", ...deleted.map(line));
  }
  return lines;
}

function line({ collection, name, recoverableUntil }: LeftOut): string {
  return `//   ${collection}/${name}${recoverableUntil ? ` until ${formatMoment(recoverableUntil)}` : ""}`;
}

/** A value as TypeScript: on one line where it fits, else one member a line. */
function literal(value: unknown, indent: string, used: number): string {
  const short = inline(value);
  if (indent.length + used + short.length <= LINE || value === null || typeof value !== "object") return short;
  const inner = `${indent}  `;
  const members = Array.isArray(value)
    ? value.map((item) => `${inner}${literal(item, inner, 1)},`)
    : Object.entries(value).map(([name, item]) => `${inner}${member(name)}: ${literal(item, inner, name.length + 3)},`);
  const [open, close] = Array.isArray(value) ? ["[", "]"] : ["{", "}"];
  return `${open}\n${members.join("\n")}\n${indent}${close}`;
}

function inline(value: unknown): string {
  if (Array.isArray(value)) return `[${value.map(inline).join(", ")}]`;
  if (value !== null && typeof value === "object") {
    const members = Object.entries(value).map(([name, item]) => `${member(name)}: ${inline(item)}`);
    return members.length === 0 ? "{}" : `{ ${members.join(", ")} }`;
  }
  return JSON.stringify(value) ?? "undefined";
}

/** `__proto__` as a plain member would set the prototype. */
function member(name: string): string {
  if (name === "__proto__") return '["__proto__"]';
  return /^[A-Za-z_$][\w$]*$/.test(name) ? name : JSON.stringify(name);
}
