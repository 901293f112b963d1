import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import { type Emulator, startEmulator } from "../../emulator/index.js";
import { call } from "../engine/vault-by-hand.js";
import { type Arguments, DrivenResource, type State } from "./driven-resource.js";
import { key, keyInventory, secret } from "./providers.js";

const SIGNATURE = "4dabf18193072939515e22adb298388d";
const SECRET = "1b47061264138c4ac30d75fd1eb44270";
const UNKNOWN = "04da6b54-80e4-46f7-96ec-b56ff0331ba9";

/** What the engine takes for its own: it fails the run of the whole stack over it. */
function engineWords(value: unknown): unknown[] {
  if (typeof value === "string") return value === UNKNOWN ? [value] : [];
  if (value === null || typeof value !== "object") return [];
  const own = SIGNATURE in value || Object.hasOwn(value, "__proto__") ? [value] : [];
  return [...own, ...Object.values(value).flatMap(engineWords)];
}

let vault: Emulator;
let lines: string[];
beforeEach(async () => {
  vault = await startEmulator();
  lines = [];
  vi.spyOn(process.stdout, "write").mockImplementation((text) => lines.push(String(text)) > 0);
});
afterEach(async () => {
  vi.restoreAllMocks();
  await vault.close();
});

const resourceOf = (provider: typeof key) =>
  new DrivenResource(provider, vault, { vaultUrl: vault.url, name: "orders" });

/** As the provider answers the engine. */
const answered = ({ provider }: DrivenResource, { id, outs }: State) => provider.read(id, outs);

describe("a word of the engine's protocol in a vault", () => {
  it.each([
    ["the mark of a secret", { [SIGNATURE]: SECRET }],
    ["a whole secret", { [SIGNATURE]: SECRET, value: "x" }],
    ["what is not known", { team: UNKNOWN }],
    ["a name that protobuf drops", JSON.parse('{"__proto__":"x"}')],
  ])("is drift of a key's tags like any other, and is patched back: %s", async (_what, tags) => {
    const resource = resourceOf(key);
    const program = { generate: { keyType: "EC" }, tags: { team: "orders" } };
    const state = await resource.created(program);
    await call(vault, "PATCH", `/keys/orders/${state.outs.version}`, { tags });
    expect(engineWords(await answered(resource, state))).toEqual([]);
    const refreshed = await resource.refreshed(state);
    const [name = ""] = Object.keys(tags);
    expect(refreshed.inputs.tags).toHaveProperty([name === "team" ? "team" : `${name} (as text)`]);
    await resource.updated(refreshed, program);
    expect(await call(vault, "GET", "/keys/orders")).toMatchObject({ tags: { team: "orders" } });
  });

  it("is told of an adopted key once, and stays as it is", async () => {
    const tags = { [SIGNATURE]: SECRET };
    await call(vault, "POST", "/keys/orders/create", { kty: "EC" });
    const resource = resourceOf(key);
    const state = await resource.created({ adopt: true });
    await call(vault, "PATCH", `/keys/orders/${state.outs.version}`, { tags });
    const refreshed = await resource.refreshed(state);
    expect(lines.filter((line) => line.includes("tags changed in the vault"))).toHaveLength(1);
    expect(engineWords(await answered(resource, refreshed))).toEqual([]);
    expect(lines.filter((line) => line.includes("tags changed in the vault"))).toHaveLength(1);
  });

  it("is drift of a secret's content type", async () => {
    const resource = resourceOf(secret);
    const state = await resource.created({ value: "a value" });
    await call(vault, "PATCH", `/secrets/orders/${state.outs.version}`, { contentType: UNKNOWN });
    expect(await resource.drift(state)).toEqual({ contentType: `${UNKNOWN} (as text)` });
  });

  it("is a name that an inventory does not expect", async () => {
    const args: Arguments = { vaultUrl: vault.url, expect: [] };
    const inventory = new DrivenResource(keyInventory, vault, {});
    const { inputs } = await keyInventory.check({}, args);
    const made = await keyInventory.create(inputs);
    await call(vault, "POST", `/keys/${UNKNOWN}/create`, { kty: "EC" });
    await call(vault, "POST", `/keys/${SIGNATURE}/create`, { kty: "EC" });
    const found = await answered(inventory, { id: made.id, inputs, outs: made.outs });
    expect(JSON.stringify(found)).toContain(UNKNOWN);
    expect(engineWords(found)).toEqual([]);
  });
});
