import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import { consequenceOfChange } from "../../cli/drift/consequence.js";
import { differences } from "../../cli/drift/property-values.js";
import { type Emulator, startEmulator } from "../../emulator/index.js";
import { key, secret } from "../../provider/dynamic-v1.js";
import { parseUnmanagedChange } from "../../provider/object/unmanaged-change.js";
import { ecKey } from "../engine/demo-keys.js";
import { call, keyClient, secretClient } from "../engine/vault-by-hand.js";
import { type Arguments, DrivenResource, type State } from "./driven-resource.js";
import { nextEngineRun } from "./engine-run.js";

const NOT_BEFORE = "2031-01-01T00:00:00Z";
const EXPIRES_ON = "2036-01-01T00:00:00Z";
const EARLIER = Date.parse("2030-01-01T00:00:00Z") / 1000;
const LATER = Date.parse("2037-01-01T00:00:00Z") / 1000;
const POLICY = { rotateAfter: "P90D", expireAfter: "P1Y" };

/** What the consequence that is told comes to in requests that write. */
const WRITES: [RegExp, string[]][] = [
  [/patches|moves it back/, ["update"]],
  [/^(imports|generates|sets) .*new version|^sets it with the new version/, ["version"]],
  [/rotation policy back/, ["updateKeyRotationPolicy"]],
  [/as it is|^leaves it/, []],
];

const IMPORTED = ecKey();

interface Source {
  provider: typeof key;
  collection: "keys" | "secrets";
  args: Arguments;
  isMadeOutside?: boolean;
}
const SOURCES: Record<string, Source> = {
  "an imported key": { provider: key, collection: "keys", args: { import: { jwk: IMPORTED.jwk } } },
  "a generated key": { provider: key, collection: "keys", args: { generate: { keyType: "EC" } } },
  "an adopted key": { provider: key, collection: "keys", args: { adopt: true }, isMadeOutside: true },
  "a secret by value": { provider: secret, collection: "secrets", args: { value: "a value" } },
  "a generated secret": { provider: secret, collection: "secrets", args: { generate: { length: 32 } } },
  "an adopted secret": { provider: secret, collection: "secrets", args: { adopt: true }, isMadeOutside: true },
};

/** What somebody does outside, and the arguments of the program that has the attribute. */
const CHANGES: [property: string, change: string, declared: Arguments, body: Arguments][] = [
  ["enabled", "changed", { enabled: true }, { attributes: { enabled: false } }],
  ["enabled", "back to default", { enabled: false }, { attributes: { enabled: true } }],
  ["enabled", "added outside", {}, { attributes: { enabled: false } }],
  ["notBefore", "changed", { notBefore: NOT_BEFORE }, { attributes: { nbf: EARLIER } }],
  ["notBefore", "added outside", {}, { attributes: { nbf: EARLIER } }],
  ["expiresOn", "changed", { expiresOn: EXPIRES_ON }, { attributes: { exp: LATER } }],
  ["expiresOn", "added outside", {}, { attributes: { exp: LATER } }],
  ["tags", "changed", { tags: { team: "orders" } }, { tags: { team: "somebody" } }],
  ["tags", "back to default", { tags: { team: "orders" } }, { tags: {} }],
  ["tags", "added outside", {}, { tags: { team: "somebody" } }],
  ["tags", "named __proto__", { tags: { team: "orders" } }, JSON.parse('{"tags":{"team":"orders","__proto__":"x"}}')],
];
const OF_KEYS: typeof CHANGES = [
  ["keyOps", "changed", { keyOps: ["sign", "verify"] }, { key_ops: ["sign"] }],
  ["keyOps", "back to default", { keyOps: ["sign"] }, { key_ops: ["sign", "verify"] }],
  ["keyOps", "added outside", {}, { key_ops: ["sign"] }],
];
const OF_SECRETS: typeof CHANGES = [
  ["contentType", "changed", { contentType: "text/plain" }, { contentType: "text/html" }],
  ["contentType", "added outside", {}, { contentType: "text/html" }],
];

let vault: Emulator;
let told: string[];
beforeEach(async () => {
  vault = await startEmulator();
  told = [];
  vi.spyOn(process.stdout, "write").mockImplementation((text) => told.push(String(text).trimEnd()) > 0);
});
afterEach(async () => {
  vi.restoreAllMocks();
  await vault.close();
});

