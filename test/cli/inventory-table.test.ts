import { stripVTControlCharacters } from "node:util";
import { describe, expect, it } from "vitest";
import { formatTable } from "../../cli/inventory/format-table.js";
import type { Inventory, ListedObject, VaultListing } from "../../cli/inventory/vault-listing.js";

const key = (name: string, more: Partial<ListedObject> = {}): ListedObject => ({
  kind: "key",
  name,
  state: "enabled",
  createdOn: new Date("2025-11-23T12:00:00Z"),
  managedByCertificate: false,
  tags: {},
  ...more,
});

const vault = (name: string, objects: ListedObject[]): VaultListing => ({
  vaultUrl: `https://${name}.vault.azure.net`,
  takenOn: new Date("2026-11-23T12:00:00Z"),
  objects,
  unread: [],
});

const listing = (...objects: ListedObject[]): Inventory => ({ listings: [vault("contoso", objects)], unread: [] });

describe("the table of an inventory", () => {
  const mixed = listing(
    key("orders-signing", { inStack: true, expiresOn: new Date("2027-06-30T00:00:00Z") }),
    key("former", { expiresOn: new Date("2026-01-01T00:00:00Z"), inStack: false, rotates: false }),
    key("off", { state: "disabled" }),
    key("web", { managedByCertificate: true }),
    key("gone", { state: "deleted", recoverableUntil: new Date("2027-02-01T00:00:00Z") }),
    key("database", { kind: "secret" }),
  );

  it("tells state, age and expiry, and what is worth a note", () => {
    expect(formatTable(mixed)).toBe(`NAME            KIND    STATE     AGE    EXPIRES     NOTE
orders-signing  key     enabled   365 d  2027-06-30
former          key     enabled   365 d  2026-01-01  expired, unmanaged, no
                                                     rotation
off             key     disabled  365 d
web             key     enabled   365 d              of a certificate
gone            key     deleted   365 d              until 2027-02-01
database        secret  enabled   365 d

https://contoso.vault.azure.net: 4 keys, 1 secret, 1 deleted key, 1 disabled, 1
of certificates, 1 expired, 1 unmanaged, 1 without rotation
`);
  });

  it("stays within the terminal, whatever the names are", () => {
    const long = listing(
      ...(mixed.listings[0]?.objects ?? []),
      key("n".repeat(127)),
      key("v", { version: "0123456789abcdef0123456789abcdef" }),
    );
    for (const width of [80, 100, 200]) {
      const lines = formatTable(long, { width }).split("\n");
      expect(Math.max(...lines.map((line) => line.length))).toBeLessThanOrEqual(width);
      expect(lines.join("").replaceAll(/\s/g, "")).toContain("n".repeat(127));
    }
  });

  it("is coloured only where it is asked for, and says the same", () => {
    const coloured = formatTable(mixed, { colour: true });
    expect(coloured).toContain("\u001b[31m");
    expect(stripVTControlCharacters(coloured)).toBe(formatTable(mixed));
  });

  it("of several vaults is one, with the vault in a column and a total for each", () => {
    const fleet = { listings: [vault("east", [key("orders")]), vault("west", [key("orders"), key("b")])], unread: [] };
    expect(formatTable(fleet)).toBe(`NAME    VAULT  STATE    AGE    EXPIRES  NOTE
orders  east   enabled  365 d
orders  west   enabled  365 d
b       west   enabled  365 d

https://east.vault.azure.net: 1 key
https://west.vault.azure.net: 2 keys
`);
  });

  it("that is quiet has the objects alone", () => {
    expect(formatTable(listing(key("orders")), { isQuiet: true })).toBe("orders  enabled  365 d\n");
    expect(formatTable(listing(), { isQuiet: true })).toBe("");
  });

  it("of nothing is one line", () => {
    expect(formatTable(listing())).toBe("https://contoso.vault.azure.net: nothing\n");
  });
});
