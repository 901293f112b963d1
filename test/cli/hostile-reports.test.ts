import fc from "fast-check";
import { marked } from "marked";
import { describe, expect, it } from "vitest";
import type { DriftedResource, DriftReport, UnreadResource } from "../../cli/drift/drift-report.js";
import { formatGithub } from "../../cli/drift/format-github.js";
import { formatJson } from "../../cli/drift/format-json.js";
import { formatJunit } from "../../cli/drift/format-junit.js";
import { formatMarkdown } from "../../cli/drift/format-markdown.js";
import { formatTable } from "../../cli/drift/format-table.js";
import { formatCsv } from "../../cli/inventory/format-csv.js";
import { formatJson as formatInventoryJson } from "../../cli/inventory/format-json.js";
import { formatTable as formatInventoryTable } from "../../cli/inventory/format-table.js";
import type { Inventory, ListedObject, VaultListing } from "../../cli/inventory/vault-listing.js";
import { csvRow } from "../../cli/text/csv-text.js";
import { markdownCode, markdownText } from "../../cli/text/markdown-text.js";
import { inert, inertXml } from "../../cli/text/pipeline-text.js";
import { xmlContent } from "../../cli/text/xml-text.js";
import { hostileText } from "./hostile-text.js";

const identity = {
  urn: hostileText,
  type: fc.constantFrom("Key", "Secret", "KeyBackup"),
  name: hostileText,
  object: fc.record({ kind: fc.constantFrom("key", "secret"), name: hostileText, vaultUrl: hostileText }),
};
const drifted: fc.Arbitrary<DriftedResource> = fc.record({
  ...identity,
  changes: fc.array(
    fc.record({ property: hostileText, recorded: hostileText, observed: hostileText, consequence: hostileText }),
    { minLength: 1, maxLength: 3 },
  ),
});
const resources = fc.array(drifted, { maxLength: 2 });
const report: fc.Arbitrary<DriftReport> = fc.record({
  drifted: resources,
  settled: resources,
  unmanaged: resources,
  pending: fc.array(
    fc.record({ ...identity, operation: hostileText, properties: fc.array(hostileText, { maxLength: 2 }) }),
    { maxLength: 2 },
  ),
  followUps: fc.array(fc.record(identity), { maxLength: 2 }),
  compared: resources,
  unread: fc.array(fc.record({ ...identity, reason: hostileText }), { maxLength: 2 }) as fc.Arbitrary<UnreadResource[]>,
  failedStacks: fc.array(fc.record({ stack: hostileText, reason: hostileText }), { maxLength: 2 }),
  notes: fc.array(hostileText, { maxLength: 2 }),
});

const listed: fc.Arbitrary<ListedObject> = fc.record(
  {
    kind: fc.constantFrom("key" as const, "secret" as const),
    name: hostileText,
    version: hostileText,
    state: fc.constantFrom("enabled" as const, "disabled" as const, "deleted" as const),
    createdOn: fc.date({ min: new Date(0), max: new Date(4e12), noInvalidDate: true }),
    managedByCertificate: fc.boolean(),
    tags: fc.dictionary(hostileText, hostileText, { maxKeys: 2 }),
  },
  { requiredKeys: ["kind", "name", "state", "managedByCertificate", "tags"] },
);
const listing: fc.Arbitrary<VaultListing> = fc.record({
  vaultUrl: hostileText,
  takenOn: fc.constant(new Date("2027-01-01T00:00:00Z")),
  objects: fc.array(listed, { maxLength: 4 }),
  unread: fc.array(
    fc.record({
      collection: fc.constantFrom("keys" as const, "secrets" as const),
      name: hostileText,
      code: fc.constant("KV_PROTOCOL" as const),
      reason: hostileText,
    }),
    { maxLength: 2 },
  ),
});

const inventory: fc.Arbitrary<Inventory> = fc.record({
  listings: fc.array(listing, { minLength: 1, maxLength: 3 }),
  unread: fc.array(fc.record({ vaultUrl: hostileText, code: fc.constant("KV_PROTOCOL"), reason: hostileText }), {
    maxLength: 2,
  }),
});

const RUNS = { numRuns: 300 };