async function made({ provider, collection, args, isMadeOutside }: Source, declared: Arguments) {
  const resource = new DrivenResource(provider, vault, { vaultUrl: vault.url, name: "orders" });
  if (isMadeOutside && collection === "keys") await keyClient(vault).createEcKey("orders");
  if (isMadeOutside && collection === "secrets") await secretClient(vault).setSecret("orders", "a value");
  const program = { ...args, ...declared };
  return { resource, program, state: await resource.created(program) };
}

const namesTold = () => told.flatMap((line) => parseUnmanagedChange(line)?.attribute ?? []);

/** The consequence of each difference, and that the next update does just that. */
async function expectConsequence(resource: DrivenResource, before: State, program: Arguments, property: string) {
  const after = await resource.refreshed(before);
  nextEngineRun();
  const inputs = await resource.checked(program, after.inputs);
  const found = differences(before.inputs, after.inputs);
  expect(new Set(found.map(({ path }) => path.split(/[.[]/)[0]))).toEqual(new Set([property]));
  const type = resource.provider === key ? "Key" : "Secret";
  const step = { type, operation: "update", inputs, found: after.outs.found };
  const [consequence = ""] = found.map((difference) => consequenceOfChange(step, difference, found));
  vault.requests.clear();
  const update = resource.updated(after, program);
  if (consequence.startsWith("fails")) {
    await expect(update).rejects.toMatchObject({ message: expect.stringMatching(/^KV_INVALID_INPUT/) });
    expect(resource.operations()).toEqual([]);
    return;
  }
  const updated = await update;
  const writes = resource.operations().filter((operation) => !operation.startsWith("get"));
  const kinds = writes.map((name) => {
    if (/^(importKey|createKey|setSecret)$/.test(name)) return "version";
    return /^update(Key|Secret)$/.test(name) ? "update" : name;
  });
  const expected = WRITES.find(([pattern]) => pattern.test(consequence))?.[1];
  expect({ consequence, writes: kinds }).toEqual({ consequence, writes: expected });
  if (kinds.length === 0) return;
  const repaired = await resource.refreshed(updated);
  expect(differences(inputs, repaired.inputs)).toEqual([]);
}

describe.each(Object.entries(SOURCES))("of %s", (_name, source) => {
  const isKey = source.collection === "keys";

  it.each([...CHANGES, ...(isKey ? OF_KEYS : OF_SECRETS)])(
    "%s %s is told once, by name, and the next update does what is told",
    async (property, _change, declared, body) => {
      const { resource, program, state } = await made(source, declared);
      const path = `/${source.collection}/orders/${state.outs.version}`;
      await call(vault, "PATCH", path, body);
      if (source.args.adopt && declared[property] === undefined) {
        const after = await resource.refreshed(state);
        expect(after.inputs).toEqual(state.inputs);
        expect(namesTold()).toEqual([property]);
        await resource.refreshed(after);
        expect(namesTold()).toEqual([property]);
        return;
      }
      await expectConsequence(resource, state, program, property);
      expect(namesTold()).toEqual([]);
    },
  );
});

describe("a version that somebody else made", () => {
  it("of an adopted key gets what the program declares", async () => {
    const { resource, program, state } = await made(SOURCES["an adopted key"] as Source, { tags: { team: "orders" } });
    await keyClient(vault).createEcKey("orders");
    const after = await resource.refreshed(state);
    await resource.updated(after, program);
    expect(resource.operations()).toContain("updateKey");
    expect((await keyClient(vault).getKey("orders")).properties.tags).toMatchObject({ team: "orders" });
  });

  it.each([
    ["thumbprint", { adopt: true }, /as it is/],
    ["version", { adopt: true }, /as it is/],
    ["version", { thumbprint: "hmac:abc" }, /^imports a new version/],
    ["version", { thumbprint: "w7Jg" }, /as it is/],
    ["version", { generate: { keyType: "EC" } }, /^generates a new version/],
  ])("is told by its %s with what the program %j makes of it", (path, inputs, consequence) => {
    const change = { path, before: "a", after: "b" };
    const step = { type: "Key", operation: "update", inputs, found: undefined };
    expect(consequenceOfChange(step, change, [change])).toMatch(consequence);
  });
});

describe("an expiry moved outside under a rotation policy", () => {
  it("is told, and goes back to the policy's moment", async () => {
    const { resource, program, state } = await made(SOURCES["a generated key"] as Source, { rotationPolicy: POLICY });
    await call(vault, "PATCH", `/keys/orders/${state.outs.version}`, { attributes: { exp: LATER } });
    await expectConsequence(resource, state, program, "expiresOn");
  });
});
