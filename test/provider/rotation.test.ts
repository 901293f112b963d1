import { KeyClient } from "@azure/keyvault-keys";
import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import { z } from "zod";
import { type Emulator, startEmulator } from "../../emulator/index.js";
import { ecKey } from "../engine/demo-keys.js";
import { type Arguments, DrivenResource, type State } from "./driven-resource.js";
import { nextEngineRun } from "./engine-run.js";
import { startOtherServer } from "./other-server.js";
import { key } from "./providers.js";

const DAY = 86_400_000;
const material = { import: { jwk: ecKey().jwk } };
const made = { generate: { keyType: "EC" } };
const policy = { rotationPolicy: { rotateAfter: "P90D", expireAfter: "P1Y" } };

describe("a rotation policy", () => {
  let vault: Emulator;
  let resource: DrivenResource;

  beforeEach(async () => {
    vault = await startEmulator();
    resource = new DrivenResource(key, vault, { vaultUrl: vault.url, name: "orders" });
  });
  afterEach(() => vault.close());

  const official = () =>
    new KeyClient(vault.url, vault.credential, {
      disableChallengeResourceVerification: true,
      allowInsecureConnection: true,
    });
  const moment = (days: number): string => new Date(Date.now() + days * DAY).toISOString().replace(/\.\d+Z$/, "Z");
  /** Moves on until the policy has rotated, refreshes, and runs the unchanged program. */
  const rotated = async (state: State, args: Arguments): Promise<State> => {
    vault.clock.advance(91 * DAY);
    const after = await resource.refreshed(state);
    expect(after.outs.version).not.toBe(state.outs.version);
    expect(after.inputs).toEqual(state.inputs);
    const next = await resource.updated(after, args);
    expect(resource.operations()).toEqual([]);
    expect(next.outs.version).toBe(after.outs.version);
    return next;
  };

  it.each<[string, Arguments]>([
    ["a generated key", { generate: { keyType: "RSA" } }],
    ["a key that has an expiry of its own", { ...made, expiresOn: moment(2000) }],
  ])("of %s rotates again and again, updates the version, and is no drift", async (_what, source) => {
    const args = { ...source, ...policy };
    let state = await resource.created(args);
    const versions = new Set([state.outs.version]);
    for (let time = 0; time < 3; time += 1) {
      state = await rotated(state, args);
      versions.add(state.outs.version);
    }
    expect(versions.size).toBe(4);
    expect((await official().getKey("orders")).properties.expiresOn).toBeDefined();
  });

  const action = (type: string, trigger: object) => ({ trigger, action: { type } });
  it.each<[string, Record<string, string>, object]>([
    [
      "with a rotation alone: no notice",
      { rotateAfter: "P90D" },
      { lifetimeActions: [action("rotate", { timeAfterCreate: "P90D" })], attributes: {} },
    ],
    [
      "with a notice alone: no rotation",
      { notifyBeforeExpiry: "P30D" },
      { lifetimeActions: [action("notify", { timeBeforeExpiry: "P30D" })], attributes: {} },
    ],
    [
      "with an expiry alone: no action",
      { expireAfter: "P1Y" },
      { lifetimeActions: [], attributes: { expiryTime: "P1Y" } },
    ],
    [
      "with all that it can say",
      { rotateBeforeExpiry: "P30D", expireAfter: "P1Y", notifyBeforeExpiry: "P10D" },
      {
        lifetimeActions: [
          action("rotate", { timeBeforeExpiry: "P30D" }),
          action("notify", { timeBeforeExpiry: "P10D" }),
        ],
        attributes: { expiryTime: "P1Y" },
      },
    ],
  ])("is sent as the program says it, %s", async (_what, rotationPolicy, body) => {
    const sent: unknown[] = [];
    const server = await startOtherServer(
      vault,
      (exchange) => exchange,
      (request) => {
        if (request.method === "PUT") sent.push(JSON.parse(request.sent));
        return undefined;
      },
    );
    try {
      const state = await resource.created({ vaultUrl: server.url, ...made, rotationPolicy });
      expect(sent).toEqual([body]);
      expect(await resource.drift(state)).toEqual({});
    } finally {
      server.close();
    }
  });

  it("that cannot be read is told once, however many keys have one", async () => {
    const keys = [];
    for (const name of ["orders", "ledger", "tokens"]) keys.push(await resource.created({ name, ...made, ...policy }));
    vault.faults.add({ kind: "html", operation: "getKeyRotationPolicy" });
    const written = vi.spyOn(process.stdout, "write").mockReturnValue(true);
    try {
      for (const state of keys) await resource.refreshed(state);
      expect(written.mock.calls.join("").match(/rotation polic.*left out/g)).toHaveLength(1);
    } finally {
      written.mockRestore();
    }
  });

  it("of then does not go on rotating a key that comes back to a program without one", async () => {
    const written = vi.spyOn(process.stdout, "write").mockReturnValue(true);
    try {
      const { outs } = await resource.created({ ...material, ...policy });
      await official().beginDeleteKey("orders");
      vault.clock.advance(2_000);
      nextEngineRun();
      vault.faults.add({ kind: "status", status: 403, operation: "updateKeyRotationPolicy", times: 1 });
      const inputs = await resource.checked(material);
      const failure = await key.create(inputs).catch((error: unknown) => error);
      const { properties } = z.object({ properties: z.record(z.string(), z.unknown()) }).parse(failure);
      expect(properties).toMatchObject({ version: outs.version, ...policy });
      nextEngineRun();
      await resource.updated({ id: "id", inputs, outs: properties }, material);
      const left = (await official().getKeyRotationPolicy("orders")).lifetimeActions ?? [];
      expect(left.filter(({ action }) => action === "Rotate")).toEqual([]);
    } finally {
      written.mockRestore();
    }
  });

  it("explains no version of a key whose material the program imports: another key is drift whoever made it", async () => {
    const state = await resource.created({ ...material, ...policy });
    vault.clock.advance(91 * DAY);
    const after = await resource.refreshed(state);
    expect(after.outs.version).not.toBe(state.outs.version);
    expect(Object.keys(await resource.drift(state))).toContain("thumbprint");
    expect(after.outs.publicKey).toEqual(state.outs.publicKey);
    await resource.updated(after, { ...material, ...policy });
    expect(resource.operations()).toEqual(["getKey", "importKey"]);
  });

  it("leaves an expiry that the program moves to the program", async () => {
    const args = { ...made, ...policy, expiresOn: moment(2000) };
    const state = await rotated(await resource.created(args), args);
    const moved = await resource.updated(state, { ...args, expiresOn: moment(3000) });
    expect(resource.operations()).toEqual(["updateKey"]);
    expect((await official().getKey("orders")).properties.expiresOn?.toISOString()).toMatch(moment(3000).slice(0, 10));
    expect(await resource.drift(moved)).toEqual({});
  });

  it("sets the expiry once the program no longer names one, and takes no new version for that", async () => {
    const state = await resource.created({ ...material, ...policy, expiresOn: moment(2000) });
    const without = await resource.updated(state, { ...material, ...policy });
    expect(resource.operations()).toEqual(["updateKey"]);
    expect(await resource.drift(without)).toEqual({});
  });

  it("that rotated a key lets the program change it, and import another one", async () => {
    const args = { ...made, ...policy };
    const state = await rotated(await resource.created(args), args);
    const tagged = await resource.updated(state, { ...args, tags: { a: "1" } });
    expect(resource.operations()).toEqual(["updateKey"]);
    expect(tagged.outs.version).toBe(state.outs.version);
    expect(await resource.drift(tagged)).toEqual({});
    const renewed = await resource.updated(tagged, { ...policy, tags: { a: "1" }, import: { jwk: ecKey().jwk } });
    expect(resource.operations()).toEqual(["getKey", "importKey"]);
    expect(await resource.drift(renewed)).toEqual({});
  });

  it("is changed with one request, and set back to the service's notice where it goes", async () => {
    const state = await resource.created({ ...material, ...policy });
    const changed = await resource.updated(state, { ...material, rotationPolicy: { rotateAfter: "P30D" } });
    expect(resource.operations()).toEqual(["updateKeyRotationPolicy"]);
    expect(await resource.drift(changed)).toEqual({});
    const without = await resource.updated(changed, material);
    expect(resource.operations()).toEqual(["updateKeyRotationPolicy"]);
    expect((await official().getKeyRotationPolicy("orders")).lifetimeActions).toEqual([
      { action: "Notify", timeBeforeExpiry: "P30D" },
    ]);
    expect(await resource.drift(without)).toEqual({});
  });

  it("drifts where somebody changes it or takes it away, and not for the notice or another way to write a time", async () => {
    const state = await resource.created({ ...material, rotationPolicy: { rotateAfter: "P90D" } });
    const set = (timeAfterCreate: string) =>
      official().updateKeyRotationPolicy("orders", {
        lifetimeActions: [
          { action: "Rotate", timeAfterCreate },
          { action: "Notify", timeBeforeExpiry: "P30D" },
        ],
      });
    await set("P3M");
    expect(await resource.drift(state)).toEqual({});
    await set("P60D");
    expect(await resource.drift(state)).toEqual({ rotationPolicy: { rotateAfter: "P60D" } });
    await official().updateKeyRotationPolicy("orders", { lifetimeActions: [] });
    const observed = await resource.refreshed(state);
    expect(observed.inputs.rotationPolicy).toBeUndefined();
    await resource.updated(observed, { ...material, rotationPolicy: { rotateAfter: "P90D" } });
    expect(resource.operations()).toEqual(["updateKeyRotationPolicy"]);
  });

  it("that rotates before expiry explains its versions too", async () => {
    const args = {
      ...made,
      rotationPolicy: { rotateBeforeExpiry: "P30D", expireAfter: "P100D" },
      expiresOn: moment(100),
    };
    const state = await resource.created(args);
    vault.clock.advance(71 * DAY);
    const after = await resource.refreshed(state);
    expect(after.outs.version).not.toBe(state.outs.version);
    expect(await resource.drift(state)).toEqual({});
  });
});
