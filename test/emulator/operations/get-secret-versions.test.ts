import { describe, expect, it } from "vitest";
import { openVault } from "../open-vault.js";

describe("getSecretVersions", () => {
  it("lists every version by id, without values, and none for a name that is not there", async () => {
    const { call } = await openVault();
    for (let index = 0; index < 6; index += 1) await call("PUT", "/secrets/a", { value: `hidden-${index}` });
    const listed = await call("GET", "/secrets/a/versions");
    const ids = (listed.body as unknown as { value: { id: string }[] }).value.map((version) => version.id);
    expect(ids).toHaveLength(6);
    expect(ids).toEqual([...ids].sort());
    expect(listed.text).not.toContain("hidden-");
    expect((await call("GET", "/secrets/none/versions")).body).toEqual({ value: [], nextLink: null });
  });
});
