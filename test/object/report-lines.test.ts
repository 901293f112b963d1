import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { formatInventoryReport, isInventoryReport } from "../../provider/inventory/inventory-report.js";
import {
  type DeletionReport,
  formatDeletionReport,
  parseDeletionReport,
} from "../../provider/object/deletion-report.js";
import {
  formatStalenessReport,
  parseStalenessReport,
  type StalenessReport,
} from "../../provider/object/staleness-report.js";
import { objectLabel } from "../../provider/vault/object-address.js";

const label = fc
  .tuple(
    fc.constantFrom("key", "secret"),
    fc.stringMatching(/^[0-9a-zA-Z-]{1,40}$/),
    fc.constantFrom("https://contoso.vault.azure.net", "embedded:./my dev.vault", "http://127.0.0.1:8443"),
  )
  .map(([kind, name, vaultUrl]) => objectLabel(kind, { vaultUrl, name }));
const moment = fc
  .integer({ min: 0, max: 4_000_000_000 })
  .map((seconds) => new Date(seconds * 1000).toISOString().replace(".000Z", "Z"));

const deletion: fc.Arbitrary<DeletionReport> = fc.oneof(
  fc.record({ label, state: fc.constantFrom("nowhere" as const, "unread" as const) }),
  fc.record(
    { label, state: fc.constant("softDeleted" as const), deletedOn: moment, recoverableUntil: moment },
    { requiredKeys: ["label", "state"] },
  ),
);

const staleness: fc.Arbitrary<StalenessReport> = fc.record({
  label,
  reason: fc.stringMatching(/^[ -~]{1,60}$/),
});

describe("what a refresh says in a line", () => {
  it("of a deletion is read back as it was written", () => {
    fc.assert(
      fc.property(deletion, (report) => {
        expect(parseDeletionReport(formatDeletionReport(report))).toEqual(report);
      }),
    );
  });

  it("of a deletion says what becomes of an automatic name, which follows from the URN", () => {
    const of = (name: string): string =>
      formatDeletionReport({ label: `key "${name}" in https://v.vault.azure.net`, state: "softDeleted" });
    const named =
      /where the stack or resource was renamed and its program leaves the name out, name it to have it back$/;
    expect(of("orders-0a1b2c3")).toMatch(named);
    expect(of("orders")).not.toMatch(named);
  });

  it("of a deletion says what it takes after a rename of the stack", () => {
    expect(formatDeletionReport({ label: "key", state: "softDeleted" })).toMatch(
      /unless .* the stack was renamed and has gone on without it: then with adopt: true$/,
    );
  });

  it("of a stale backup is read back as it was written", () => {
    fc.assert(
      fc.property(staleness, (report) => {
        expect(parseStalenessReport(formatStalenessReport(report))).toEqual(report);
      }),
    );
  });

  it("of an inventory is known again", () => {
    const line = formatInventoryReport({
      collection: "keys",
      vaultUrl: "https://v.vault.azure.net",
      drift: [["rogue", "appeared"]],
    });
    expect(line).toBe("the keys of https://v.vault.azure.net are no longer as recorded: rogue appeared");
    expect(isInventoryReport(line)).toBe(true);
  });

  it("is one kind of report and no other", () => {
    fc.assert(
      fc.property(deletion, staleness, (gone, stale) => {
        expect(parseStalenessReport(formatDeletionReport(gone))).toBeUndefined();
        expect(parseDeletionReport(formatStalenessReport(stale))).toBeUndefined();
        expect(isInventoryReport(formatDeletionReport(gone))).toBe(false);
      }),
    );
  });

  it.each([
    "",
    " is gone: it is neither there nor among the deleted ones",
    'key "orders" in https://v.vault.azure.net is gone',
    'key "orders" in https://v.vault.azure.net is soft-deleted and can be recovered: perhaps',
    "waiting for the deletion to end (1 min 05 s)",
  ])("%j is none", (line) => {
    expect([parseDeletionReport(line), parseStalenessReport(line), isInventoryReport(line)]).toEqual([
      undefined,
      undefined,
      false,
    ]);
  });
});
