import { describe, expect, it } from "vitest";
import { openVault, refusal } from "../open-vault.js";

describe("updateKey", () => {
  it("replaces what is sent and leaves the rest", async () => {
    const { call, emulator } = await openVault();
    emulator.clock.freeze();
    await call("POST", "/keys/a/create", { kty: "RSA", tags: { a: "1", b: "2" }, attributes: { exp: 4_000_000_000 } });
    emulator.clock.advance(5_000);
    const { body } = await call("PATCH", "/keys/a", { tags: { c: "3" }, key_ops: [], attributes: { enabled: false } });
    expect(body).toMatchObject({
      tags: { c: "3" },
      key: { key_ops: [] },
      attributes: { enabled: false, exp: 4_000_000_000 },
    });
    const { created, updated } = body.attributes as { created: number; updated: number };
    expect(updated - created).toBe(5);
    expect((await call("GET", "/keys/a")).body).toEqual(body);
    expect((await call("PATCH", "/keys/a", { tags: {} })).body.tags).toEqual({});
  });

  it("takes an empty update as none", async () => {
    const { call, emulator } = await openVault();
    emulator.clock.freeze();
    const made = await call("POST", "/keys/a/create", { kty: "EC" });
    emulator.clock.advance(9_000);
    expect((await call("PATCH", "/keys/a", { attributes: {} })).body).toEqual(made.body);
  });

  it("moves dates and cannot take them away", async () => {
    const { call } = await openVault();
    await call("POST", "/keys/a/create", { kty: "EC", attributes: { exp: 4_000_000_000, nbf: 1 } });
    expect((await call("PATCH", "/keys/a", { attributes: { exp: null, nbf: 2 } })).body.attributes).toMatchObject({
      exp: 4_000_000_000,
      nbf: 2,
    });
  });

  it("updates one version and no other", async () => {
    const { call } = await openVault();
    const first = await call("POST", "/keys/a/create", { kty: "EC" });
    const second = await call("POST", "/keys/a/create", { kty: "EC" });
    const version = (first.body.key as { kid: string }).kid.split("/").at(-1);
    await call("PATCH", `/keys/a/${version}`, { tags: { old: "yes" } });
    expect((await call("GET", "/keys/a")).body).toEqual(second.body);
    expect((await call("GET", `/keys/a/${version}`)).body.tags).toEqual({ old: "yes" });
  });

  it("leaves an immutable release policy alone", async () => {
    const { call } = await openVault();
    const data = (claim: string) =>
      Buffer.from(
        JSON.stringify({ version: "1.0.0", anyOf: [{ authority: "https://attest.example", claim }] }),
      ).toString("base64url");
    const release_policy = { data: data("a"), immutable: true };
    await call("POST", "/keys/a/create", { kty: "EC-HSM", attributes: { exportable: true }, release_policy });
    for (const other of [
      { data: data("b"), immutable: true },
      release_policy,
      { data: data("a") },
      { immutable: false },
    ]) {
      expect(await call("PATCH", "/keys/a", { release_policy: other })).toMatchObject(
        refusal(400, "BadParameter", "AKV.SKR.1020: Immutable Key Release Policy cannot be modified."),
      );
    }
    expect((await call("PATCH", "/keys/a", { tags: { a: "b" } })).status).toBe(200);
  });

  it("misses a key that is not there", async () => {
    const { call } = await openVault();
    expect(await call("PATCH", "/keys/a", { tags: {} })).toMatchObject(refusal(404, "KeyNotFound"));
  });
});
