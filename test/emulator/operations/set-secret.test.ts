import { describe, expect, it } from "vitest";
import { openVault, refusal } from "../open-vault.js";

describe("setSecret", () => {
  it("answers the value and the rest in the service's order", async () => {
    const { call } = await openVault();
    const { body } = await call("PUT", "/secrets/Db", {
      value: "a\nb",
      contentType: "text/plain",
      tags: { a: "b" },
      attributes: { exp: 4_000_000_000 },
    });
    expect(Object.keys(body)).toEqual(["value", "contentType", "id", "attributes", "tags"]);
    expect(body).toMatchObject({ value: "a\nb", id: expect.stringMatching(/\/secrets\/Db\/[0-9a-f]{32}$/) });
    expect(body.attributes).toEqual({
      enabled: true,
      exp: 4_000_000_000,
      created: expect.any(Number),
      updated: expect.any(Number),
      recoveryLevel: "Recoverable+Purgeable",
      recoverableDays: 90,
    });
  });

  it("takes the empty string, and 25,600 bytes, and no more", async () => {
    const { call } = await openVault();
    expect(await call("PUT", "/secrets/a", { value: "" })).toMatchObject({ status: 200, body: { value: "" } });
    expect((await call("PUT", "/secrets/a", { value: "x".repeat(25_600) })).status).toBe(200);
    const refused = refusal(400, "BadParameter", "Property  has invalid value\r\n");
    expect(await call("PUT", "/secrets/a", { value: "x".repeat(25_601) })).toMatchObject(refused);
    expect(await call("PUT", "/secrets/a", { value: "ä".repeat(12_801) })).toMatchObject(refused);
    expect(await call("PUT", "/secrets/a", {})).toMatchObject(refused);
    expect(await call("PUT", "/secrets/a", { value: "x", contentType: "x".repeat(256) })).toMatchObject(refused);
  });

  it("adds a version that inherits nothing", async () => {
    const { call } = await openVault();
    await call("PUT", "/secrets/a", { value: "1", tags: { a: "b" }, contentType: "x" });
    const { body } = await call("PUT", "/secrets/a", { value: "2" });
    expect(Object.keys(body)).toEqual(["value", "id", "attributes"]);
  });

  it("wants a name", async () => {
    const { call } = await openVault();
    expect(await call("PUT", "/secrets/", { value: "x" })).toMatchObject(
      refusal(405, "MethodNotAllowed", "HTTP PUT not allowed"),
    );
  });
});
