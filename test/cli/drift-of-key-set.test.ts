import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import { driftReport } from "../../cli/drift/drift-report.js";
import type { Preview, PreviewStep } from "../../cli/drift/preview-json.js";
import { knownOf } from "../../cli/stack/known-objects.js";
import { type Emulator, startEmulator } from "../../emulator/index.js";
import { keySet } from "../../provider/dynamic-v1.js";
import { RESOURCE_TYPES } from "../../sdk/contract.js";
import { ecKey } from "../engine/demo-keys.js";
import { call } from "../engine/vault-by-hand.js";
import { type Arguments, DrivenResource, type State } from "../provider/driven-resource.js";

const URN = `urn:pulumi:prod::shop::${RESOURCE_TYPES.keySet}::devices`;
const STACK = "urn:pulumi:prod::shop::pulumi:pulumi:Stack::shop-prod";

let vault: Emulator;
let set: DrivenResource;
beforeEach(async () => {
  vault = await startEmulator({ timing: "instant" });
  set = new DrivenResource(keySet, vault, { vaultUrl: vault.url });
});
afterEach(() => vault.close());

const stateOf = ({ inputs, outs }: State) => ({ type: RESOURCE_TYPES.keySet, inputs, outputs: outs });

/** What `pulumi preview --refresh --json` tells of a set. */
function preview(recorded: State, observed: State, inputs: Arguments, told: readonly string[] = []): Preview {
  const steps: PreviewStep[] = [
    { op: "refresh", urn: URN, oldState: stateOf(recorded), newState: stateOf(observed) },
    { op: "same", urn: STACK },
    { op: "update", urn: URN, oldState: stateOf(observed), newState: { type: RESOURCE_TYPES.keySet, inputs } },
  ];
  return { steps, diagnostics: told.map((message) => ({ urn: URN, message, severity: "info" })) };
}

describe("the drift report of a KeySet", () => {
  it("names each key and property, and what the next up does about it", async () => {
    const keys = Object.fromEntries(["a", "b", "c", "d"].map((name) => [name, { import: { jwk: ecKey().jwk } }]));
    const args = { entries: { ...keys, e: { generate: { keyType: "EC" } } }, tags: { fleet: "devices" } };
    const recorded = await set.created(args);
    vault.clock.advance(10_000);
    await call(vault, "PUT", "/keys/a", { key: ecKey().jwk, tags: { fleet: "devices" } });
    await call(vault, "PATCH", "/keys/b", { attributes: { enabled: false } });
    await call(vault, "PATCH", "/keys/c", { tags: { fleet: "pumps" } });
    await call(vault, "DELETE", "/keys/d");
    await call(vault, "DELETE", "/keys/e");
    const lines: string[] = [];
    const write = vi.spyOn(process.stdout, "write").mockImplementation((line) => lines.push(String(line).trim()) > 0);
    const observed = await set.refreshed(recorded);
    write.mockRestore();
    const { drifted, pending, notes } = driftReport(
      preview(recorded, observed, await set.checked(args, observed.inputs), lines),
    );
    expect(pending).toEqual([]);
    expect(notes).toEqual([]);
    expect(drifted.map(({ type, name }) => `${type} ${name}`)).toEqual(["KeySet devices"]);
    const told = drifted.flatMap(({ changes }) =>
      changes.map(({ property, consequence }) => [property, consequence.replace(/ on .*/, "")]),
    );
    expect(Object.fromEntries(told)).toEqual({
      "keys.a.thumbprint": "imports a new version from the program's material, which has to be at hand",
      "keys.b.enabled": "patches it back",
      "keys.c.tags.fleet": "patches the tags back",
      "keys.d": "recovers the key and sets what the program says",
      "keys.e": "recovers the key with its attributes set back",
    });
  });

  it("tells what only the program changes as pending", async () => {
    const entries = { a: { generate: { keyType: "EC" } } };
    const recorded = await set.created({ entries });
    const inputs = await set.checked({ entries: { a: { ...entries.a, tags: { site: "north" } } } }, recorded.inputs);
    const { drifted, pending } = driftReport(preview(recorded, recorded, inputs));
    expect(drifted).toEqual([]);
    expect(pending).toMatchObject([{ type: "KeySet", properties: ["keys.a.tags.site"] }]);
  });
});

describe("what a stack has", () => {
  it("includes each key of a set", async () => {
    const { inputs, outs } = await set.created({ entries: { Pump: { generate: { keyType: "EC" } } } });
    const known = knownOf([{ urn: URN, type: RESOURCE_TYPES.keySet, inputs, outputs: outs }]);
    expect(known.has(vault.url, "keys", "pump")).toBe(true);
    expect(known.has(vault.url, "keys", "other")).toBe(false);
  });
});