/** What no form may hold: it would be obeyed by a terminal, or by a build agent that reads the output. */
function expectInert(text: string, { ownCommands = false } = {}): void {
  expect(text.replace(/\r?\n/g, "")).not.toMatch(/[\p{Cc}\p{Cf}\p{Cs}\p{Zl}\p{Zp}]/u);
  expect(text).not.toMatch(/##\w*\[/);
  const commands = text.split(/\r?\n/).filter((line) => line.trimStart().startsWith("::"));
  if (!ownCommands) expect(commands).toEqual([]);
}

describe("a drift report of a vault that wants to be obeyed", () => {
  it("is inert as a table, in every width, and not even coloured", () => {
    fc.assert(
      fc.property(report, fc.integer({ min: 60, max: 140 }), (told, width) => {
        expectInert(formatTable(told, { width }));
      }),
      RUNS,
    );
  });

  it("says in JSON exactly what it is", () => {
    fc.assert(
      fc.property(report, (told) => {
        const text = formatJson(told);
        expectInert(text);
        const { drifted, settled, unmanaged, pending, followUps, unread, notes } = told;
        expect(JSON.parse(text)).toMatchObject(
          JSON.parse(JSON.stringify({ drifted, settled, unmanaged, pending, followUps, unread, notes })),
        );
      }),
      RUNS,
    );
  });

  it("is one workflow command for each thing it tells, and no others", () => {
    fc.assert(
      fc.property(report, (told) => {
        const text = formatGithub(told);
        expectInert(text, { ownCommands: true });
        const lines = text.split("\n").filter((line) => line.trimStart().startsWith("::"));
        const count = (list: readonly DriftedResource[]) => list.reduce((sum, { changes }) => sum + changes.length, 0);
        expect(lines).toHaveLength(
          count(told.drifted) +
            count(told.unmanaged) +
            told.unread.length +
            told.failedStacks.length +
            told.pending.length,
        );
        for (const line of lines) expect(line).toMatch(/^::(warning|notice|error) title=[^:,]*::/);
      }),
      RUNS,
    );
  });

  it("is well-formed XML", () => {
    fc.assert(
      fc.property(report, (told) => {
        const text = formatJunit(told);
        expectInert(text);
        const elements = [...text.matchAll(/<\/?([a-z-]+)(?: [a-z]+="[^"<>]*")*\/?>/g)].map(([, name]) => name ?? "");
        expect(elements.filter((name) => !ELEMENTS.has(name))).toEqual([]);
        const rest = text.replace(/^<\?xml [^>]*\?>/, "").replace(/<\/?[a-z-]+(?: [a-z]+="[^"<>]*")*\/?>/g, "");
        expect(rest).not.toMatch(/[<>]/);
        expect(text.replace(/&(?:amp|lt|gt|quot|#35|#58);/g, "")).not.toContain("&");
      }),
      RUNS,
    );
  });

  it("has in Markdown its own headings and tables, and no link, image, HTML or mention", () => {
    fc.assert(
      fc.property(report, (told) => {
        const text = formatMarkdown(told);
        expectInert(text);
        const html = marked.parse(text, { mangle: false, headerIds: false } as object) as string;
        expect(html).not.toMatch(/<(?!\/?(?:h2|h3|p|table|thead|tbody|tr|th|td|code|em|ul|li)>|!-- -->)/);
        expect((html.match(/<h2>/g) ?? []).length).toBe(1);
        expect((html.match(/<tr>/g) ?? []).length).toBe(expectedRows(told));
        const prose = html.replace(/<code>.*?<\/code>/gs, "").replace(/&#?\w+;/g, "");
        expect(prose).not.toMatch(/[@#](?!<!-- -->)\w/);
      }),
      RUNS,
    );
  });
});

const ELEMENTS = new Set(["testsuites", "testsuite", "testcase", "failure", "error", "system-out"]);

/** A heading and a row for each change of each table. */
function expectedRows({ drifted, settled, unmanaged, unread, failedStacks, pending }: DriftReport): number {
  const tables = [drifted, settled, unmanaged].map((list) =>
    list.reduce((sum, { changes }) => sum + changes.length, 0),
  );
  return [...tables, unread.length, failedStacks.length, pending.length].reduce(
    (sum, rows) => sum + (rows > 0 ? rows + 1 : 0),
    0,
  );
}

describe("text of a vault's choosing", () => {
  it("costs no more than its length", () => {
    for (const piece of ["\n", " ", ":", "#", "\\", "`", "|", "@", "=", "\u202e", "x ", "www."]) {
      const long = piece.repeat(200_000);
      for (const write of [inert, inertXml, markdownText, markdownCode, xmlContent, (text: string) => csvRow([text])]) {
        const start = performance.now();
        write(long);
        expect([piece, performance.now() - start < 2_000]).toEqual([piece, true]);
      }
    }
  });
});

describe("an inventory of a vault that wants to be obeyed", () => {
  it("is inert as a table, in every width", () => {
    fc.assert(
      fc.property(inventory, fc.integer({ min: 20, max: 140 }), (told, width) => {
        expectInert(formatInventoryTable(told, { width }));
      }),
      RUNS,
    );
  });

  it("says in JSON exactly what it is", () => {
    fc.assert(
      fc.property(listing, (told) => {
        const text = formatInventoryJson({ listings: [told], unread: [] });
        expectInert(text);
        const read = JSON.parse(text);
        const names = [...read.keys, ...read.secrets, ...read.deletedKeys, ...read.deletedSecrets].map(
          ({ name }: { name: string }) => name,
        );
        expect(names.sort()).toEqual(told.objects.map(({ name }) => JSON.parse(JSON.stringify(name))).sort());
      }),
      RUNS,
    );
  });

  it("is one line of CSV for each object, and no cell is a formula", () => {
    fc.assert(
      fc.property(inventory, (told) => {
        const text = formatCsv(told);
        expectInert(text);
        const [heading, ...rows] = readCsv(text);
        expect(rows).toHaveLength(told.listings.reduce((sum, { objects }) => sum + objects.length, 0));
        for (const row of rows) {
          expect(row).toHaveLength(heading?.length ?? 0);
          for (const cell of row) expect(cell).not.toMatch(/^\s*[=+\-@\uff1d\uff0b\uff0d\uff20](?!\d+$)/);
        }
      }),
      RUNS,
    );
  });
});

/** RFC 4180. */
function readCsv(text: string): string[][] {
  const rows: string[][] = [];
  let row: string[] = [];
  for (const [, quoted, plain = "", end] of text.matchAll(/(?:"((?:[^"]|"")*)"|([^",\r\n]*))(,|\r\n)/g)) {
    row.push(quoted === undefined ? plain : quoted.replaceAll('""', '"'));
    if (end === ",") continue;
    rows.push(row);
    row = [];
  }
  expect(row).toEqual([]);
  return rows;
}
