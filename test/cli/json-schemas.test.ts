import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { z } from "zod";
import { doctorDocument } from "../../cli/doctor/doctor-document.js";
import { driftDocument } from "../../cli/drift/drift-document.js";
import { driftReport } from "../../cli/drift/drift-report.js";
import { formatJson } from "../../cli/drift/format-json.js";
import { parsePreview } from "../../cli/drift/preview-json.js";
import { fleetFile } from "../../cli/fleet/fleet-file.js";
import { formatJson as formatInventory } from "../../cli/inventory/format-json.js";
import { inventoriesDocument, inventoryDocument } from "../../cli/inventory/inventory-document.js";
import type { VaultListing } from "../../cli/inventory/vault-listing.js";
import { reportDocument } from "../../cli/report/report-document.js";

const SCHEMAS = {
  drift: driftDocument,
  inventory: inventoryDocument,
  inventories: inventoriesDocument,
  report: reportDocument,
  doctor: doctorDocument,
  fleet: fleetFile,
};
const TITLES: Record<string, string> = {
  drift: "drift --format json",
  report: "report --format json",
  doctor: "doctor --json",
  fleet: "--fleet FILE",
};
const folder = join(__dirname, "../../docs/schemas");

/** Of what is read: members that are not here may come at any time. */
function jsonSchema(name: string, schema: z.ZodType): string {
  const { $schema, ...rest } = z.toJSONSchema(schema, { io: "input" });
  const title = `pulumi-keyvault ${TITLES[name] ?? "inventory --format json"}`;
  return `${JSON.stringify({ $schema, title, ...rest }, undefined, 2)}\n`;
}

const listing = (unread: VaultListing["unread"] = []): VaultListing => ({
  vaultUrl: "https://contoso.vault.azure.net",
  takenOn: new Date("2027-01-01T00:00:00Z"),
  objects: [
    {
      kind: "key",
      name: "orders",
      version: "0123456789abcdef0123456789abcdef",
      state: "enabled",
      createdOn: new Date("2026-01-01T00:00:00Z"),
      expiresOn: new Date("2026-12-01T00:00:00Z"),
      managedByCertificate: false,
      tags: { team: "orders" },
      inStack: true,
      rotates: false,
    },
    { kind: "secret", name: "db", state: "deleted", managedByCertificate: false, tags: {} },
  ],
  unread,
});

describe("the JSON of the commands", () => {
  it.each(Object.entries(SCHEMAS))("%s has a schema in the docs", async (name, schema) => {
    await expect(jsonSchema(name, schema)).toMatchFileSnapshot(join(folder, `${name}.json`));
  });

  it("has no schema in the docs that no command prints", () => {
    expect(readdirSync(folder).sort()).toEqual(
      Object.keys(SCHEMAS)
        .map((name) => `${name}.json`)
        .sort(),
    );
  });

  it.each(["drift-preview", "drift-refresh", "pending-preview", "clean-preview"])("of drift fits it: %s", (name) => {
    const preview = parsePreview(readFileSync(join(__dirname, "fixtures", `${name}.json`), "utf8"), name);
    expectNothingElse(driftDocument, formatJson(driftReport(preview)));
  });

  it("of an inventory fits it", () => {
    expectNothingElse(inventoryDocument, formatInventory({ listings: [listing()], unread: [] }));
    const unread = [{ collection: "keys", name: "x", part: "versions", code: "KV_PROTOCOL", reason: "no" }] as const;
    expectNothingElse(
      inventoriesDocument,
      formatInventory({
        listings: [listing([...unread]), listing()],
        unread: [{ vaultUrl: "https://odd.vault.azure.net", code: "KV_PROTOCOL", reason: "no" }],
      }),
    );
  });
});

/** A schema leaves out what it does not know: then the document has a member that the schema lacks. */
function expectNothingElse(schema: z.ZodType, text: string): void {
  const document: unknown = JSON.parse(text);
  expect(schema.parse(document)).toEqual(document);
}
