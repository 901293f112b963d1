import { describe, expect, it } from "vitest";
import { openVault, refusal } from "../open-vault.js";

describe("rotateKey", () => {
  it("makes a version of the same kind with new material and the policy's expiry", async () => {
    const { call } = await openVault();
    const made = await call("POST", "/keys/a/create", {
      kty: "EC-HSM",
      crv: "P-384",
      key_ops: ["sign"],
      tags: { a: "b" },
    });
    await call("PUT", "/keys/a/rotationpolicy", { attributes: { expiryTime: "P90D" } });
    const rotated = await call("POST", "/keys/a/rotate");
    expect(rotated).toMatchObject({
      status: 200,
      body: { key: { kty: "EC-HSM", crv: "P-384", key_ops: ["sign"] }, tags: { a: "b" } },
    });
    expect((rotated.body.key as { x: string }).x).not.toBe((made.body.key as { x: string }).x);
    const { exp, created } = rotated.body.attributes as { exp: number; created: number };
    expect(exp - created).toBe(90 * 86_400);
    expect((await call("GET", "/keys/a")).body).toEqual(rotated.body);
  });

  it("misses a key that is not there", async () => {
    const { call } = await openVault();
    expect(await call("POST", "/keys/none/rotate")).toMatchObject(
      refusal(404, "KeyNotFound", /^A key with \(name\/id\) none /),
    );
  });
});
