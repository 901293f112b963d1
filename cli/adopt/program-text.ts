import { formatMoment } from "../../provider/engine/moment.js";
import { commentText, commentWord, literal, memberName } from "../text/typescript-text.js";
import type { FoundVault, LeftOut } from "../vault/read-vault.js";
import type { UnreadObject } from "../vault/unread-object.js";
import type { NamedResource } from "./import-file.js";

/** The TypeScript program of an adopted vault. */
export function programText(
  vaultUrl: string,
  resources: readonly NamedResource[],
  { leftOut, unread }: Pick<FoundVault, "leftOut" | "unread">,
): string {
  const lines = [
    "// Written by `pulumi-keyvault adopt` from the vault as it was. It is yours to edit.",
    "//",
    '// onDelete is "retain" until you decide otherwise: removing a resource here leaves the object in the vault.',
    'import * as keyvault from "pulumi-keyvault";',
    "",
    `const vaultUrl = ${literal(vaultUrl)};`,
  ];
  for (const { resource, resourceName, identifier } of resources) {
    lines.push(
      "",
      `/** ${commentText(resource.comment)} */`,
      `const ${identifier} = new keyvault.${resource.className}(${literal(resourceName)}, {`,
      "  vaultUrl,",
      ...Object.entries(resource.args).map(
        ([name, value]) => `  ${memberName(name)}: ${literal(value, "  ", name.length + 4)},`,
      ),
      "});",
    );
  }
  lines.push(...comments(leftOut, unread));
  return `${lines.join("\n")}\n`;
}

function comments(leftOut: readonly LeftOut[], unread: readonly UnreadObject[]): string[] {
  const certificates = leftOut.filter(({ reason }) => reason === "certificate");
  const deleted = leftOut.filter(({ reason }) => reason === "deleted");
  const lines: string[] = [];
  if (certificates.length > 0) {
    lines.push("", "// Not adopted, as they belong to certificates:", ...certificates.map(line));
  }
  if (deleted.length > 0) {
    lines.push("", "// Not adopted, as they are deleted; they can be recovered:", ...deleted.map(line));
  }
  const lost = unread.filter(({ part }) => part === undefined);
  if (lost.length > 0) {
    lines.push("", "// Not adopted, as they could not be read:", ...lost.map(lostLine));
  }
  const partly = unread.filter(({ part }) => part !== undefined);
  if (partly.length > 0) {
    lines.push("", "// Adopted without what could not be read:", ...partly.map(lostLine));
  }
  return lines;
}

/** Codes are ours; what the vault said stands on the terminal only. */
function lostLine({ collection, name, part, code }: UnreadObject): string {
  return `//   ${collection}/${commentWord(name)}: ${part === undefined ? "" : `its ${part}, `}${code}`;
}

function line({ collection, name, recoverableUntil }: LeftOut): string {
  return `//   ${collection}/${commentWord(name)}${recoverableUntil ? ` until ${formatMoment(recoverableUntil)}` : ""}`;
}
