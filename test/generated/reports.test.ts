import fc from "fast-check";
import { expect, test } from "vitest";
import { adoptKey, adoptSecret } from "../../cli/adopt/adopted-resource.js";
import { importFile } from "../../cli/adopt/import-file.js";
import { nameResources } from "../../cli/adopt/program-names.js";
import { programText } from "../../cli/adopt/program-text.js";
import { driftReport } from "../../cli/drift/drift-report.js";
import { formatGithub } from "../../cli/drift/format-github.js";
import { formatJson } from "../../cli/drift/format-json.js";
import { formatJunit } from "../../cli/drift/format-junit.js";
import { formatMarkdown } from "../../cli/drift/format-markdown.js";
import { formatTable } from "../../cli/drift/format-table.js";
import { hasFailed, previewErrors, previewFailed, unreadIn } from "../../cli/drift/preview-failure.js";
import { parsePreview } from "../../cli/drift/preview-json.js";
import { formatCsv } from "../../cli/inventory/format-csv.js";
import { formatJson as formatInventoryJson } from "../../cli/inventory/format-json.js";
import { formatTable as formatInventoryTable } from "../../cli/inventory/format-table.js";
import { listVault } from "../../cli/inventory/list-vault.js";
import { nameFilter } from "../../cli/vault/name-filter.js";
import { readVault } from "../../cli/vault/read-vault.js";
import { KeyVaultClient } from "../../provider/keyvault/client.js";
import { hostileText } from "../cli/hostile-text.js";
import { SHARES, survives, timeoutFor } from "./generated-run.js";
import { hostileJson, mostly, mostlyOf } from "./hostile-json.js";

const URN = "urn:pulumi:prod::shop::pulumi-nodejs:dynamic/keyvault:Key::";
const VERSION = "0123456789abcdef0123456789abcdef";

const properties = fc.dictionary(
  fc.oneof(
    fc.constantFrom(
      "tags",
      "enabled",
      "expiresOn",
      "thumbprint",
      "vaultUrl",
      "name",
      "found",
      "drift",
      "value",
      "version",
      "keyOps",
    ),
    hostileText,
  ),
  hostileJson,
  { maxKeys: 6 },
);
const state = fc.record(
  {
    type: mostly("pulumi-nodejs:dynamic/keyvault:Key", "pulumi-nodejs:dynamic/keyvault:Secret", "a:b:C"),
    id: mostly("https://v.vault.azure.net/keys/orders"),
    inputs: mostlyOf(properties),
    outputs: mostlyOf(properties),
    additionalSecretOutputs: mostly(["value"], []),
  },
  { requiredKeys: [] },
);
const step = fc.record(
  {
    op: mostly("refresh", "update", "same", "create", "delete", "replace"),
    urn: mostly(`${URN}orders`, `${URN}other`, "urn:pulumi:prod::shop::pulumi:pulumi:Stack::shop-prod"),
    oldState: mostlyOf(state),
    newState: mostlyOf(state),
    detailedDiff: mostlyOf(fc.dictionary(hostileText, fc.constant({ kind: "update" }), { maxKeys: 3 })),
  },
  { requiredKeys: ["op", "urn"] },
);
const preview = fc.record({
  steps: mostlyOf(fc.array(step, { maxLength: 5 })),
  diagnostics: mostlyOf(
    fc.array(
      fc.record(
        { urn: mostly(`${URN}orders`), message: mostlyOf(hostileText), severity: mostly("info", "warning", "error") },
        { requiredKeys: [] },
      ),
      { maxLength: 3 },
    ),
  ),
});
/** Deeper than what JSON of ours could be written from. */
const deepText = fc.constantFrom("[", '{"a":').map((open) => {
  const inputs = `${open.repeat(50_000)}1${(open === "[" ? "]" : "}").repeat(50_000)}`;
  return `{"steps":[{"op":"refresh","urn":"${URN}orders","oldState":{"inputs":{"tags":${inputs}}}}]}`;
});
const previewText = fc.oneof(
  { weight: 1, arbitrary: deepText },
  { weight: 8, arbitrary: preview.map((told) => JSON.stringify(told)) },
  { weight: 1, arbitrary: hostileJson.map((told) => JSON.stringify(told)) },
  { weight: 1, arbitrary: hostileText },
);

test("a drift report of any text is made in each form, or refused", { timeout: timeoutFor(SHARES.driftReports) }, () =>
  survives(previewText, SHARES.driftReports, (text) => {
    const parsed = parsePreview(text, "standard input");
    if (hasFailed(parsed)) throw previewFailed(previewErrors(parsed), 1);
    const report = { ...driftReport(parsed), unread: unreadIn(parsed) };
    const forms = [
      formatTable(report, { width: 80 }),
      formatGithub(report),
      formatJunit(report),
      formatMarkdown(report),
    ];
    JSON.parse(formatJson(report));
    return forms.join("").length;
  }),
);

