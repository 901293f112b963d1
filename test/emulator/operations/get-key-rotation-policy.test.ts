import { describe, expect, it } from "vitest";
import { openVault, refusal } from "../open-vault.js";

describe("getKeyRotationPolicy", () => {
  it("has a default without an id for a key that never had one", async () => {
    const { call } = await openVault();
    await call("POST", "/keys/a/create", { kty: "EC" });
    expect((await call("GET", "/keys/a/rotationpolicy")).body).toEqual({
      lifetimeActions: [{ trigger: { timeBeforeExpiry: "P30D" }, action: { type: "Notify" } }],
      attributes: null,
    });
  });

  it("has another default on a Managed HSM", async () => {
    const { call } = await openVault({ vaults: [{ name: "hsm", plane: "managedhsm" }] });
    await call("POST", "/keys/a/create", { kty: "EC" });
    expect((await call("GET", "/keys/a/rotationpolicy")).body).toEqual({
      attributes: { created: 0, expiryTime: "", updated: 0 },
      id: "",
    });
  });

  it("misses a key that is not there", async () => {
    const { call } = await openVault();
    expect(await call("GET", "/keys/a/rotationpolicy")).toMatchObject(refusal(404, "KeyNotFound"));
  });
});
