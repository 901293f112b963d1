import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { checkResource } from "../../plugin/resource-calls.js";
import { forgetDeclaredObjects } from "../../provider/object/declared-objects.js";
import { ecKey } from "../engine/demo-keys.js";
import { stored } from "../provider/stored.js";

type Inputs = Record<string, unknown>;

const vaultUrl = "https://contoso.vault.azure.net";

let folder: string;

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), "ignored-inputs-"));
  mkdirSync(join(folder, "set"));
  for (const name of ["one.pem", "two.pem", "set/a.pem", "set/b.pem"]) writeFileSync(join(folder, name), ecKey().pkcs8);
});
afterEach(() => {
  forgetDeclaredObjects();
  rmSync(folder, { recursive: true });
});

async function check(className: string, olds: Inputs, news: Inputs): Promise<{ inputs: Inputs; reasons: string[] }> {
  const urn = `urn:pulumi:dev::shop::keyvault:index:${className}::orders`;
  const { inputs, failures } = await checkResource(urn, olds, { vaultUrl, ...news }, undefined);
  return { inputs: stored(inputs), reasons: failures.map(({ reason }) => reason) };
}

async function recorded(className: string, news: Inputs): Promise<Inputs> {
  const { inputs, reasons } = await check(className, {}, news);
  expect(reasons).toEqual([]);
  return inputs;
}

/**
 * The engine puts what state holds in the place of an ignored path before the plugin is asked, and nothing where state
 * holds nothing: material, a value and a blob are never in it.
 */
describe("ignoreChanges through the plugin", () => {
  it.each<[path: string, className: string, before: () => Inputs, after: (olds: Inputs) => Inputs]>([
    ["import", "Key", () => ({ import: { file: join(folder, "one.pem") } }), () => ({})],
    ["import.file", "Key", () => ({ import: { file: join(folder, "one.pem") } }), () => ({ import: {} })],
    [
      "import.pem",
      "Key",
      () => ({ import: { pem: ecKey().pkcs8, passphrase: "p" } }),
      () => ({ import: { passphrase: "p" } }),
    ],
    [
      "thumbprint",
      "Key",
      () => ({ import: { file: join(folder, "one.pem") } }),
      ({ thumbprint }) => ({ import: { file: join(folder, "two.pem") }, thumbprint }),
    ],
    ["value", "Secret", () => ({ value: "one" }), () => ({})],
    ["valueFrom", "Secret", () => ({ valueFrom: { file: join(folder, "one.pem") } }), () => ({})],
    ["valueFrom.file", "Secret", () => ({ valueFrom: { file: join(folder, "one.pem") } }), () => ({ valueFrom: {} })],
    ["valueDigest", "Secret", () => ({ value: "one" }), ({ valueDigest }) => ({ value: "two", valueDigest })],
    [
      "keys",
      "KeySet",
      () => ({ import: { folder: join(folder, "set") } }),
      ({ keys }) => {
        writeFileSync(join(folder, "set/a.pem"), ecKey().pkcs8);
        return { import: { folder: join(folder, "set") }, keys };
      },
    ],
    [
      "import",
      "KeySet",
      () => ({ import: { folder: join(folder, "set") }, tags: { site: "north" } }),
      () => ({ tags: { site: "north" } }),
    ],
    [
      'keys["a"].tags',
      "KeySet",
      () => ({ import: { folder: join(folder, "set") }, keys: { a: { tags: { site: "north" } } } }),
      () => ({ import: { folder: join(folder, "set") }, keys: { a: { tags: { site: "north" } } } }),
    ],
    [
      "keys.a.import",
      "KeySet",
      () => ({ keys: { a: { import: { file: join(folder, "one.pem") } } } }),
      () => ({ keys: { a: {} } }),
    ],
  ])("of %s of a %s keeps what state holds", async (_path, className, before, after) => {
    const name = className === "KeySet" ? {} : { name: "orders" };
    const olds = await recorded(className, { ...name, ...before() });
    const { inputs, reasons } = await check(className, olds, { ...name, ...after(olds) });
    expect(reasons).toEqual([]);
    expect(inputs).toEqual(olds);
  });

  it("makes nothing of a resource that has no source, and none in state", async () => {
    const { reasons } = await check("Key", {}, { name: "orders" });
    expect(reasons).toEqual([expect.stringContaining("a key needs one source")]);
    const generated = await recorded("Key", { name: "orders", generate: { keyType: "EC" } });
    const later = await check("Key", generated, { name: "orders" });
    expect(later.reasons).toEqual([expect.stringContaining("a key needs one source")]);
  });

  it("takes no digest of state for a key under another name", async () => {
    const olds = await recorded("Key", { name: "orders", import: { file: join(folder, "one.pem") } });
    const { reasons } = await check("Key", olds, { name: "others" });
    expect(reasons.join()).toMatch(/KV_/);
  });
});
