import { describe, expect, it } from "vitest";
import { openVault, refusal } from "../open-vault.js";

const day = 86_400_000;
const rotate = (trigger: object) => ({ trigger, action: { type: "rotate" } });

describe("updateKeyRotationPolicy", () => {
  it("writes types in Pascal case, Rotate first, and adds Notify", async () => {
    const { call } = await openVault();
    await call("POST", "/keys/a/create", { kty: "EC" });
    const put = await call("PUT", "/keys/a/rotationpolicy", {
      lifetimeActions: [rotate({ timeAfterCreate: "P30D" })],
      attributes: { expiryTime: "P90D" },
    });
    expect(put.body).toEqual({
      id: expect.stringMatching(/\/keys\/a\/rotationpolicy$/),
      lifetimeActions: [
        { trigger: { timeAfterCreate: "P30D" }, action: { type: "Rotate" } },
        { trigger: { timeBeforeExpiry: "P30D" }, action: { type: "Notify" } },
      ],
      attributes: { expiryTime: "P90D", created: expect.any(Number), updated: expect.any(Number) },
    });
    expect((await call("GET", "/keys/a/rotationpolicy")).body).toEqual(put.body);
    expect((await call("PUT", "/keys/a/rotationpolicy", { attributes: {} })).body.attributes).not.toHaveProperty(
      "expiryTime",
    );
  });

  it("stays as it was sent on a Managed HSM, with a relative id", async () => {
    const { call } = await openVault({ vaults: [{ name: "hsm", plane: "managedhsm" }] });
    await call("POST", "/keys/a/create", { kty: "EC" });
    const lifetimeActions = [rotate({ timeAfterCreate: "P30D" })];
    expect(
      (await call("PUT", "/keys/a/rotationpolicy", { lifetimeActions, attributes: { expiryTime: "P90D" } })).body,
    ).toMatchObject({
      id: "keys/a/rotationpolicy",
      lifetimeActions,
    });
  });

  it("is acted on by the clock, as often as the time that passed asks for", async () => {
    const { call, emulator } = await openVault();
    emulator.clock.freeze();
    const made = await call("POST", "/keys/a/create", { kty: "EC" });
    const { created } = made.body.attributes as { created: number };
    await call("PUT", "/keys/a/rotationpolicy", {
      lifetimeActions: [rotate({ timeAfterCreate: "P30D" })],
      attributes: { expiryTime: "P60D" },
    });
    emulator.clock.advance(30 * day - 2_000);
    expect((await call("GET", "/keys/a/versions")).body.value).toHaveLength(1);
    emulator.clock.advance(2_000);
    expect((await call("GET", "/keys/a")).body.attributes).toMatchObject({
      created: created + (30 * day) / 1000,
      exp: created + (90 * day) / 1000,
    });
    emulator.clock.advance(65 * day);
    expect((await call("GET", "/keys/a/versions")).body.value).toHaveLength(4);
  });

  it("rotates before the expiry where it says so", async () => {
    const { call, emulator } = await openVault();
    emulator.clock.freeze();
    const exp = Math.floor(emulator.clock.now() / 1000) + 50 * 86_400;
    await call("POST", "/keys/a/create", { kty: "EC", attributes: { exp } });
    await call("PUT", "/keys/a/rotationpolicy", {
      lifetimeActions: [rotate({ timeBeforeExpiry: "P10D" })],
      attributes: { expiryTime: "P100D" },
    });
    emulator.clock.advance(39 * day);
    expect((await call("GET", "/keys/a/versions")).body.value).toHaveLength(1);
    emulator.clock.advance(1 * day);
    expect((await call("GET", "/keys/a/versions")).body.value).toHaveLength(2);
  });

  it("rotates what is overdue when it is set at that moment, not in the past", async () => {
    const { call, emulator } = await openVault();
    await call("POST", "/keys/a/create", { kty: "EC" });
    emulator.clock.advance(1000 * day);
    const set = Math.floor(emulator.clock.now() / 1000);
    await call("PUT", "/keys/a/rotationpolicy", { lifetimeActions: [rotate({ timeAfterCreate: "P30D" })] });
    const { value } = (await call("GET", "/keys/a/versions")).body as { value: { attributes: { created: number } }[] };
    expect(value).toHaveLength(2);
    expect(Math.max(...value.map(({ attributes }) => attributes.created))).toBeGreaterThanOrEqual(set);
  });

  it("keeps to the service's limits", async () => {
    const { call } = await openVault();
    await call("POST", "/keys/a/create", { kty: "EC" });
    const notify = (trigger: object) => ({ trigger, action: { type: "Notify" } });
    for (const body of [
      { attributes: { expiryTime: "P27D" } },
      { attributes: { expiryTime: "soon" } },
      { lifetimeActions: [rotate({ timeAfterCreate: "P6D" })] },
      { lifetimeActions: [rotate({ timeAfterCreate: "P25D" })], attributes: { expiryTime: "P30D" } },
      { lifetimeActions: [rotate({ timeBeforeExpiry: "P30D" })] },
      { lifetimeActions: [rotate({ timeAfterCreate: "P30D" }), rotate({ timeAfterCreate: "P40D" })] },
      { lifetimeActions: [rotate({})] },
      { lifetimeActions: [notify({ timeAfterCreate: "P30D" })] },
      { lifetimeActions: [{ trigger: { timeAfterCreate: "P30D" }, action: { type: "Delete" } }] },
    ]) {
      expect(await call("PUT", "/keys/a/rotationpolicy", body), JSON.stringify(body)).toMatchObject(
        refusal(400, "BadParameter"),
      );
    }
  });
});
