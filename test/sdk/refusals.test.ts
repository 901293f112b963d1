import * as pulumi from "@pulumi/pulumi";
import { beforeAll, beforeEach, describe, expect, it } from "vitest";
import * as keyvault from "../../sdk/index.js";

const vaultUrl = "https://contoso.vault.azure.net";
const generate = { keyType: "EC" } as const;

let inputs: Record<string, Record<string, unknown>> = {};

beforeAll(() => {
  pulumi.runtime.setMocks({
    newResource: (args) => {
      inputs[args.name] = args.inputs;
      return { id: `${args.name}_id`, state: args.inputs };
    },
    call: (args) => args.inputs,
  });
});
beforeEach(() => {
  inputs = {};
});

/** What the provider is given of a resource. */
async function sent(resource: pulumi.Resource, name: string): Promise<Record<string, unknown>> {
  await (resource.urn as unknown as { promise(): Promise<string> }).promise();
  return inputs[name] ?? {};
}

// What JavaScript lets a program say, and TypeScript does not.
const said = <T>(value: unknown): T => value as T;

describe("a constructor", () => {
  it("leaves it to check to say what is missing", async () => {
    expect(await sent(new keyvault.Key("k", said(undefined)), "k")).toHaveProperty("autoName");
    expect(await sent(new keyvault.Secret("s", said(null)), "s")).toHaveProperty("autoName");
    await sent(new keyvault.VaultBackup("v", said(undefined)), "v");
    await sent(new keyvault.KeyInventory("i", said(null)), "i");
    expect(await sent(new keyvault.Key("r", said({ restore: null })), "r")).not.toHaveProperty("restoreFrom");
  });

  it("takes one expected key for a list of one", async () => {
    const key = new keyvault.Key("k", { vaultUrl, name: "k", generate });
    const inventory = new keyvault.KeyInventory("i", { expect: said(key) });
    expect(await sent(inventory, "i")).toMatchObject({ expectResources: [{ vaultUrl, name: "k" }] });
  });

  const key = () => new keyvault.Key("k", { vaultUrl, name: "k", generate });
  const secret = () => new keyvault.Secret("s", { vaultUrl, name: "s", value: "x" });
  const refused: [string, () => unknown, RegExp][] = [
    ["a backup without a key", () => new keyvault.KeyBackup("x", said({})), /KeyBackup "x".*key.*name/],
    [
      "a backup without arguments",
      () => new keyvault.SecretBackup("x", said(undefined)),
      /SecretBackup "x".*secret.*name/,
    ],
    ["a backup of a key that is a name", () => new keyvault.KeyBackup("x", said({ key: "orders" })), /key.*name: "…"/],
    [
      "a key's backup of a secret",
      () => new keyvault.KeyBackup("x", said({ key: secret() })),
      /is a Secret.*SecretBackup/,
    ],
    [
      "a secret's backup of a key",
      () => new keyvault.SecretBackup("x", said({ secret: key() })),
      /is a Key.*KeyBackup/,
    ],
    [
      "a vault's backup of a secret as a key",
      () => new keyvault.VaultBackup("x", said({ keys: [secret()] })),
      /keys.*is a Secret/,
    ],
    [
      "a key restored from a secret's backup",
      () => new keyvault.Key("x", { restore: said(new keyvault.SecretBackup("b", { name: "s" })) }),
      /restore.*is a SecretBackup/,
    ],
    [
      "a key restored from a whole vault",
      () => new keyvault.Key("x", { restore: said(new keyvault.VaultBackup("b", { keys: "*" })) }),
      /\.key\("…"\)/,
    ],
    [
      "a key restored from a secret of a vault's backup",
      () => new keyvault.Key("x", { restore: said(new keyvault.VaultBackup("b", { secrets: "*" }).secret("s")) }),
      /`restore` is of a secret/,
    ],
    [
      "a secret restored from a secret",
      () => new keyvault.Secret("x", { restore: said(secret()) }),
      /restore.*is a Secret/,
    ],
    [
      "the option import",
      () => new keyvault.Key("x", { generate }, { import: `${vaultUrl}/keys/k` }),
      /adopt: true.*pulumi-keyvault adopt/,
    ],
    ["the option import of a secret", () => new keyvault.Secret("x", { value: "v" }, { import: "id" }), /adopt: true/],
    [
      "the option import of a backup",
      () => new keyvault.KeyBackup("x", { name: "k" }, { import: "id" }),
      /nothing to import/,
    ],
    [
      "customTimeouts that are none",
      () => new keyvault.Key("x", { generate }, { customTimeouts: { create: "soon" } }),
      /customTimeouts.*create.*"10m"/,
    ],
    [
      "customTimeouts of a backup",
      () => new keyvault.KeyBackup("x", { name: "k" }, { customTimeouts: { create: "1m" } }),
      /customTimeouts/,
    ],
    [
      "customTimeouts of an inventory",
      () => new keyvault.KeyInventory("x", {}, { customTimeouts: { update: "1m" } }),
      /customTimeouts/,
    ],
    ["get without an id", () => keyvault.Key.get("x", said(undefined)), /Key\.get.*https:\/\/<vault>\/keys\/<name>/],
    ["get with an empty id", () => keyvault.Secret.get("x", ""), /Secret\.get.*https:\/\/<vault>\/secrets\/<name>/],
  ];

  it.each(refused)("refuses %s, with a code and without a stack", (_title, make, message) => {
    let caught: unknown;
    try {
      make();
    } catch (error) {
      caught = error;
    }
    expect(caught).toMatchObject({ code: "KV_INVALID_INPUT", message: expect.stringMatching(/^KV_INVALID_INPUT: /) });
    expect((caught as Error).message).toMatch(message);
    expect(pulumi.RunError.isInstance(caught)).toBe(true);
  });
});

describe("resource options", () => {
  it("customTimeouts are the resource's timeouts, as far as the program gives none", async () => {
    const customTimeouts = { create: "1h30m", update: "90s", delete: "10m" };
    expect(await sent(new keyvault.Key("a", { generate }, { customTimeouts }), "a")).toMatchObject({
      timeouts: customTimeouts,
    });
    const timeouts = { create: "5m", read: "1m" };
    expect(await sent(new keyvault.Secret("b", { value: "x", timeouts }, { customTimeouts }), "b")).toMatchObject({
      timeouts: { create: "5m", read: "1m", update: "90s", delete: "10m" },
    });
    expect(await sent(new keyvault.Key("c", { generate }, { customTimeouts: {} }), "c")).not.toHaveProperty("timeouts");
  });
});
