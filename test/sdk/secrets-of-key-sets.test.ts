import * as pulumi from "@pulumi/pulumi";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { entriesInputs } from "../../sdk/entries-inputs.js";
import * as keyvault from "../../sdk/index.js";
import { unencryptedInputs, unencryptedSettings } from "../../sdk/unencrypted-settings.js";

const CANARY = "hunter2-very-secret";
const vaultUrl = "https://contoso.vault.azure.net";
const generate = { keyType: "EC" } as const;
const { secret } = pulumi;

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

// The SDK lets no refused input pass unseen, and fails the program by the rejections that nobody handles.
const listeners = process.listeners("unhandledRejection");
beforeAll(() => {
  process.removeAllListeners("unhandledRejection");
  process.on("unhandledRejection", () => {});
});
afterAll(async () => {
  await new Promise(setImmediate);
  process.removeAllListeners("unhandledRejection");
  for (const listener of listeners) process.on("unhandledRejection", listener);
});

function settled(output: pulumi.Output<unknown>): Promise<unknown> {
  return (output as unknown as { promise(): Promise<unknown> }).promise();
}

/** What the engine is sent of the inputs that the SDK has made of a set's arguments. */
async function sent(args: keyvault.KeySetArgs): Promise<Record<string, unknown>> {
  const set = new keyvault.KeySet("fleet", { vaultUrl, ...args });
  await settled(set.urn);
  return inputs.get("fleet") ?? {};
}

/** Why the inputs of a set's keys are refused. In a program each of them fails it. */
async function refusalOf(inputs: unknown): Promise<string> {
  try {
    await settled(pulumi.output(inputs));
    return "";
  } catch (error) {
    return String(error);
  }
}

describe("what a program marks as a secret in a set of keys", () => {
  const pem = { pem: secret(CANARY) };

  it.each<[string, keyvault.KeySetArgs["keys"] & object, RegExp]>([
    ["a tag of a key", { a: { generate, tags: { t: secret(CANARY) } } }, /`tags` of key "a"/],
    [
      "a keeper of a key",
      { a: { generate: { ...generate, keepers: { k: secret(CANARY) } } } },
      /`generate` of key "a"/,
    ],
    ["a setting of a key", { a: { generate, expiresOn: secret(CANARY) } }, /`expiresOn` of key "a"/],
    ["in a promise", { a: { generate, tags: Promise.resolve({ t: secret(CANARY) }) } }, /`tags` of key "a"/],
    ["beside material", { a: { import: pem, tags: { t: secret(CANARY) } } }, /`tags` of key "a"/],
    ["a whole key", { a: secret({ generate, tags: { t: CANARY } }) }, /key "a" holds/],
    ["a part of a key that is one Output", { a: pulumi.output({ import: pem, tags: { t: "open" } }) }, /key "a" holds/],
    ["all keys", secret({ a: { generate, tags: { t: CANARY } } }), /key "a" holds/],
  ])("is refused, since state would have it in the clear: %s", async (_place, keys, place) => {
    const told = await refusalOf(entriesInputs("fleet", keys));
    expect(told).toMatch(/KV_INVALID_INPUT: KeySet "fleet" is refused: .*not encrypted: .*pulumi\.unsecret/);
    expect(told).toMatch(place);
    expect(told).not.toContain(CANARY);
  });

  it.each<[string, Record<string, unknown>]>([
    ["a tag", { tags: { t: secret(CANARY) } }],
    ["a keeper", { generate: { ...generate, keepers: { k: secret(CANARY) } } }],
    ["a release policy", { releasePolicy: { policy: secret(CANARY) } }],
  ])("is refused for all of them too: %s", async (_place, settings) => {
    const told = await refusalOf(unencryptedSettings("fleet", settings));
    expect(told).toMatch(/KeySet "fleet" is refused: `(tags|generate|releasePolicy)` holds a secret/);
    expect(told).not.toContain(CANARY);
  });

  it("is refused where a transform puts it", async () => {
    const entries = { a: { generate, tags: { t: secret(CANARY) } } };
    expect(await refusalOf(unencryptedInputs("fleet", { entries }))).toMatch(/`tags` of key "a"/);
    expect(await refusalOf(unencryptedInputs("fleet", { tags: secret({}), entries: {} }))).toMatch(/`tags` holds/);
  });

  it("goes through where it is material, of which state has a digest", async () => {
    const key = (own: object) => ({ onDelete: "retain" as const, ...own });
    const inputs = await sent({
      keys: {
        a: key({ import: pem }),
        b: key({ import: secret({ pem: CANARY }) }),
        c: secret({ import: { pem: CANARY } }),
        d: key({ restore: { blob: secret(CANARY) } }),
      },
    });
    expect(Object.keys(Object(inputs.entries).value)).toEqual(["a", "b", "c", "d"]);
    expect(await refusalOf(entriesInputs("fleet", secret({ a: { import: { pem: CANARY } } })))).toBe("");
  });

  it("goes through without the mark, and so does every other Output", async () => {
    const tags = { t: pulumi.unsecret(secret("open")), u: pulumi.output("open") };
    const inputs = await sent({ vaultUrl: secret(vaultUrl), tags, keys: { a: pulumi.output({ generate, tags }) } });
    expect(JSON.stringify(inputs)).toContain('"tags":{"t":"open","u":"open"}');
  });

  it("costs plain keys nothing: they are handed on as they are", () => {
    const tags = { t: "open" };
    const entries = entriesInputs("fleet", { a: { generate, tags } });
    expect(entries).toEqual({ a: { generate, tags } });
    expect(pulumi.Output.isInstance(Object(entries).a.tags)).toBe(false);
  });
});
