import { describe, expect, it } from "vitest";
import { openVault } from "../open-vault.js";

describe("getDeletedSecrets", () => {
  it("lists deleted secrets, disabled ones too", async () => {
    const { call } = await openVault();
    await call("PUT", "/secrets/a", { value: "hidden" });
    await call("PUT", "/secrets/b", { value: "hidden", attributes: { enabled: false } });
    for (const name of ["a", "b"]) await call("DELETE", `/secrets/${name}`);
    const listed = await call("GET", "/deletedsecrets");
    expect(listed.body.value).toHaveLength(2);
    expect(listed.text).not.toContain("hidden");
  });
});
