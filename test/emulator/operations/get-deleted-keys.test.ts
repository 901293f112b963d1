import { describe, expect, it } from "vitest";
import { openVault } from "../open-vault.js";

describe("getDeletedKeys", () => {
  it("lists keys whose deletion is done, with their dates", async () => {
    const { call, emulator } = await openVault({ timing: "short" });
    emulator.clock.freeze();
    for (const name of ["b", "a", "kept"]) await call("POST", `/keys/${name}/create`, { kty: "EC" });
    for (const name of ["b", "a"]) await call("DELETE", `/keys/${name}`);
    expect((await call("GET", "/deletedkeys")).body).toEqual({ value: [], nextLink: null });
    emulator.clock.advance(300);
    const { value } = (await call("GET", "/deletedkeys")).body as unknown as { value: { kid: string }[] };
    expect(value.map((key) => key.kid.split("/").slice(-2).join("/"))).toEqual(["keys/a", "keys/b"]);
    expect(Object.keys(value[0] ?? {})).toEqual([
      "recoveryId",
      "deletedDate",
      "scheduledPurgeDate",
      "kid",
      "attributes",
    ]);
    expect((await call("GET", "/keys")).body.value).toHaveLength(1);
  });
});
