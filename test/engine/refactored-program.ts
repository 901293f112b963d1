import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import type { Emulator } from "../../emulator/index.js";
import type { Stack } from "./stack.js";
import { call } from "./vault-by-hand.js";

/** What each refactoring is done to: every kind of object at once, and what only stands in state. */
export const KINDS = ["imported", "generated", "adopted", "restored", "filed", "secret", "drawn"] as const;
export type Kind = (typeof KINDS)[number];

/**
 * The part of a program that every version of it has: `kinds(row, options)` declares one resource of each kind, and
 * backups and an inventory over them (in folders too, with `escrow`). Logical names are `<row>-<kind><logical>`, objects in the vault
 * `<row>-<kind><object>`; `args` and `opts` go to each resource, `only` leaves kinds out, `from` gives a kind the source
 * of another, and `spelled` spells a name in another way.
 */
const PRELUDE = `
  const vaultUrl = new pulumi.Config("keyvault").require("vaultUrl");
  const blobs = require("./blobs.json");
  const fs = require("node:fs");
  const letter = (object) => /-([xyz])$/.exec(object)?.[1] ?? "x";

  const source = {
    imported: (object) => ({ import: { file: "material-" + letter(object) + ".pem" } }),
    generated: (object) => ({ generate: { keyType: "EC", curve: letter(object) === "y" ? "P-384" : "P-256" } }),
    adopted: () => ({ adopt: true }),
    // With the name and version that a backup resource or restorable knows, and a mere blob.
    restored: (object) => ({ restore: blobs[object.toLowerCase()] }),
    filed: (object) => ({ restore: { blob: blobs[object.toLowerCase()].blob } }),
    secret: (object) => ({ value: "value of " + object.toLowerCase() }),
    drawn: () => ({ generate: { length: 20 } }),
    inline: () => ({ import: { pem: fs.readFileSync("material-x.pem", "utf8") } }),
    fromEnvironment: () => ({ import: { env: "MATERIAL_X" } }),
    adoptedSecret: () => ({ adopt: true }),
    restoredSecret: (object) => ({ restore: blobs[object.toLowerCase()] }),
    importedAndAdopted: (object) => ({ ...source.imported(object), adopt: true }),
  };

  function kinds(row, options = {}) {
    const { logical = "", object = "", args = {}, opts = () => ({}), only = KINDS, from = {}, spelled = (name) => name } = options;
    const made = {};
    for (const kind of only) {
      const name = row + "-" + kind + object;
      const type = ["secret", "drawn"].includes(kind) ? keyvault.Secret : keyvault.Key;
      const base = row.toLowerCase() + "-" + kind;
      made[kind] = new type(base + logical, { name: spelled(name), ...source[from[kind] ?? kind](name), ...args }, opts(base));
    }
    backUp(row.toLowerCase(), made, options);
    return made;
  }

  function backUp(row, { secret, drawn, ...keys }, { logical = "", object = "", args = {}, opts = () => ({}), escrow }) {
    const { vaultUrl: spelled } = args;
    const where = spelled === undefined ? {} : { vaultUrl: spelled };
    const all = Object.values(keys);
    const [key] = all;
    const secrets = [secret, drawn].filter((made) => made !== undefined);
    if (key) new keyvault.KeyBackup(row + "-backup" + logical, { key }, opts(row + "-backup"));
    if (secret) new keyvault.SecretBackup(row + "-sealed" + logical, { secret }, opts(row + "-sealed"));
    new keyvault.VaultBackup(row + "-all" + logical,
      { ...where, keys: all, secrets }, opts(row + "-all"));
    if (escrow) {
      const to = (name) => ({ to: { folder: "escrow/" + row + object + "-" + name } });
      new keyvault.KeyBackup(row + "-escrow" + logical, { key, ...to("one") }, opts(row + "-escrow"));
      new keyvault.VaultBackup(row + "-escrows" + logical, { ...where, keys: all, secrets, ...to("all") }, opts(row + "-escrows"));
    }
    if (key) new keyvault.KeyInventory(row + "-inventory" + logical,
      { ...where, expect: all, ignore: ["!" + row + "-*" + object] }, opts(row + "-inventory"));
  }

  class Group extends pulumi.ComponentResource {
    constructor(name, opts) { super("test:index:Group", name, {}, opts); }
  }
  class Team extends pulumi.ComponentResource {
    constructor(name, opts) { super("test:index:Team", name, {}, opts); }
  }`;

/** A program of these parts, each in a scope of its own, with resources of all kinds or of some. */
export function programOf(parts: readonly string[], kinds: readonly Kind[] = KINDS): string {
  const declared = `  const KINDS = ${JSON.stringify(kinds)};`;
  return `${PRELUDE}\n${declared}\n${parts.map((part) => `{ ${part} }`).join("\n")}`;
}

/** Makes what the programs adopt, and the backups that they restore. */
export async function prepareVault(
  vault: Emulator,
  elsewhere: Emulator,
  stack: Stack,
  objects: { kind: Kind; name: string }[],
): Promise<void> {
  const blobs: Record<string, unknown> = {};
  for (const { kind, name } of objects) {
    if (kind === "secret") {
      const set = (await call(elsewhere, "PUT", `/secrets/${name}`, { value: `value of ${name}` })) as { id: string };
      const { value } = (await call(elsewhere, "POST", `/secrets/${name}/backup`)) as { value: string };
      blobs[name] = { sourceName: name, version: set.id.split("/").at(-1), blob: value };
      continue;
    }
    if (kind === "adopted") {
      await call(vault, "POST", `/keys/${name}/create`, { kty: "EC", tags: { team: "theirs" } });
    }
    const made = (await call(elsewhere, "POST", `/keys/${name}/create`, { kty: "EC" })) as { key: { kid: string } };
    const { value } = (await call(elsewhere, "POST", `/keys/${name}/backup`)) as { value: string };
    blobs[name] = { sourceName: name, version: made.key.kid.split("/").at(-1), blob: value };
  }
  await writeFile(join(stack.folder, "blobs.json"), JSON.stringify(blobs));
}
