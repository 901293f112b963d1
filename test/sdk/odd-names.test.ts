import * as pulumi from "@pulumi/pulumi";
import { beforeAll, describe, expect, it } from "vitest";
import * as keyvault from "../../sdk/index.js";

const vaultUrl = "https://contoso.vault.azure.net";
const generate = { keyType: "EC" } as const;
/** What every object of JavaScript has, and a vault takes as a name. */
const NAMES = ["toString", "valueOf", "constructor", "hasOwnProperty", "then", "apply", "length", "id", "urn"];

const inputs = new Map<string, Record<string, unknown>>();

beforeAll(() => {
  pulumi.runtime.setMocks({
    newResource: (args) => {
      inputs.set(args.name, args.inputs);
      return { id: `${args.name}_id`, state: args.inputs };
    },
    call: (args) => args.inputs,
  });
});

async function sent(resource: pulumi.Resource, name: string): Promise<Record<string, unknown>> {
  await (resource.urn as unknown as { promise(): Promise<string> }).promise();
  return inputs.get(name) ?? {};
}

/** As a parser makes maps of whose names it knows nothing. */
function withoutPrototype<T extends object>(map: T): T {
  return Object.assign(Object.create(null), map);
}

describe.each([
  ["a map", <T extends object>(map: T): T => map],
  ["a map without prototype", withoutPrototype],
])("%s of names that every object has", (_map, made) => {
  it("is sent as the keys of a set", async () => {
    const entries = Object.fromEntries(NAMES.map((name) => [name, made({ generate, tags: made({ [name]: "x" }) })]));
    const set = new keyvault.KeySet("names", { vaultUrl, keys: made(entries) });
    expect(await sent(set, "names")).toMatchObject({ entries });
  });

  it("is sent as the tags of a set, a Key and a Secret", async () => {
    const tags = Object.fromEntries(NAMES.map((name) => [name, "x"]));
    const set = new keyvault.KeySet("set", { vaultUrl, keys: { a: { generate } }, tags: made({ ...tags }) });
    const key = new keyvault.Key("key", { vaultUrl, generate, tags: made({ ...tags }) });
    const secret = new keyvault.Secret("secret", { vaultUrl, value: "v", tags: made({ ...tags }) });
    expect(await sent(set, "set")).toMatchObject({ tags });
    expect(await sent(key, "key")).toMatchObject({ tags });
    expect(await sent(secret, "secret")).toMatchObject({ tags });
  });

  it("is sent as a transformation adds it", async () => {
    const tags = { toString: "x" };
    const key = new keyvault.Key(
      "transformed",
      { vaultUrl, generate },
      { transformations: [({ props, opts }) => ({ props: { ...props, tags: made({ ...tags }) }, opts })] },
    );
    expect(await sent(key, "transformed")).toMatchObject({ tags });
  });
});

describe("a tag __proto__, which the SDK loses on its way,", () => {
  const tags: Record<string, string> = JSON.parse('{ "__proto__": "x" }');

  it.each([
    ["of a Key", () => new keyvault.Key("k", { vaultUrl, generate, tags })],
    ["of a Secret", () => new keyvault.Secret("s", { vaultUrl, value: "v", tags })],
    ["of a set", () => new keyvault.KeySet("f", { vaultUrl, tags, keys: { a: { generate } } })],
    ["of a key of a set", () => new keyvault.KeySet("f", { vaultUrl, keys: { a: { generate, tags } } })],
  ])("is refused: %s", (_of, make) => {
    expect(make).toThrow(/KV_INVALID_INPUT.*`__proto__`.*give it another name/s);
  });
});
