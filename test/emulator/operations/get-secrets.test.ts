import { describe, expect, it } from "vitest";
import { openVault } from "../open-vault.js";

describe("getSecrets", () => {
  it("lists disabled ones too, and no values", async () => {
    const { call } = await openVault();
    await call("PUT", "/secrets/b", { value: "hidden-value", contentType: "text/plain" });
    await call("PUT", "/secrets/A", { value: "hidden-value", attributes: { enabled: false }, tags: { x: "y" } });
    const listed = await call("GET", "/secrets");
    const { value } = listed.body as unknown as { value: { id: string }[] };
    expect(value.map((secret) => secret.id.split("/").at(-1))).toEqual(["A", "b"]);
    expect(value.map((secret) => Object.keys(secret))).toEqual([
      ["id", "attributes", "tags"],
      ["contentType", "id", "attributes"],
    ]);
    expect(listed.text).not.toContain("hidden-value");
  });
});
