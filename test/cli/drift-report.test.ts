import { readFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { consequenceOfChange } from "../../cli/drift/consequence.js";
import { type DriftReport, driftReport, emptyReport } from "../../cli/drift/drift-report.js";
import { formatGithub } from "../../cli/drift/format-github.js";
import { formatJson } from "../../cli/drift/format-json.js";
import { formatJunit } from "../../cli/drift/format-junit.js";
import { formatMarkdown } from "../../cli/drift/format-markdown.js";
import { formatTable } from "../../cli/drift/format-table.js";
import { parsePreview } from "../../cli/drift/preview-json.js";
import { wrap } from "../../cli/text/terminal-text.js";
import { formatUnmanagedChange } from "../../provider/object/unmanaged-change.js";

const fixture = (name: string): string => readFileSync(join(__dirname, "fixtures", `${name}.json`), "utf8");
const report = (name: string): DriftReport => driftReport(parsePreview(fixture(name), name));
const golden = (name: string): string => join(__dirname, "golden", name);

const summary = (told: DriftReport) => ({
  drifted: told.drifted.map(({ type, name, changes }) => [`${type} ${name}`, changes.map(({ property }) => property)]),
  pending: told.pending.map(({ operation, type, name, properties }) => [operation, `${type} ${name}`, properties]),
  followUps: told.followUps.map(({ type, name }) => `${type} ${name}`),
});

it.each([
  ["Key", { onDelete: "retain" }, 'removes the resource; onDelete is "retain"'],
  ["Secret", {}, 'removes the resource; onDelete is "delete"'],
  ["KeyInventory", {}, "removes the resource, and nothing of the vault"],
  ["VaultBackup", {}, "removes the resource, and nothing of the vault"],
])("says of a %s that leaves the program what becomes of the vault's", (type, inputs, told) => {
  const next = { type, operation: "delete", inputs, plan: undefined, unmanaged: [] };
  expect(consequenceOfChange(next, "tags.team")).toBe(told);
});

describe("a drift report", () => {
  it("tells what left the recorded state apart from what the program changes", () => {
    expect(summary(report("drift-preview"))).toEqual({
      drifted: [
        ["Key gone", [""]],
        ["Key signing", ["enabled", "tags.added", "tags.team"]],
        ["Key tls", ["version"]],
        ["Secret db", ["value"]],
        ["SecretBackup db", ["blob"]],
      ],
      pending: [
        ["create", "Key extra", []],
        ["update", "Key signing", ["onDelete"]],
      ],
      followUps: ["KeyBackup signing"],
    });
  });

  it("takes the preview of a refresh alone, which knows of no program", () => {
    expect(summary(report("drift-refresh"))).toEqual({
      drifted: summary(report("drift-preview")).drifted,
      pending: [],
      followUps: [],
    });
  });

  it("has no drift where only the program changed", () => {
    expect(summary(report("pending-preview"))).toEqual({
      drifted: [],
      pending: [["update", "Key signing", ["onDelete"]]],
      followUps: ["KeyBackup signing"],
    });
  });

  it("is empty for a clean preview, and knows what was compared", () => {
    const clean = report("clean-preview");
    expect(summary(clean)).toEqual({ drifted: [], pending: [], followUps: [] });
    expect(clean.compared).toHaveLength(6);
  });

  it("sets apart what the program agrees with or ignores", () => {
    const told = driftReport({
      steps: steps({ tags: { a: "1" } }, { tags: { a: "2" } }, { tags: { a: "2" } }, "same"),
      diagnostics: [],
    });
    expect(told.drifted).toEqual([]);
    expect(told.settled[0]?.changes[0]).toMatchObject({ property: "tags.a", recorded: "1", observed: "2" });
  });

  it("tells what changed in what the program leaves to the vault, and is no drift", () => {
    const [refresh, update, root] = steps({}, {}, {}, "same");
    if (!refresh || !update || !root) throw new Error("a preview has three steps here");
    const found = (step: typeof update, tags: Inputs) => ({
      ...step,
      oldState: { ...step.oldState, outputs: { found: { tags, enabled: true } } },
    });
    const label = 'key "orders" in https://contoso.vault.azure.net';
    const message = formatUnmanagedChange({ label, attribute: "tags" });
    const told = driftReport({
      steps: [found(refresh, { team: "a" }), found(update, { team: "b" }), root],
      diagnostics: [{ message, severity: "info" }],
    });
    expect(told).toMatchObject({ drifted: [], settled: [], notes: [] });
    expect(told.unmanaged[0]?.changes).toEqual([
      {
        property: "tags.team",
        recorded: "a",
        observed: "b",
        consequence: "nothing: the program leaves it to the vault, and state records it",
      },
    ]);
    expect(formatTable(told)).toContain("Changed, not managed");
  });

  it("tells tags whose names every object has a property of", () => {
    const tagged = (tags: string): Inputs => ({ tags: JSON.parse(tags) });
    const changes = changesOf(
      tagged('{"team":"a"}'),
      tagged('{"team":"a","__proto__":"x","constructor":"y"}'),
      tagged('{"team":"a"}'),
    );
    expect(changes).toMatchObject([
      { property: "tags.__proto__", recorded: undefined, observed: "x" },
      { property: "tags.constructor", recorded: undefined, observed: "y" },
    ]);
  });

  it("says which drift needs the key material", () => {
    const changes = changesOf({ thumbprint: "old" }, { thumbprint: "new", tags: { a: "1" } }, { thumbprint: "old" });
    expect(changes).toMatchObject([
      { property: "tags.a", consequence: "sets it with the new version" },
      { property: "thumbprint", recorded: "old", observed: "new", consequence: expect.stringContaining("at hand") },
    ]);
  });

  it("says that an expiry can only be cleared by a new version", () => {
    const [change] = changesOf(
      { thumbprint: "t" },
      { thumbprint: "t", expiresOn: "2030-01-01T00:00:00Z" },
      { thumbprint: "t" },
    );
    expect(change).toMatchObject({ recorded: undefined, consequence: expect.stringContaining("cannot clear it") });
  });

  it("has a JUnit case for each key of a set that was not read, beside that of the set", () => {
    const set = { urn: "urn:set", type: "KeySet", name: "devices" };
    const changes = [{ property: "keys.a.tags", recorded: "x", observed: "y", consequence: "patches the tags back" }];
    const unread = ["b", "c"].map((name) => ({ ...set, object: { kind: "key", name, vaultUrl: "v" }, reason: "no" }));
    const text = formatJunit({ ...emptyReport(), compared: [set], drifted: [{ ...set, changes }], unread });
    expect(text).toContain('tests="3" failures="1" errors="2"');
    expect(text.match(/<testcase [^>]*name="[^"]*"/g)?.map((opening) => opening.split('name="')[2])).toEqual([
      'devices"',
      'devices b"',
      'devices c"',
    ]);
    expect(text.match(/<failure /g)).toHaveLength(1);
    expect(text.match(/<error /g)).toHaveLength(2);
  });

  it("never shows a secret, even of a preview that was made with --show-secrets", () => {
    const before = {
      valueDigest: "scrypt:AAAA",
      tags: { pin: { "4dabf18193072939515e22adb298388d": "x", value: "1234" } },
    };
    const after = { valueDigest: "scrypt:BBBB", tags: { pin: "5678" } };
    const told = driftReport({ steps: steps(before, after, before, "update", "Secret"), diagnostics: [] });
    const shown = [formatTable, formatJson, formatGithub, formatJunit, formatMarkdown]
      .map((format) => format(told))
      .join();
    expect(shown).toContain("(secret)");
    expect(shown).not.toMatch(/AAAA|BBBB|1234/);
  });

  it("tells drift of a property that the program keeps secret as a whole", () => {
    const [refresh, update, root] = steps(
      { tags: "[secret]" },
      { tags: { pin: "5678" } },
      { tags: "[secret]" },
      "update",
    );
    if (!refresh || !update || !root) throw new Error("a preview has three steps here");
    const moved = (step: typeof update, updatedOn: string) => ({
      ...step,
      oldState: { ...step.oldState, outputs: { updatedOn } },
    });
    const told = driftReport({
      steps: [
        moved(refresh, "2026-01-01T00:00:00Z"),
        { ...moved(update, "2026-01-02T00:00:00Z"), detailedDiff: { "tags.pin": { kind: "update" } } },
        root,
      ],
      diagnostics: [],
    });
    expect(told.drifted[0]?.changes).toMatchObject([
      { property: "tags.pin", recorded: "(secret)", observed: "(secret, changed)" },
    ]);
    expect(told.pending).toEqual([]);
    expect(formatJson(told)).not.toContain("5678");
  });

  it("does not take a resource for gone that the run left out", () => {
    const [refresh] = steps({ tags: {} }, {}, {}, "update");
    const root = { op: "same", urn: "urn:pulumi:dev::orders::pulumi:pulumi:Stack::orders-dev" };
    const told = driftReport({ steps: refresh ? [refresh, root] : [], diagnostics: [] });
    expect(told.drifted).toEqual([]);
  });

  it("takes what a program only reads for no change", () => {
    const urn = "urn:pulumi:dev::orders::pulumi:pulumi:StackReference::network";
    const state = (version: number) => ({
      type: "pulumi:pulumi:StackReference",
      inputs: { name: "x" },
      outputs: { version },
    });
    const told = driftReport({
      steps: [
        ...steps({}, {}, {}, "same"),
        { op: "refresh", urn, oldState: state(1) },
        { op: "read", urn, oldState: state(2), newState: state(2) },
        { op: "read", urn: `${urn}-new`, newState: state(1) },
      ],
      diagnostics: [],
    });
    expect(summary(told)).toEqual({ drifted: [], pending: [], followUps: [] });
  });

  it("refuses a preview without refresh, which says nothing of the cloud", () => {
    const [, program] = steps({}, {}, {}, "same");
    expect(() => driftReport({ steps: program ? [program] : [], diagnostics: [] })).toThrow(
      expect.objectContaining({ code: "KV_NOT_A_PREVIEW" }),
    );
  });

  it.each([
    ["nothing", "", /is empty/],
    ["text", "Previewing update (dev):", /is not JSON/],
    ["the first half of a preview", fixture("drift-preview").slice(0, 5_000), /is cut off/],
    ["JSON of something else", '{"resources":[]}', /not that of a preview/],
    ["a list", "[]", /not that of a preview/],
    ["steps of another form", '{"steps":[{"op":1}]}', /not that of a preview/],
    [
      "steps that forge another line",
      JSON.stringify({ steps: [{ op: "x", urn: "y", detailedDiff: { "\n::error::x": 1 } }] }),
      /not that of a preview \(steps\.0\.detailedDiff\.\\n::error::x\)/,
    ],
    ["an event stream", '{"sequence":0,"timestamp":1}\n{"sequence":1}', /event stream/],
  ])("refuses %s", (_what, text, message) => {
    expect(() => parsePreview(text, "standard input")).toThrow(
      expect.objectContaining({ code: "KV_NOT_A_PREVIEW", message: expect.stringMatching(message) }),
    );
  });
});