const attributes = mostlyOf(
  fc.record(
    {
      enabled: mostly(true, false),
      nbf: mostly(0, 1_700_000_000),
      exp: mostly(1_900_000_000, 253_402_300_799),
      created: mostly(1_700_000_000),
      updated: mostly(1_700_000_000),
      recoveryLevel: mostly("Recoverable+Purgeable"),
      exportable: mostly(true, false),
    },
    { requiredKeys: [] },
  ),
);
const tags = mostlyOf(fc.dictionary(hostileText, hostileText, { maxKeys: 3 }));
const more = { attributes, tags, managed: mostly(true, false) };
const keyItem = fc.record({ kid: mostly("https://v/keys/a", "https://v/keys/b", "https://v/keys/a%2Fb"), ...more });
const secretItem = fc.record({ id: mostly("https://v/secrets/a"), contentType: mostly("text/plain"), ...more });
const page = (item: fc.Arbitrary<unknown>) =>
  mostlyOf(
    fc.record({
      value: mostlyOf(fc.array(mostlyOf(item), { maxLength: 3 })),
      nextLink: mostly<unknown>(null, undefined, "", "https://v/keys?b=2"),
    }),
  );
const answers = fc.record({
  keys: page(keyItem),
  secrets: page(secretItem),
  versions: page(fc.record({ id: mostly(`https://v/secrets/a/${VERSION}`), ...more })),
  bundle: mostlyOf(
    fc.record({
      key: mostlyOf(
        fc.record(
          {
            kid: mostly(`https://v/keys/a/${VERSION}`, `https://v/keys/b/${VERSION}`),
            kty: mostly("RSA", "EC", "oct-HSM"),
            crv: mostly("P-256", "SECP256K1"),
            n: mostly("AQAB"),
            x: mostly("AQ"),
            y: mostly("Ag"),
            key_ops: mostly(["sign"], ["sign", "verify"]),
          },
          { requiredKeys: ["kid", "kty"] },
        ),
      ),
      ...more,
      release_policy: mostly<unknown>(undefined, { data: "e30", immutable: true }),
    }),
  ),
  policy: mostly<unknown>(
    { lifetimeActions: [] },
    { lifetimeActions: [{ trigger: { timeAfterCreate: "P90D" }, action: { type: "Rotate" } }] },
  ),
});
type Answers = typeof answers extends fc.Arbitrary<infer T> ? T : never;

/** A vault whose lists and objects are whatever was generated. Its pages say the same again and again. */
function vaultOf({ keys, secrets, versions, bundle, policy }: Answers): KeyVaultClient {
  const bodies: [RegExp, unknown][] = [
    [/rotationpolicy/, policy],
    [/versions/, versions],
    [/^\/(deleted)?keys\?/, keys],
    [/^\/(deleted)?secrets\?/, secrets],
    [/./, bundle],
  ];
  return new KeyVaultClient({
    vaultUrl: "http://127.0.0.1:1",
    credential: { getToken: async () => ({ token: "token", expiresOn: new Date(8e15) }) },
    dispatch: async ({ path }) => {
      const [, body] = bodies.find(([pattern]) => pattern.test(path)) ?? [];
      return { status: 200, headers: {}, body: JSON.stringify(body) ?? "" };
    },
  });
}

test("an inventory of any vault is made in each form, or refused", { timeout: timeoutFor(SHARES.inventories) }, () =>
  survives(fc.tuple(answers, fc.boolean()), SHARES.inventories, async ([told, versions]) => {
    const options = { format: "table", secrets: true, deleted: true, rotation: true, versions } as const;
    const listing = await listVault({ vaultUrl: "https://v", client: vaultOf(told), known: undefined }, options);
    const inventory = { listings: [listing], unread: [] };
    JSON.parse(formatInventoryJson(inventory));
    return [formatCsv(inventory), formatInventoryTable(inventory)].join("").length;
  }),
);

test("a program of any vault is written, or refused", { timeout: timeoutFor(SHARES.programs) }, () =>
  survives(answers, SHARES.programs, async (told) => {
    const found = await readVault(vaultOf(told), nameFilter(), () => false);
    const vaultUrl = "https://v.vault.azure.net";
    const resources = await Promise.all([
      ...found.keys.map((key) => adoptKey(vaultUrl, key)),
      ...found.secrets.map((secret) => adoptSecret(vaultUrl, secret)),
    ]);
    const named = nameResources(resources, () => false);
    expect(JSON.parse(importFile(named)).resources).toHaveLength(named.length);
    return programText(vaultUrl, named, found).length;
  }),
);

test("answers of any form are read, or refused", { timeout: timeoutFor(SHARES.answers) }, () =>
  survives(answers, SHARES.answers, async (told) => {
    const client = vaultOf(told);
    const results: unknown[] = [];
    for (const read of [
      () => client.getKey("a"),
      () => client.getSecret("a"),
      () => client.getDeletedKey("a"),
      () => client.getKeyRotationPolicy("a"),
      () => client.backupKey("a"),
      () => client.getKeys()[Symbol.asyncIterator]().next(),
      () => client.getSecretVersions("a")[Symbol.asyncIterator]().next(),
    ]) {
      try {
        results.push(await read());
      } catch (error) {
        expect(error).toMatchObject({ code: expect.stringMatching(/^KV_/) });
      }
    }
    return results;
  }),
);
