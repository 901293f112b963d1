import { describe, expect, it } from "vitest";
import { openVault, refusal } from "../open-vault.js";

describe("updateSecret", () => {
  it("changes everything but the value, and does not answer it", async () => {
    const { call } = await openVault();
    await call("PUT", "/secrets/a", { value: "kept", tags: { a: "b" } });
    const updated = await call("PATCH", "/secrets/a", {
      value: "other",
      contentType: "x",
      tags: {},
      attributes: { enabled: true },
    });
    expect(updated.body).toMatchObject({ contentType: "x", tags: {} });
    expect(updated.body).not.toHaveProperty("value");
    expect(await call("GET", "/secrets/a")).toMatchObject({ body: { value: "kept", contentType: "x", tags: {} } });
  });

  it("enables a disabled version again", async () => {
    const { call } = await openVault();
    await call("PUT", "/secrets/a", { value: "x", attributes: { enabled: false } });
    expect((await call("PATCH", "/secrets/a", { attributes: { enabled: true } })).status).toBe(200);
    expect((await call("GET", "/secrets/a")).status).toBe(200);
  });

  it("misses a secret that is not there", async () => {
    const { call } = await openVault();
    expect(await call("PATCH", "/secrets/a", {})).toMatchObject(refusal(404, "SecretNotFound"));
  });
});