describe("the forms of a drift report", () => {
  it.each([
    ["drift.txt", "drift-preview", formatTable],
    ["drift.json.txt", "drift-preview", formatJson],
    ["drift.github.txt", "drift-preview", formatGithub],
    ["drift.junit.xml", "drift-preview", formatJunit],
    ["drift.md.txt", "drift-preview", formatMarkdown],
    ["pending.txt", "pending-preview", formatTable],
    ["clean.txt", "clean-preview", formatTable],
    ["clean.junit.xml", "clean-preview", formatJunit],
  ])("%s", async (file, source, format: (told: DriftReport) => string) => {
    await expect(format(report(source))).toMatchFileSnapshot(golden(file));
  });

  it("keeps a table in the width of the terminal", () => {
    for (const width of [60, 80, 120]) {
      for (const line of formatTable(report("drift-preview"), { width }).split("\n")) {
        expect(line.length).toBeLessThanOrEqual(width);
      }
    }
  });

  it("has colours only where they are asked for", () => {
    expect(formatTable(report("drift-preview"))).not.toContain("\u001b");
    expect(formatTable(report("drift-preview"), { colour: true })).toContain("\u001b[");
  });

  it("lets no value of a vault write into a terminal, a table, a workflow or a document", () => {
    const evil = 'a\u001b[2Jb\n::error::x|`<y>&"]]>';
    const told = driftReport({ steps: steps({}, { tags: { "we|ird": evil } }, {}, "update"), diagnostics: [] });
    expect(formatTable(told)).not.toContain("\u001b");
    expect(
      formatGithub(told)
        .split("\n")
        .filter((line) => line.startsWith("::error")),
    ).toEqual([]);
    expect(formatMarkdown(told)).toContain("\\|");
    expect(
      formatMarkdown(told)
        .split("\n")
        .filter((line) => line.startsWith("| Key")),
    ).toHaveLength(1);
    expect(formatJunit(told)).not.toContain("\u001b");
    expect(formatJunit(told)).not.toContain("<y>");
  });

  it("breaks a word that is wider than the line, and never a version or a thumbprint", () => {
    const word = "abcdefghij".repeat(6);
    expect(wrap(`${word} kl`, 40)).toEqual([word.slice(0, 40), `${word.slice(40)} kl`]);
    const thumbprint = "Xn4-rT_".repeat(7).slice(0, 43);
    expect(wrap(`a ${thumbprint} b`, 20)).toEqual(["a", thumbprint, "b"]);
    for (const width of [80, 60, 40, 20]) {
      const text = formatTable(report("drift-preview"), { width });
      for (const id of formatJson(report("drift-preview")).match(/\b[0-9a-f]{32}\b/g) ?? []) expect(text).toContain(id);
    }
  });
});

type Inputs = Record<string, unknown>;

/** A preview of one resource: recorded, observed and declared. */
function steps(recorded: Inputs, observed: Inputs, declared: Inputs, op: string, type = "Key") {
  const qualified = `pulumi-nodejs:dynamic/keyvault:${type}`;
  const urn = `urn:pulumi:dev::orders::${qualified}::signing`;
  const place = { vaultUrl: "https://contoso.vault.azure.net", name: "orders" };
  const state = (inputs: Inputs) => ({ type: qualified, inputs: { ...place, ...inputs } });
  const root = "urn:pulumi:dev::orders::pulumi:pulumi:Stack::orders-dev";
  return [
    { op: "refresh", urn, oldState: state(recorded), newState: state(recorded) },
    { op, urn, oldState: state(observed), newState: state(declared) },
    { op: "same", urn: root },
  ];
}

function changesOf(recorded: Inputs, observed: Inputs, declared: Inputs) {
  return (
    driftReport({ steps: steps(recorded, observed, declared, "update"), diagnostics: [] }).drifted[0]?.changes ?? []
  );
}
